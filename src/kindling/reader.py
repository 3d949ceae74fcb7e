"""Reads of one namespace, each of which the caller may lack the right to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from kindling import paging
from kindling.connection import TIMEOUT_S, Connection

MOST_OBJECTS = 10_000
"""Of a kind that are read."""
LOG_BYTES = 4 * 1024 * 1024
"""Of a log that are read: 3,000 lines of Spark's have half a megabyte."""
_VERSIONS_OF_KUEUE = ("v1beta2", "v1beta1")
_FORBIDDEN, _NOT_FOUND, _BAD_REQUEST = 403, 404, 400


class Reader:
    """Jobs and Kueue's Workloads of them, CronJobs, what keeps drivers that last, pods, events and logs; nothing else.

    Attributes:
        unread: what the API server refused to show: "events in team-a", each once.
    """

    def __init__(self, connection: Connection) -> None:
        self._namespace = connection.namespace
        self._core: Any = client.CoreV1Api(connection.api)
        self._batch: Any = client.BatchV1Api(connection.api)
        self._apps: Any = client.AppsV1Api(connection.api)
        self._custom: Any = client.CustomObjectsApi(connection.api)
        self.unread: list[str] = []

    def jobs(self, selector: str) -> list[Any]:
        """Jobs with some labels, oldest first."""
        return _by_age(self._list("jobs", self._batch.list_namespaced_job, label_selector=selector))

    def cron_jobs(self, selector: str) -> list[Any]:
        """CronJobs with some labels."""
        return self._list("cronjobs", self._batch.list_namespaced_cron_job, label_selector=selector)

    def servers(self, selector: str) -> list[Any]:
        """StatefulSets and Deployments with some labels, oldest first."""
        sets = self._list("statefulsets", self._apps.list_namespaced_stateful_set, label_selector=selector)
        others = self._list("deployments", self._apps.list_namespaced_deployment, label_selector=selector)
        return _by_age(sets + others)

    def pods(self, selector: str) -> list[Any]:
        """Pods with some labels, oldest first."""
        return _by_age(self._list("pods", self._core.list_namespaced_pod, label_selector=selector))

    def events(self, selector: str) -> list[Any]:
        """Events by their fields."""
        return self._list("events", self._core.list_namespaced_event, field_selector=selector)

    def job(self, name: str) -> Any:
        """A Job, or None."""
        return self._get("jobs", self._batch.read_namespaced_job, name)

    def cron_job(self, name: str) -> Any:
        """A CronJob, or None."""
        return self._get("cronjobs", self._batch.read_namespaced_cron_job, name)

    def stateful_set(self, name: str) -> Any:
        """A StatefulSet, or None."""
        return self._get("statefulsets", self._apps.read_namespaced_stateful_set, name)

    def deployment(self, name: str) -> Any:
        """A Deployment, or None."""
        return self._get("deployments", self._apps.read_namespaced_deployment, name)

    def replica_set(self, name: str) -> Any:
        """A ReplicaSet, or None."""
        return self._get("replicasets", self._apps.read_namespaced_replica_set, name)

    def pod(self, name: str) -> Any:
        """A pod, or None."""
        return self._get("pods", self._core.read_namespaced_pod, name)

    def queued(self, job_uid: str) -> dict[str, Any] | None:
        """Kueue's Workload of a Job, as JSON; None where there is none, or no Kueue."""
        for version in _VERSIONS_OF_KUEUE:
            try:
                answer = self._custom.list_namespaced_custom_object(
                    "kueue.x-k8s.io",
                    version,
                    self._namespace,
                    "workloads",
                    label_selector=f"kueue.x-k8s.io/job-uid={job_uid}",
                    limit=1,
                    _request_timeout=TIMEOUT_S,
                )
            except ApiException as error:
                if error.status == _FORBIDDEN:
                    self._refused("workloads")
                    return None
                if error.status != _NOT_FOUND:
                    raise
                continue
            return next(iter(answer["items"]), None)
        return None

    def log(self, pod: str, container: str, lines: int, *, before: bool = False) -> list[str]:
        """The last lines of a container's log; none if it has not started or its node does not answer.

        Those of ``before`` it was started again, if that is asked for.

        Fewer where they have more than ``LOG_BYTES``: a limit of bytes is counted from the first line that is asked
        for, and the end is what matters.
        """
        while True:
            text = self._end_of_log(pod, container, lines, before)
            if len(text) < LOG_BYTES or lines == 1:
                return text.decode(errors="replace").splitlines()[-lines:]
            lines = max(1, lines // 10)

    def _end_of_log(self, pod: str, container: str, lines: int, before: bool) -> bytes:
        try:
            answer = self._core.read_namespaced_pod_log(
                pod,
                self._namespace,
                container=container,
                previous=before,
                tail_lines=lines,
                limit_bytes=LOG_BYTES,
                _request_timeout=TIMEOUT_S,
                _preload_content=False,
            )
        except ApiException as error:
            if error.status == _FORBIDDEN:
                self._refused("pods/log")
            elif error.status not in (_BAD_REQUEST, _NOT_FOUND) and error.status < 500:
                raise
            return b""
        return bytes(answer.data)

    def _list(self, what: str, listing: Callable[..., Any], **selectors: Any) -> list[Any]:
        found: list[Any] = []
        try:
            for item in paging.items(listing, self._namespace, most=MOST_OBJECTS, **selectors):
                found.append(item)
        except ApiException as error:
            if error.status != _FORBIDDEN:
                raise
            self._refused(what)
        except paging.TooManyError:
            self._unread(f"{what} in {self._namespace} beyond the first {MOST_OBJECTS}")
        return found

    def _get(self, what: str, read: Callable[..., Any], name: str) -> Any:
        try:
            return read(name, self._namespace, _request_timeout=TIMEOUT_S)
        except ApiException as error:
            if error.status == _FORBIDDEN:
                self._refused(what)
            elif error.status not in (_NOT_FOUND, _BAD_REQUEST):
                raise
            return None

    def _refused(self, what: str) -> None:
        self._unread(f"{what} in {self._namespace}")

    def _unread(self, text: str) -> None:
        if text not in self.unread:
            self.unread.append(text)


def _by_age(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: (item.metadata.creation_timestamp, item.metadata.name))
