"""A standalone cluster: as its guide has it, against who lacks the secret, with a worker less, with another master."""

from __future__ import annotations

import json
import re
import time

import pytest
from as_written import done_as_written
from door import new_door
from history import History
from standalone import CLUSTER, PORTS, Standalone, installed
from team import Team

from kindling_dev.guides import commands
from kindling_dev.settings import ADMIN_NAMESPACE

SLOW = """
import sys, time
from pyspark.sql import SparkSession
context = SparkSession.builder.appName("slow").getOrCreate().sparkContext
def slow(number):
    time.sleep(0.5)
    return number % 4, number
seconds = int(sys.argv[1])
context.parallelize(range(2), 2).map(slow).count()
print("BEGINS", flush=True)
summed = context.parallelize(range(seconds * 4), seconds * 4).map(slow).reduceByKey(lambda a, b: a + b, 4).collect()
print("SUM", sum(value for _, value in summed))
"""
"""So many seconds of work for two workers of a core, and a shuffle at its end; tells what all adds up to."""
COUNT = "from pyspark.sql import SparkSession\nprint('COUNTED', SparkSession.builder.getOrCreate().range(9).count())\n"
COUNTS = "('be', 2)\n('not', 1)\n('or', 1)\n('to', 2)\n"


def for_team(team: Team, written: str) -> str:
    """The guide's commands for another team than its own, with the values of that."""
    return written.replace("--namespace team-b", f"--namespace {team.name}")


def test_a_cluster_counts_words_as_its_guide_says(team: Team) -> None:
    team.set_namespace(guard={"secrets": ["spark-auth"]})
    done_as_written(for_team(team, commands("standalone", "Make it")), team.cluster)
    counted = done_as_written(for_team(team, commands("standalone", "Submit")), team.cluster)
    assert counted.endswith(COUNTS)
    listening = json.loads(team.kubectl("exec", f"{CLUSTER}-master-0", "--", "python3", "-c", PORTS))
    assert listening == [4040, 7077]
    assert [one["state"] for one in Standalone(team).master()["workers"]] == ["ALIVE"] * 2
    done_as_written(for_team(team, commands("standalone", "More workers, and fewer")), team.cluster)
    done_as_written(for_team(team, commands("standalone", "Remove it")), team.cluster)


def test_who_lacks_the_secret_gets_no_executor(team: Team) -> None:
    team.kubectl("create", "secret", "generic", "other", "--from-literal=secret=what-somebody-guessed")
    with installed(team, "other", worker={"replicas": 0}) as cluster:
        cluster.put(count=COUNT)
        job = cluster.job("/opt/kindling/count.py")
        volumes = job["spec"]["template"]["spec"]["volumes"]
        (auth,) = [volume for volume in volumes if volume["name"] == "spark-auth"]
        auth["secret"]["secretName"] = "other"
        guessed = cluster.submit(job)
        cluster.wait_for(guessed, "Failed to connect to master", 60)
        volumes.remove(auth)
        mounts = job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
        mounts.remove(next(mount for mount in mounts if mount["name"] == "spark-auth"))
        cluster.wait_for(cluster.submit(job), "kindling: /etc/spark-auth/secret is missing or empty", 60)
        assert cluster.master()["activeapps"] == []
        said = team.kubectl("logs", f"{CLUSTER}-master-0")
        assert "what-only-the-team-knows" not in said


@pytest.mark.long
def test_a_worker_goes_while_a_job_runs(team: Team) -> None:
    with installed(team) as cluster:
        cluster.put(slow=SLOW)
        team.helm.run(["test", CLUSTER, "--namespace", team.name])
        job = cluster.submit(cluster.job("/opt/kindling/slow.py", "20"))
        cluster.wait_for(job, r"BEGINS[\s\S]*Finished task 8\.0", 90)
        team.kubectl("scale", f"statefulset/{CLUSTER}-worker", "--replicas=1")
        team.kubectl("wait", "--for=delete", f"pod/{CLUSTER}-worker-1", "--timeout=60s")
        log = cluster.end_of(job, 90)
        assert f"SUM {sum(range(80))}" in log
        assert re.search(r"Executor \d on \S+ is decommissioned after", log)
        assert "Lost task" not in log
        assert "Resubmitted" not in log


@pytest.mark.long
def test_a_new_master_knows_workers_and_applications(team: Team) -> None:
    with installed(team) as cluster:
        cluster.put(slow=SLOW, count=COUNT)
        job = cluster.job("/opt/kindling/slow.py", "30")
        # As a notebook: Python begins, and makes the session itself.
        (driver,) = job["spec"]["template"]["spec"]["containers"]
        path = "/opt/spark/python:$(echo /opt/spark/python/lib/py4j-*)"
        driver["command"] = ["bash", "-c", f'PYTHONPATH={path} exec python3 "$@"', "-"]
        driver["env"].append({"name": "SPARK_CONF_DIR", "value": "/opt/spark/conf"})
        running = cluster.submit(job)
        cluster.wait_for(running, "BEGINS", 90)
        (before,) = cluster.master()["activeapps"]
        team.kubectl("delete", "pod", f"{CLUSTER}-master-0", "--grace-period=0", "--force")
        team.kubectl("rollout", "status", f"statefulset/{CLUSTER}-master", "--timeout=60s")
        cluster.wait_for_workers(2)
        (after,) = cluster.master()["activeapps"]
        assert (after["id"], after["state"]) == (before["id"], "RUNNING")
        assert f"SUM {sum(range(120))}" in cluster.end_of(running, 90)
        assert "COUNTED 9" in cluster.end_of(cluster.submit(cluster.job("/opt/kindling/count.py")), 90)


@pytest.mark.long
def test_master_workers_and_applications_are_at_one_door(team: Team) -> None:
    shown = {"uiProxy": {"namespace": ADMIN_NAMESPACE, "url": "http://localhost:30080/"}}
    with new_door(team) as door, installed(team, **{"global": shown}) as cluster:
        door.install()
        door.let_in(team, door.viewer)
        own = f"/{team.name}/proxy/{CLUSTER}"
        deadline = time.monotonic() + 60
        while (home := door.ask(f"{own}/")).status != 200:
            assert time.monotonic() < deadline, home
            time.sleep(0.5)
        workers = set(re.findall(rf'href="({own}/proxy/worker-[^"/]+)', home.text))
        assert len(workers) == 2
        for worker in workers:
            assert "Spark Worker at" in door.ask(f"{worker}/").text
        cluster.put(slow=SLOW)
        job = cluster.submit(cluster.job("/opt/kindling/slow.py", "20"))
        cluster.wait_for(job, "BEGINS", 90)
        (application,) = cluster.master()["activeapps"]
        moved = door.ask(f"{own}/proxy/{application['id']}/jobs/")
        assert (moved.status, moved.location) == (301, f"/{team.name}/proxy/{application['id']}/jobs/")
        assert door.rest(moved.location.strip("/").removesuffix("/jobs"), "applications")[0]["name"] == "slow"


@pytest.mark.long
def test_an_application_that_has_ended_is_in_the_history(team: Team) -> None:
    history = History(team, {"store": "claim"})
    history.install()
    with installed(team, worker={"replicas": 1}, **{"global": {"eventLog": history.event_log}}) as cluster:
        cluster.put(count=COUNT)
        log = cluster.end_of(cluster.submit(cluster.job("/opt/kindling/count.py")), 120)
        (application,) = set(re.findall(r"app-\d{14}-\d{4}", log))
        history.application(application)
        environment = json.dumps(history.ask(f"applications/{application}/environment"))
        assert "spark://" in environment
        assert "what-only-the-team-knows" not in environment
