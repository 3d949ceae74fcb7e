"""kindling, the command-line tool for people who run Spark on Kubernetes: ``kindling why``, ``kindling preflight``.

``connection`` finds the cluster, ``gather`` reads it into ``facts``, ``causes`` explain facts without asking anything,
``output`` prints. ``preflight`` asks whether a namespace is ready.
"""
