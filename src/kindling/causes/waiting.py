"""Why a pod that exists does not start: its node, its image, what it takes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from kindling.causes import chart_values
from kindling.facts import Container, Evidence, Finding, Pod

_IMAGE_REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
)
_MISSING = re.compile(r'(secret|configmap) "([^"]+)" not found', re.IGNORECASE)
_NO_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+)", re.IGNORECASE)
_NO_MOUNTED_KEY = re.compile(r"references non-existent (secret|config) key: (\S+)")
_VOLUME = re.compile(r'volume "([^"]+)"')
_KIND = {"secret": "Secret", "configmap": "ConfigMap", "config": "ConfigMap"}
_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" not found')
_SHORT = re.compile(r"Insufficient ([\w./-]*\w)")
_ROOT = re.compile(
    r"image will run as root|image has non-numeric user \(([^)]{0,256})\)|(runAsUser breaks non-root policy)"
)
_OF_SPARK = re.compile(
    r"spark-(?:drv|exec)-[0-9a-f]{1,64}-conf-map|.{1,253}-(?:driver-podspec-conf-map|hadoop-config|krb5-file"
    r"|kerberos-keytab|delegation-tokens)|.{1,253}-(?:driver|exec-\d{1,9})-pvc-\d{1,9}"
)
"""Names of what Spark makes a moment after the pod that needs it."""
_UNSYNCED = ("failed to sync ", " not registered", '"kube-root-ca.crt" not found')
"""What a kubelet says of a pod or a namespace that is so new that it has not read all of it."""
_NOT_BOUND = "unbound immediate PersistentVolumeClaims"
_TAINT = re.compile(r"untolerated taint(?:\(s\))? ?(\{[^}]{0,512}\})?")


def explain_waiting(pod: Pod) -> Finding | None:
    """Why a pending pod waits; None if nothing keeps it."""
    if pod.phase not in ("Pending", "Unknown"):
        return None
    return next((finding for cause in _CAUSES if (finding := cause(pod))), None)


def _scheduling(pod: Pod) -> Finding | None:
    if not pod.unscheduled:
        return None
    message = pod.unscheduled.partition(": ")[2]
    if pod.is_young and _NOT_BOUND in message:
        return None
    claim, short, taint = _CLAIM.search(message), _SHORT.findall(message), _TAINT.search(message)
    if claim and _OF_SPARK.fullmatch(claim[1]):
        if pod.is_young:
            return None
        return _left_half_made(pod, "PersistentVolumeClaim", claim[1], Evidence(f"Pod/{pod.name}", message))
    if claim:
        what, cure = (
            f"PersistentVolumeClaim {claim[1]} does not exist",
            f"make the claim {claim[1]} or correct {_claims(pod)}",
        )
    elif short:
        things = ", ".join(dict.fromkeys(short))
        what = f"no node has enough {things} left{_asked(pod, short)}"
        cure = f"wait until other pods end, ask for less ({_values(pod, short)}), or add nodes"
    elif "node affinity/selector" in message:
        what = "no node has the labels that it asks for"
        cure = f"correct {_of(pod, 'nodeSelector')} or {_of(pod, 'affinity')}, or label a node"
    elif taint:
        what = f"all nodes that would do have a taint {taint[1] or ''}".rstrip()
        cure = f"tolerate it by {_of(pod, 'tolerations')}, or use other nodes"
    elif _NOT_BOUND in message:
        what = "its PersistentVolumeClaim has no volume"
        where = chart_values.class_of_home(pod.role, pod.chart)
        cure = f"give the claim a StorageClass that exists{where}, or wait for its volume"
    elif "topology spread" in message:
        what = "its topology spread constraints cannot be met"
        cure = f"loosen {_of(pod, 'topologySpreadConstraints')}"
    elif "SchedulingGated" in pod.unscheduled:
        what, cure = "a scheduling gate holds it", "ask whoever set the gate (a queue such as Kueue)"
    else:
        what, cure = message, "see what the scheduler says of each node below"
    return _finding("unschedulable", pod, f"finds no node: {what}", cure, Evidence(f"Pod/{pod.name}", message))


def _image(pod: Pod) -> Finding | None:
    container = next((c for c in pod.containers if c.state == "waiting" and c.reason in _IMAGE_REASONS), None)
    if container is None:
        return None
    told = [
        e
        for e in pod.events
        if e.reason in ("Failed", "InspectFailed") and "pull" in e.message and container.image in e.message
    ]
    evidence = Evidence(f"Pod/{pod.name}", told[-1].message if told else f"{container.reason}: {container.message}")
    return _finding(
        "image-not-pulled",
        pod,
        f"cannot have image {container.image}: {_why_no_image(evidence.message, container)}",
        _cure_of_image(pod, evidence.message, container),
        evidence,
    )


_REFUSED = ("unauthorized", "authorization failed", "denied", "forbidden")
_SILENT = (
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection refused",
    "connection reset",
    "no route to host",
    "network is unreachable",
    "no such host",
    "server misbehaving",
)
_NO_IMAGE = (
    (("toomanyrequests", "too many requests"), "its registry limits how many are pulled, and has no more for us now"),
    (("x509: ",), "the nodes do not trust the certificate of its registry"),
    (("server gave http response",), "its registry speaks no TLS, and the nodes ask by TLS"),
    (("no such host", "server misbehaving"), "its registry's name is not known"),
    (_REFUSED, "its registry refuses us"),
    (_SILENT, "its registry does not answer"),
    (("not found", "manifest unknown"), "there is none of that name"),
)
"""What container runtimes say of an image that they do not get, and what it means."""


def _why_no_image(message: str, container: Container) -> str:
    for words, why in _NO_IMAGE:
        if any(word in message.lower() for word in words):
            return why
    if container.reason == "ErrImageNeverPull":
        return "it is not on the node, and image.pullPolicy is Never"
    return container.message or container.reason


def _cure_of_image(pod: Pod, message: str, container: Container) -> str:
    if container.name != pod.main.name:
        names = f"the image of container {container.name} in {_other_containers(pod)}"
        policy = "its imagePullPolicy"
    else:
        names, policy = chart_values.image(pod.role, pod.chart), "image.pullPolicy"
    if container.reason == "ErrImageNeverPull":
        return f"load the image into the nodes, or set {policy} to IfNotPresent"
    if any(words in message.lower() for words in _REFUSED):
        cure = f"give credentials by image.pullSecrets, and check {names}"
    elif any(words in message.lower() for words in _SILENT):
        cure = f"correct {names}, ask the cluster's admin whether nodes reach the registry"
    else:
        cure = f"correct {names}, or load the image into the nodes"
    if container.pull_policy == "Always":
        cure += (
            f"; if the nodes have the image, set {policy} to IfNotPresent: Always asks the registry at each start "
            "(a site may demand it by guard.imagePullPolicies of spark-namespace)"
        )
    return cure


def _root(pod: Pod, container: Container, evidence: Evidence) -> Finding | None:
    """What kubelets say of runAsNonRoot, which no API server can check: it does not know the image."""
    match = _ROOT.search(container.message)
    if match is None:
        return None
    if match[2]:
        what = f"says runAsNonRoot, and container {container.name} runAsUser: 0"
        return _finding("root-user", pod, what, "set a runAsUser that is not 0 (Spark's is 185)", evidence)
    user = f"user {match[1]} has no number" if match[1] else "user is root"
    return _finding(
        "root-user",
        pod,
        f"must not run as root, and the {user} in image {container.image}",
        f"set runAsUser for container {container.name} (Spark's is 185), or give the image a line such as USER 185",
        evidence,
    )


def _configuration(pod: Pod) -> Finding | None:
    for container in pod.containers:
        if container.state == "waiting" and container.reason == "CreateContainerConfigError":
            evidence = Evidence(f"Pod/{pod.name}", f"{container.reason}: {container.message}")
            return (
                _root(pod, container, evidence)
                or _missing(pod, container.message, f"{_of(pod, 'env')} or {_of(pod, 'envFrom')}", evidence)
                or _finding(
                    "container-config",
                    pod,
                    f"cannot be started: {container.message}",
                    "correct what is named there",
                    evidence,
                )
            )
        if container.state == "waiting" and container.reason in ("CreateContainerError", "RunContainerError"):
            evidence = Evidence(f"Pod/{pod.name}", f"{container.reason}: {container.message}")
            return _finding(
                "container-not-started",
                pod,
                f"cannot be started: {container.message}",
                "correct what is named there",
                evidence,
            )
    return None


def explain_first_container(pod: Pod) -> Finding | None:
    """An init container that failed: once, where that ended the pod as a Job's, else again and again."""
    over = pod.phase == "Failed"
    for container in pod.containers[1:]:
        last = container.ended
        if container.state != "running" and last is not None and last.exit_code:
            code, said = f"exit code {last.exit_code}", " ".join(last.message.split()[-40:])
            how = f"failed: its container {container.name} ended with {code}"
            if not over:
                how = f"is not ready: its container {container.name} ends with {code} again and again"
            return _finding(
                "container-fails",
                pod,
                how + (f": {said}" if said else ""),
                f"correct what it says, or take it out of {_other_containers(pod)}; its log: "
                f"kubectl logs {'' if over else '--previous '}{pod.name} --container {container.name}",
                Evidence(f"Pod/{pod.name}", f"container {container.name}: {last.reason}, {code}"),
            )
    return None


