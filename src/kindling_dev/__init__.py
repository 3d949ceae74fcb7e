"""What people who work on this repository run: pinned tools, images, the kind cluster, the first jobs, the tests.

Nothing here ships to users of the charts. ``scripts/up``, ``scripts/test`` and ``scripts/down`` are its three commands.
"""
