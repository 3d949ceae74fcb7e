"""What the chart's programs take for the reason of a failure, from output as Spark 4.3 and Spark 3.5 print it."""

from __future__ import annotations

import json

import pytest
from last_error import LIMIT, LastError

from kindling.causes.fetch_faults import FILE_NOT_FOUND

STARTS = """\
WARNING: Using incubator modules: jdk.incubator.vector
Using Spark's default log4j profile: org/apache/spark/log4j2-defaults.properties
26/11/21 11:00:45 WARN NativeCodeLoader: Unable to load native-hadoop library for your platform...
hello
"""
ENDS = """\
26/11/21 11:00:48 INFO SparkContext: Invoking stop() from shutdown hook
26/11/21 11:00:48 INFO ShutdownHookManager: Deleting directory /tmp/spark-4b58537a-9d4b-487b-994f-22f7c5bc7a17
"""
TRACEBACK = """\
Traceback (most recent call last):
  File "/cap/err.py", line 4, in <module>
    print({}["missing"])
          ~~^^^^^^^^^^^
KeyError: 'missing'
"""
NO_CLASS = "Error: Failed to load class no.Such.\n"
NO_JAR = "26/11/21 11:00:52 WARN DependencyUtils: Local jar /opt/spark/jars/none.jar does not exist, skipping.\n"
NO_FILE = "python3: can't open file '/nowhere.py': [Errno 2] No such file or directory\n"
NOT_THERE = f"{FILE_NOT_FOUND.cause.partition('} ')[2]}; {FILE_NOT_FOUND.cure}"
THREAD = """\
Exception in thread "main" org.apache.spark.SparkException: Please specify spark.kubernetes.file.upload.path property.
\tat org.apache.spark.deploy.k8s.KubernetesUtils$.uploadFileUri(KubernetesUtils.scala:334)
\t... 12 more
"""
LOGGED = "26/11/21 08:05:05 ERROR TaskSchedulerImpl: Lost executor 4 on 10.244.0.131\n"


def last_error(output: str) -> str:
    """The reason in some output."""
    reader = LastError()
    for line in output.splitlines(keepends=True):
        reader.read(line)
    return reader.line


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (STARTS + TRACEBACK + ENDS, "KeyError: 'missing'"),
        (NO_CLASS + ENDS, "Error: Failed to load class no.Such."),
        (NO_FILE + ENDS, f"the file /nowhere.py {NOT_THERE}: {NO_FILE.strip()}"),
        (
            NO_JAR + NO_CLASS + ENDS,
            f"the file /opt/spark/jars/none.jar {NOT_THERE}: {NO_JAR.partition('WARN ')[2].strip()}",
        ),
        (STARTS + THREAD + ENDS, THREAD.splitlines()[0]),
        (STARTS + LOGGED + ENDS, "TaskSchedulerImpl: Lost executor 4 on 10.244.0.131"),
        (STARTS + ENDS, "hello"),
        (ENDS, ""),
    ],
    ids=["traceback", "class", "file", "jar", "thread", "logged", "printed", "nothing"],
)
def test_the_last_error_is_found(output: str, reason: str) -> None:
    assert last_error(output) == reason


def test_a_traceback_tells_more_than_what_follows_it() -> None:
    assert last_error(TRACEBACK + THREAD + LOGGED) == "KeyError: 'missing'"
    assert last_error(TRACEBACK + TRACEBACK.replace("missing", "later")) == "KeyError: 'later'"


def test_a_log_of_json_objects_is_read_too() -> None:
    entry = {"ts": "2026-11-21T08:05:05.1Z", "level": "ERROR", "logger": "TaskSchedulerImpl", "message": "no executor"}
    assert (
        last_error(f"{json.dumps(entry)}\n{json.dumps({**entry, 'level': 'INFO'})}\n")
        == "TaskSchedulerImpl: no executor"
    )


def test_a_reason_has_an_end() -> None:
    assert len(last_error("x" * 10_000)) == LIMIT
