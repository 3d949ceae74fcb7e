"""Cluster mode: submits a driver, follows it, and ends as it ended. Standard library only.

spark-submit returns 0 when the driver failed, and a submitter may be killed at any moment. So the driver is named after
the Job and the attempt: whoever comes next adopts the one that runs, returns the code of the one that ended, and
submits only where there is none. The Job's podFailurePolicy counts a pod by its exit code: those that Kubernetes also
gives a killed submitter count for nothing, so no driver's end is told with one of them. How many failures the Job has
counted is the number of the attempt: no state anywhere else.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import addresses
import kube
from driver_log import DriverLog
from last_error import LastError, leave_message
from passing import pass_on
from refusal import EXIT_CODE, refusal_of

NOT_COUNTED = (128 + signal.SIGKILL, 128 + signal.SIGTERM, 255)
"""What a submitter ends with that was killed (out of memory too), asked to go, or lost with its node."""
INSTEAD = 1
"""What it ends with where its driver ended with one of those."""
_FOLDER = Path(__file__).parent
_TEMPLATE = Path("/tmp/driver.json")
_FAIL_FAST = os.environ.get("FAIL_FAST") == "1"
_QUOTA_PAUSE_S = 10
_LOOKS = 6  # at a Job that is about to change, half a second apart
_TRIES = 6  # of a submission that meets an API server in trouble
_LINES = 1000  # of spark-submit's, the last, that are looked through for a refusal
_TROUBLE = re.compile(
    r"UnknownHostException|ConnectException|SocketException|timed? ?out|Connection re(set|fused)|EOFException"
    r"|Service Unavailable|etcdserver|TLS handshake|Status\(apiVersion=v1, code=(429|5\d\d)"
)
_NEVER_STARTS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
)


class Terminated(BaseException):
    """This pod is asked to go."""


class FailedError(Exception):
    """The application failed: the exit code to end with, and why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def failed_with(code: int, driver: str, reason: str) -> FailedError:
    """The failure of a driver; an exit code that the Job would not count stands in the message alone."""
    ended = f"driver {driver} ended with exit code {code}"
    if code in NOT_COUNTED:
        return FailedError(INSTEAD, f"{ended}: {reason}" if reason else ended)
    return FailedError(code, reason or ended)


