"""What a cluster has, and waiting for what it does: by watches with deadlines, never by sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from chartproof.manifest import Manifest

T = TypeVar("T")
_GONE = 410  # the API server no longer has the version that a watch began at


class WaitTimeoutError(AssertionError):
    """Something did not happen in time; the message says what was waited for and what was last seen."""


@dataclass(frozen=True)
class JobEnd:
    """How a Job ended.

    Attributes:
        name: the Job's name.
        succeeded: whether it is Complete.
        reason: reason of its Failed condition, "BackoffLimitExceeded"; "" if it succeeded.
        exit_codes: exit code of the first container of each of its pods, oldest pod first; None for a pod without one.
        messages: termination message of each, in the same order.
    """

    name: str
    succeeded: bool
    reason: str
    exit_codes: tuple[int | None, ...]
    messages: tuple[str, ...]


class Cluster:
    """The API of one cluster.

    Attributes:
        core, batch, apps, networking, rbac, authorization: the API groups as the official client offers them.
    """

    def __init__(self, kubeconfig: Path) -> None:
        api = config.new_client_from_config(str(kubeconfig))
        self.kubeconfig = kubeconfig
        self.api_client = api
        self.core: Any = client.CoreV1Api(api)
        self.batch: Any = client.BatchV1Api(api)
        self.apps: Any = client.AppsV1Api(api)
        self.networking: Any = client.NetworkingV1Api(api)
        self.rbac: Any = client.RbacAuthorizationV1Api(api)
        self.authorization: Any = client.AuthorizationV1Api(api)
        self._kinds: dict[str, Any] = {}

    def wait_for(
        self,
        listing: Callable[..., Any],
        found: Callable[[Any, str], T | None],
        what: str,
        deadline_s: float,
        **where: Any,
    ) -> T:
        """Watch a listing until ``found`` returns something for an object of it.

        Args:
            listing: a list call of the client, ``cluster.batch.list_namespaced_job``.
            found: asked with each object that appears or changes and the event's type ("ADDED", "MODIFIED",
                "DELETED"); its first result that is not None is returned.
            what: what is waited for, for the error.
            deadline_s: seconds until WaitTimeoutError.
            where: arguments of the list call (namespace, label_selector, …).
        """
        end = time.monotonic() + deadline_s
        last = "nothing"
        while (left := end - time.monotonic()) > 0:
            try:
                for event in watch.Watch().stream(listing, timeout_seconds=max(1, int(left)), **where):
                    result = found(event["object"], event["type"])
                    if result is not None:
                        return result
                    last = f"{event['type']} {event['object'].metadata.name}: {event['raw_object'].get('status')}"
                    if time.monotonic() > end:
                        break
            except ApiException as error:
                if error.status != _GONE:
                    raise
        raise WaitTimeoutError(f"not within {deadline_s:.0f} s: {what}; last seen: {last}")

    def job_end(self, namespace: str, selector: str, deadline_s: float) -> JobEnd:
        """Wait until the Job with some labels is Complete or Failed."""

        def ended(job: Any, _: str) -> tuple[str, bool, str] | None:
            for condition in job.status.conditions or []:
                if condition.status == "True" and condition.type in ("Complete", "Failed"):
                    succeeded = condition.type == "Complete"
                    return job.metadata.name, succeeded, "" if succeeded else condition.reason
            return None

        listing = self.batch.list_namespaced_job
        what = f"end of the Job with {selector} in {namespace}"
        name, succeeded, reason = self.wait_for(
            listing, ended, what, deadline_s, namespace=namespace, label_selector=selector
        )
        ends = [_terminated(pod) for pod in self.job_pods(namespace, name)]
        return JobEnd(
            name=name,
            succeeded=succeeded,
            reason=reason,
            exit_codes=tuple(end.exit_code if end else None for end in ends),
            messages=tuple((end.message or "") if end else "" for end in ends),
        )

    def job_pods(self, namespace: str, job: str) -> list[Any]:
        """The pods of a Job, oldest first."""
        pods: list[Any] = self.core.list_namespaced_pod(
            namespace, label_selector=f"batch.kubernetes.io/job-name={job}"
        ).items
        return sorted(pods, key=lambda pod: pod.metadata.creation_timestamp)

    def job_log(self, namespace: str, job: str) -> str:
        """What the newest pod of a Job printed."""
        newest = self.job_pods(namespace, job)[-1]
        return str(self.core.read_namespaced_pod_log(newest.metadata.name, namespace))

    def wait_for_log(self, namespace: str, pod: str, words: str, deadline_s: float) -> str:
        """Follow a pod's log until a line has some words; return that line."""
        end = time.monotonic() + deadline_s
        stream = self.core.read_namespaced_pod_log(
            pod, namespace, follow=True, _preload_content=False, _request_timeout=deadline_s
        )
        text, why = "", f"the log of pod {pod} ended without {words!r}"
        late = f"not within {deadline_s:.0f} s: {words!r} in the log of pod {pod}"
        try:
            for line in stream:
                if words in (text := line.decode(errors="replace")):
                    return str(text)
                if time.monotonic() > end:
                    why = late
                    break
        except ReadTimeoutError:
            why = late
        raise WaitTimeoutError(f"{why}; last line: {text.strip()[:1000]!r}")

    def wait_until_answering(self, deadline_s: float) -> None:
        """Wait until the API server answers; nothing can be watched while it is away."""
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            try:
                self.core.list_namespace(limit=1, _request_timeout=5)
                return
            except (ApiException, HTTPError, OSError):
                time.sleep(1)
        raise WaitTimeoutError(f"no answer of the API server within {deadline_s:.0f} s")

    def manifest(self, namespace: str) -> Manifest:
        """Every object in a namespace, of every kind that can be listed; events apart."""
        return _manifest(self._objects(namespace))

    def live(self, manifest: Manifest, namespace: str) -> Manifest:
        """The objects of a manifest as they are in the cluster now; those that are not there are left out.

        Args:
            manifest: names the objects.
            namespace: of those for which it names none.
        """
        found = []
        for wanted in manifest:
            kind = self._dynamic.resources.get(api_version=wanted.body["apiVersion"], kind=wanted.kind)
            with suppress(dynamic.exceptions.NotFoundError):
                where = {"namespace": wanted.namespace or namespace} if kind.namespaced else {}
                found.append(kind.get(name=wanted.name, **where).to_dict())
        return _manifest(found)

    def inventory(self, namespace: str) -> set[str]:
        """ "Kind/name" of every object in a namespace, of every kind that can be listed; events apart."""
        return {f"{body['kind']}/{body['metadata']['name']}" for body in self._objects(namespace)}

    def _objects(self, namespace: str) -> Iterator[dict[str, Any]]:
        if not self._kinds:
            # Of a kind with several versions, the one that the API server prefers is the last.
            for resource in sorted(self._dynamic.resources.search(), key=lambda resource: bool(resource.preferred)):
                listable = (
                    resource.namespaced and "list" in (resource.verbs or []) and not resource.kind.endswith("List")
                )
                if listable and resource.kind not in ("Event", "PodMetrics"):
                    self._kinds[resource.kind] = resource
        for resource in self._kinds.values():
            with suppress(dynamic.exceptions.NotFoundError):  # a kind of a definition that went since
                yield from resource.get(namespace=namespace).to_dict()["items"]

    @cached_property
    def _dynamic(self) -> Any:
        return dynamic.DynamicClient(self.api_client)

    def wait_for_inventory(self, namespace: str, expected: set[str], deadline_s: float) -> None:
        """Wait until a namespace holds nothing but what is expected; no watch spans all kinds, so it is asked again."""
        end = time.monotonic() + deadline_s
        while left := self.inventory(namespace) - expected:
            if time.monotonic() > end:
                raise WaitTimeoutError(f"not gone within {deadline_s:.0f} s: {', '.join(sorted(left))}")
            time.sleep(1)

    def wait_until_none(self, listing: Callable[..., Any], what: str, deadline_s: float, **where: Any) -> None:
        """Watch a listing until it is empty."""
        left = {item.metadata.uid for item in listing(**where).items}
        if not left:
            return

        def removed(item: Any, event: str) -> bool | None:
            if event == "DELETED":
                left.discard(item.metadata.uid)
            else:
                left.add(item.metadata.uid)
            return None if left else True

        self.wait_for(listing, removed, what, deadline_s, **where)


def _terminated(pod: Any) -> Any:
    statuses = pod.status.container_statuses or []
    return statuses[0].state.terminated if statuses else None


def _manifest(bodies: Iterable[dict[str, Any]]) -> Manifest:
    objects = list(bodies)
    return Manifest(yaml.safe_dump_all(objects), objects)
