# Before a worker's pod ends: it takes no more work, its executors hand on what they keep, and end when their tasks have.
executors='java .*org[.]apache[.]spark[.]executor[.]CoarseGrainedExecutorBackend'
pkill -PWR -f 'java .*org[.]apache[.]spark[.]deploy[.]worker[.]Worker' || exit 0
# The master tells their drivers; they do it themselves, should there be no master.
pkill -PWR -f "$executors"
while pgrep -f "$executors" >/dev/null; do
  sleep 1
done
