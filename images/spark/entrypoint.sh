#!/bin/bash
# Starts what Spark asks for ("driver" or "executor", told by SPARK_* variables), or any other command as it is.
# Contract: that of the official apache/spark image. Nothing is written but below /tmp; no shell stays behind.
set -eu

# Hadoop refuses a user without a name. Where the user id is not in /etc/passwd, give it one for this process tree.
if ! getent passwd "$(id -u)" >/dev/null && [ -w /tmp ]; then
  library=$(echo /usr/lib/*/libnss_wrapper.so)
  { cat /etc/passwd; echo "${SPARK_USER_NAME:-spark-$(id -u)}:x:$(id -u):$(id -g)::${HOME:-/nonexistent}:/usr/sbin/nologin"; } \
    >/tmp/.passwd && cp /etc/group /tmp/.group
  export LD_PRELOAD=$library NSS_WRAPPER_PASSWD=/tmp/.passwd NSS_WRAPPER_GROUP=/tmp/.group
fi

java_options=()
while IFS= read -r name; do
  java_options+=("${!name}")
done < <(compgen -v SPARK_JAVA_OPT_ | sort -t_ -k4 -n)

class_path=${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*
[ -z "${SPARK_EXTRA_CLASSPATH:-}" ] || class_path=$class_path:$SPARK_EXTRA_CLASSPATH
[ -z "${HADOOP_CONF_DIR:-}" ] || class_path=$HADOOP_CONF_DIR:$class_path
[ -z "${SPARK_CONF_DIR:-}" ] || class_path=$SPARK_CONF_DIR:$class_path
[ -z "${SPARK_DIST_CLASSPATH:-}" ] || class_path=$class_path:$SPARK_DIST_CLASSPATH
export PYSPARK_PYTHON=${PYSPARK_PYTHON:-python3}

case ${1:-} in
  driver)
    shift
    command=("$SPARK_HOME/bin/spark-submit"
      --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS"
      --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS"
      --deploy-mode client "$@")
    ;;
  executor)
    shift
    command=("$JAVA_HOME/bin/java" "${java_options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY"
      -cp "$class_path" org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend
      --driver-url "$SPARK_DRIVER_URL"
      --executor-id "$SPARK_EXECUTOR_ID"
      --cores "$SPARK_EXECUTOR_CORES"
      --app-id "$SPARK_APPLICATION_ID"
      --hostname "$SPARK_EXECUTOR_POD_IP"
      --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID"
      --podName "$SPARK_EXECUTOR_POD_NAME" "$@")
    ;;
  *)
    exec "$@"
    ;;
esac
exec tini -s -- "${command[@]}"
