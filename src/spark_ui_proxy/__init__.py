"""spark-ui-proxy: one door to the UIs of every Spark application of a cluster, live or finished.

nginx moves the bytes; this package decides who may see what and where it is, and serves the page. See
docs/decisions/0020-nginx-asks-python.md.
"""
