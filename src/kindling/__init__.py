"""kindling, the command-line tool for people who run Spark on Kubernetes: ``kindling why``, ``kindling preflight``,
``kindling kubeconfig``, ``kindling token``, ``kindling mend``, ``kindling recover``.

``connection`` finds the cluster, ``gather`` reads it into ``facts``, ``causes`` explain facts without asking anything,
``output`` prints. ``preflight`` asks whether a namespace is ready. ``log_in`` makes a kubeconfig of a ``login`` that is
there; ``tokens`` are what its clients ask for.
"""
