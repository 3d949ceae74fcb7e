# Spark's programs read this before they start a JVM: a session whose executors could not work with it does not begin.
if [ -e /opt/kindling-versions/executors.json ]; then
  python3 -I /opt/kindling/versions.py --compare /opt/kindling-versions/executors.json || exit 1
fi
