"""The Kubernetes versions that the charts are rendered for in tests."""

RENDERED_AT = ("1.24", "1.25", "1.30", "1.37")
"""Where templates branch, and the newest: each stands for those up to the next."""