def _mount(pod: Pod) -> Finding | None:
    told = [event.message for event in pod.events if event.reason in ("FailedMount", "FailedAttachVolume")]
    if pod.main.state == "running":
        return None
    if pod.is_young:
        told = [message for message in told if not _comes_yet(message)]
    # What Spark makes is told of last: where its driver is left half made, nobody can mend it by making the rest.
    others = [message for message in told if not _made_by_spark(message)]
    return _not_mounted(pod, (others or told)[-1]) if told else None


def _comes_yet(message: str) -> bool:
    return _made_by_spark(message) is not None or any(words in message for words in _UNSYNCED)


def _made_by_spark(message: str) -> re.Match[str] | None:
    """What a message says is missing, if Spark makes it."""
    missing = _MISSING.search(message)
    return missing if missing and _OF_SPARK.fullmatch(missing[2]) else None


def _not_mounted(pod: Pod, message: str) -> Finding:
    evidence = Evidence(f"Pod/{pod.name}", message)
    if missing := _made_by_spark(message):
        return _left_half_made(pod, _KIND[missing[1].lower()], missing[2], evidence)
    volume = _VOLUME.search(message)
    where = chart_values.volumes(volume[1] if volume else "", pod.chart)
    return _missing(pod, message, where, evidence) or _finding(
        "volume-not-mounted", pod, f"cannot be given its volume: {message}", f"correct {where}", evidence
    )