class Submission:
    """One attempt of one Job."""

    def __init__(self) -> None:
        self._namespace = kube.namespace()
        self._pods = f"/api/v1/namespaces/{self._namespace}/pods"
        self._me = f"{self._pods}/{os.environ['POD_NAME']}"
        me = kube.patiently(lambda: kube.ask("GET", self._me))
        self._job = next(owner for owner in me["metadata"]["ownerReferences"] if owner["kind"] == "Job")
        self._job_path = f"/apis/batch/v1/namespaces/{self._namespace}/jobs/{self._job['name']}"
        self._driver = self._driver_of(self._attempt())
        self._path = f"{self._pods}/{self._driver}"
        self._addresses = addresses.told()
        self._log = DriverLog(f"{self._path}/log")
        self._log.error.know(self._addresses)
        self._spark_submit: subprocess.Popen[bytes] | None = None

    def run(self, argv: list[str]) -> None:
        """Have one driver, and wait for its end.

        Raises:
            FailedError: it failed, or there can be none.
        """
        driver = self._found()
        if driver is None:
            driver = self._submitted(argv)
        else:
            _say(f"driver {self._driver} is there already ({driver['status']['phase']})")
        self._log.start()
        end = self._end_of(driver["metadata"]["uid"])
        self._log.finish()
        if end is None:
            raise FailedError(1, f"driver {self._driver} was deleted")
        code, message = _verdict(end)
        if code and end["metadata"].get("deletionTimestamp"):
            message = f"driver {self._driver} was deleted"
        if code:
            raise failed_with(code, self._driver, message or self._log.error.line)

    def leave(self) -> None:
        """This pod goes: take the driver along if the Job is over, else leave it to the next submitter."""
        if self._spark_submit and self._spark_submit.poll() is None:
            self._spark_submit.kill()
            self._spark_submit.wait()
        # The controller deletes the pods of a Job that is over first, and says that it is over a moment later.
        for _ in range(_LOOKS):
            try:
                job = kube.ask("GET", self._job_path)
            except (kube.RefusedError, *kube.AWAY):
                return  # deleted: what it owns goes with it
            if _is_over(job):
                self._delete_driver()
                return
            time.sleep(0.5)

    def _driver_of(self, attempt: int) -> str:
        return f"{self._job['name']}-{self._job['uid'][:8]}-{attempt}-driver"

    def _attempt(self) -> int:
        """The number of the attempt: the first whose driver's end the Job does not know yet.

        The Job may have counted more than drivers that failed (a pod that never ran; before Kubernetes 1.26 each
        submitter that was lost), and may be about to count one: a driver that did not fail is never passed over, one
        that did is told of again only where the Job does not count it within seconds.
        """
        attempt = looks = 0
        while True:
            driver = self._look_at(self._driver_of(attempt))
            if driver is not None and not _is_lost(driver):
                return attempt
            if attempt < kube.patiently(self._failures):
                attempt += 1
            elif driver is None or looks == _LOOKS:
                return attempt
            else:
                looks += 1
                time.sleep(0.5)

    def _look_at(self, driver: str) -> Any:
        """A driver of this Job, or None.

        Raises:
            FailedError: a pod of another maker has its name; it is not believed.
        """
        pod = kube.patiently(lambda: _or_none(f"{self._pods}/{driver}"))
        if pod is None:
            return None
        owners = [owner["uid"] for owner in pod["metadata"].get("ownerReferences", [])]
        if self._job["uid"] in owners and pod["metadata"].get("labels", {}).get("spark-role") == "driver":
            return pod
        raise FailedError(
            EXIT_CODE, f"pod {driver} is there and is no driver of this Job: delete it, and find who made it"
        )

    def _failures(self) -> int:
        """How many failed pods the Job has counted."""
        status = kube.ask("GET", self._job_path)["status"]
        return int(status.get("failed", 0)) + len(status.get("uncountedTerminatedPods", {}).get("failed", []))

    def _found(self) -> Any:
        """The driver, or None; one whose submitter died before all was made can never start, and is removed."""
        driver = self._look_at(self._driver)
        if driver is not None and kube.patiently(lambda: self._half_made(driver)):
            _say(f"driver {self._driver} was left half made; removing it")
            self._delete_driver()
            kube.patiently(self._wait_until_gone)
            return None
        return driver

    def _half_made(self, driver: Any) -> bool:
        if driver["status"]["phase"] != "Pending":
            return False
        maps = [volume["configMap"]["name"] for volume in driver["spec"]["volumes"] if "configMap" in volume]
        # Spark makes the driver's own ConfigMap last, after all else that the driver needs.
        of_spark = [name for name in maps if name.startswith("spark-drv-")]
        folder = f"/api/v1/namespaces/{self._namespace}/configmaps"
        return any(_or_none(f"{folder}/{name}") is None for name in of_spark)

    def _submitted(self, argv: list[str]) -> Any:
        """Submit until there is a driver."""
        template = json.loads((_FOLDER / "driver.json").read_text())
        # Not as controller: the Job must not take the driver for one of its own pods.
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": self._job["name"], "uid": self._job["uid"]}
        template["metadata"]["ownerReferences"] = [owner]
        _TEMPLATE.write_text(json.dumps(template))
        tries = 0
        while True:
            output, error = self._spark_submit_once(argv)
            driver = self._found()
            if driver is not None:
                return driver
            refusal = next((refusal for line in output if (refusal := refusal_of(line))), "")
            if "exceeded quota" in refusal and not _FAIL_FAST:
                _say(f"the driver is refused: {refusal}; trying again in {_QUOTA_PAUSE_S} s")
                time.sleep(_QUOTA_PAUSE_S)
                continue
            tries += 1
            if tries == _TRIES or not any(_TROUBLE.search(line) for line in output):
                raise FailedError(EXIT_CODE, f"the driver is refused: {refusal}" if refusal else f"no driver: {error}")
            time.sleep(2**tries)

    def _spark_submit_once(self, argv: list[str]) -> tuple[list[str], str]:
        """What spark-submit printed, and the last error in it."""
        named = (
            f"spark.kubernetes.driver.pod.name={self._driver}",
            f"spark.kubernetes.driver.podTemplateFile={_TEMPLATE}",
        )
        prefix = "spark.kubernetes.executor.podNamePrefix=" + self._driver[: -len("-driver")]
        confs = [word for conf in (*named, prefix, *of_ipv6(os.environ, argv)) for word in ("--conf", conf)]
        _say(f"submitting driver {self._driver}")
        self._spark_submit = subprocess.Popen(
            [f"{os.environ.get('SPARK_HOME', '/opt/spark')}/bin/spark-submit", *confs, *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._spark_submit.stdout
        error, output = LastError(), deque[str](maxlen=_LINES)
        error.know(self._addresses)
        for line in pass_on(self._spark_submit.stdout, sys.stdout.buffer):
            error.read(line)
            output.append(line)
        self._spark_submit.wait()
        return list(output), error.line

    def _end_of(self, uid: str) -> Any:
        """The driver pod when it has ended, or None if it was deleted."""
        watch = f"{self._pods}?watch=true&timeoutSeconds=50&fieldSelector=metadata.name%3D{self._driver}"
        while True:
            pod = kube.patiently(lambda: _or_none(self._path))
            if pod is None or pod["metadata"]["uid"] != uid:
                return None
            if _has_ended(pod):
                return pod
            self._fail_fast(pod)
            try:
                for line in kube.lines(f"{watch}&resourceVersion={pod['metadata']['resourceVersion']}"):
                    event = kube.read(line)
                    if event["type"] != "MODIFIED":
                        break  # deleted, or the API server forgot the version: ask again
                    if _has_ended(event["object"]):
                        return event["object"]
                    self._fail_fast(event["object"])
            except (kube.RefusedError, *kube.AWAY):
                time.sleep(0.5)

    def _fail_fast(self, pod: Any) -> None:
        if not _FAIL_FAST:
            return
        reason = _never_starts(pod) or (self._log.refused.is_set() and f"executors are refused: {self._log.refusal}")
        if reason:
            self._delete_driver()
            raise FailedError(EXIT_CODE, reason)

    def _delete_driver(self) -> None:
        def delete() -> None:
            try:
                kube.ask("DELETE", self._path)
            except kube.RefusedError as refused:
                if refused.status != 404:
                    raise

        kube.patiently(delete)

    def _wait_until_gone(self) -> None:
        while _or_none(self._path) is not None:
            time.sleep(0.5)


def _is_over(job: Any) -> bool:
    conditions = job["status"].get("conditions", [])
    failed = any(c["type"] in ("Failed", "FailureTarget") and c["status"] == "True" for c in conditions)
    return failed or bool(job["spec"].get("suspend"))


def _or_none(path: str) -> Any:
    try:
        return kube.ask("GET", path)
    except kube.RefusedError as refused:
        if refused.status == 404:
            return None
        raise


def _driver_state(pod: Any) -> dict[str, Any]:
    """The state of Spark's container in a driver pod."""
    statuses = pod["status"].get("containerStatuses", [])
    return next((status["state"] for status in statuses if status["name"] == "driver"), {})


def _has_ended(pod: Any) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed") or "terminated" in _driver_state(pod)


def _is_lost(pod: Any) -> bool:
    """Whether a driver has failed, or goes."""
    return _verdict(pod)[0] != 0 if _has_ended(pod) else "deletionTimestamp" in pod["metadata"]


def _never_starts(pod: Any) -> str:
    waiting = _driver_state(pod).get("waiting", {})
    if waiting.get("reason") in _NEVER_STARTS:
        return f"the driver does not start: {waiting['reason']}: {waiting.get('message', '')}"
    return ""


def _verdict(pod: Any) -> tuple[int, str]:
    """Exit code of an ended driver, and why, where Kubernetes knows better than the driver's log."""
    terminated = _driver_state(pod).get("terminated")
    status = pod["status"]
    if terminated is None:
        return (0, "") if status["phase"] == "Succeeded" else (1, f"{status.get('reason')}: {status.get('message')}")
    code = int(terminated["exitCode"])
    if terminated.get("reason") == "OOMKilled":
        return code or 137, "the driver was killed for lack of memory: raise driver.memory or driver.memoryOverhead"
    if code == 0 and status["phase"] == "Failed":
        return 1, f"{status.get('reason')}: {status.get('message')}"
    return code, f"{status['reason']}: {status.get('message')}" if status.get("reason") else ""


def _say(text: str) -> None:
    print(f"kindling: {text}", flush=True)


def _terminate(*_: object) -> NoReturn:
    raise Terminated


def of_ipv6(environment: Mapping[str, str], argv: list[str]) -> list[str]:
    """Settings of a cluster whose addresses are of IPv6, where Spark's defaults are for IPv4; the user's own go first.

    Spark 4.1 and newer take the address of the driver's pod for its host, without the brackets that they ask for
    (SPARK-58719). The name of its Service has none, and is the host in older ones too.
    """
    if ":" not in environment.get("KUBERNETES_SERVICE_HOST", ""):
        return []
    settings = ["spark.kubernetes.driver.service.ipFamilies=IPv6", "spark.kubernetes.executor.useDriverPodIP=false"]
    properties = Path(argv[argv.index("--properties-file") + 1]).read_text()
    return [setting for setting in settings if f"\n{setting.partition('=')[0]}=" not in f"\n{properties}"]


def main(argv: list[str]) -> int:
    """Run one attempt; return the exit code of its driver."""
    signal.signal(signal.SIGTERM, _terminate)
    submission = None
    try:
        submission = Submission()
        submission.run(argv)
    except (FailedError, kube.RefusedError) as failed:
        # Who asks this pod to go now would have its successor tell the same again.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _say(str(failed))
        leave_message(str(failed))
        return failed.code if isinstance(failed, FailedError) else EXIT_CODE
    except Terminated:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if submission is not None:
            submission.leave()
        return 128 + signal.SIGTERM
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
