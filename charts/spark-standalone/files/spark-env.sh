# Read by each of Spark's programs before it starts. Others of the cluster reach it by its address: pods have no name in DNS.
SPARK_LOCAL_HOSTNAME=$(hostname -i | cut -d ' ' -f 1)
# What all of the cluster have. It stands in no file, no argument and no configuration.
if [ ! -s /etc/spark-auth/secret ]; then
  echo "kindling: /etc/spark-auth/secret is missing or empty: mount the Secret of the cluster there" >&2
  exit 1
fi
_SPARK_AUTH_SECRET=$(base64 -w 0 /etc/spark-auth/secret)