def _left_half_made(pod: Pod, kind: str, name: str, evidence: Evidence) -> Finding:
    """What Spark makes after the pod, and did not within the time that a start takes."""
    maker, again = ("spark-submit", "submit again") if pod.role == "driver" else ("the driver", "makes another")
    return _finding(
        "half-made",
        pod,
        f"was left half made: {maker} made it, and not {kind} {name}, which comes next: it was ended, or refused",
        f"kubectl delete pod {pod.name}, and {again}"
        if pod.role == "driver"
        else f"kubectl delete pod {pod.name}: {maker} {again}",
        evidence,
    )


def _missing(pod: Pod, message: str, where: str, evidence: Evidence) -> Finding | None:
    if match := _MISSING.search(message):
        kind, name = _KIND[match[1].lower()], match[2]
        return _finding(
            f"missing-{kind.lower()}",
            pod,
            f"needs {kind} {name}, which does not exist",
            f"make {kind} {name}, or correct {where}",
            evidence,
        )
    if match := _NO_KEY.search(message):
        kind, name = _KIND[match[2].lower()], match[3].partition("/")[2]
        what = f"needs key {match[1]} of {kind} {name}, which has none of that name"
        return _finding(
            f"missing-{kind.lower()}", pod, what, f"add the key to {kind} {name}, or correct {where}", evidence
        )
    if match := _NO_MOUNTED_KEY.search(message):
        kind = _KIND[match[1].lower()]
        what = f"needs key {match[2]} of a {kind}, which has none of that name"
        return _finding(
            f"missing-{kind.lower()}", pod, what, f"add the key to the {kind}, or correct {where}", evidence
        )
    return None


def _finding(cause: str, pod: Pod, what: str, cure: str, evidence: Evidence) -> Finding:
    return Finding(cause, pod.role, f"the {pod.role} pod {what}", cure, (evidence,))


def _other_containers(pod: Pod) -> str:
    return " or ".join(dict.fromkeys((_of(pod, "initContainers"), _of(pod, "sidecars"))))


def _of(pod: Pod, name: chart_values.Name) -> str:
    return chart_values.of(name, pod.role)


def _asked(pod: Pod, short: list[str]) -> str:
    asked = {"cpu": pod.main.cpu, "memory": pod.main.memory}
    text = ", ".join(f"{asked[what]} of {what}" for what in dict.fromkeys(short) if asked.get(what))
    return f" (it asks for {text})" if text else ""


def _values(pod: Pod, short: list[str]) -> str:
    role = pod.role
    if role == "submitter":
        return chart_values.requests(role, pod.chart)
    names = {"cpu": _of(pod, "requestCores"), "memory": chart_values.memory(role, pod.chart)}
    return ", ".join(dict.fromkeys(names.get(what, _of(pod, "podTemplate")) for what in short))


def _claims(pod: Pod) -> str:
    """The values that name claims."""
    home = chart_values.volumes("home", pod.chart)
    return "volumes" if home.startswith("volumes") else f"{home} or volumes"


_CAUSES: tuple[Callable[[Pod], Finding | None], ...] = (
    _scheduling,
    _image,
    _configuration,
    explain_first_container,
    _mount,
)
