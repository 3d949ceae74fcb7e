# Spark's programs read this before they become a JVM. A session whose executors could not work with it does not begin.
if [ -e /opt/kindling-versions/executors.json ]; then
  python3 -I /opt/kindling/versions.py --compare /opt/kindling-versions/executors.json || exit 1
fi
# What a killed driver leaves behind is removed.
python3 -E -s /opt/kindling/sweep.py $$ </dev/null >/proc/1/fd/1 2>/proc/1/fd/2 &
