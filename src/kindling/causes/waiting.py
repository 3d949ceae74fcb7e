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
    claim, short, taint = _CLAIM.search(message), _SHORT.findall(message), _TAINT.search(message)
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
        cure = f"correct {_placed_by(pod)}.nodeSelector or {_placed_by(pod)}.affinity, or label a node"
    elif taint:
        what = f"all nodes that would do have a taint {taint[1] or ''}".rstrip()
        cure = f"tolerate it by {_placed_by(pod)}.tolerations, or use other nodes"
    elif "unbound immediate PersistentVolumeClaims" in message:
        what, cure = (
            "its PersistentVolumeClaim has no volume",
            f"give the claim a StorageClass that exists{_class_of_home(pod)}, or wait for its volume",
        )
    elif "topology spread" in message:
        what, cure = "its topology spread constraints cannot be met", f"loosen {pod.role}.topologySpreadConstraints"
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
        _cure_of_image(evidence.message, container),
        evidence,
    )


def _why_no_image(message: str, container: Container) -> str:
    for words, why in (
        ("not found", "there is none of that name"),
        ("no such host", "its registry's name is not known"),
        ("manifest unknown", "there is none of that name"),
        ("unauthorized", "its registry refuses us"),
        ("authorization failed", "its registry refuses us"),
        ("denied", "its registry refuses us"),
        ("timeout", "its registry does not answer"),
        ("connection refused", "its registry does not answer"),
    ):
        if words in message.lower():
            return why
    if container.reason == "ErrImageNeverPull":
        return "it is not on the node, and image.pullPolicy is Never"
    return container.message or container.reason


def _cure_of_image(message: str, container: Container) -> str:
    if container.reason == "ErrImageNeverPull":
        return "load the image into the nodes, or set image.pullPolicy to IfNotPresent"
    if any(words in message.lower() for words in ("unauthorized", "authorization failed", "denied")):
        return "give credentials by image.pullSecrets, and check image.registry, image.repository and image.tag"
    return "correct image.registry, image.repository or image.tag, or load the image into the nodes"


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
                or _missing(pod, container.message, f"{pod.role}.env or {pod.role}.envFrom", evidence)
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
                f"correct what it says, or take it out of {pod.role}.initContainers or {pod.role}.sidecars; its log: "
                f"kubectl logs {'' if over else '--previous '}{pod.name} --container {container.name}",
                Evidence(f"Pod/{pod.name}", f"container {container.name}: {last.reason}, {code}"),
            )
    return None


def _mount(pod: Pod) -> Finding | None:
    told = [event for event in pod.events if event.reason in ("FailedMount", "FailedAttachVolume")]
    if not told or pod.main.state == "running":
        return None
    message = told[-1].message
    evidence = Evidence(f"Pod/{pod.name}", message)
    volume = _VOLUME.search(message)
    where = chart_values.volumes(volume[1] if volume else "", pod.chart)
    return _missing(pod, message, where, evidence) or _finding(
        "volume-not-mounted", pod, f"cannot be given its volume: {message}", f"correct {where}", evidence
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


def _placed_by(pod: Pod) -> str:
    """Whose values say where the pod goes: the submitter goes where the driver may."""
    return "driver" if pod.role == "submitter" else pod.role


def _asked(pod: Pod, short: list[str]) -> str:
    asked = {"cpu": pod.main.cpu, "memory": pod.main.memory}
    text = ", ".join(f"{asked[what]} of {what}" for what in dict.fromkeys(short) if asked.get(what))
    return f" (it asks for {text})" if text else ""


def _values(pod: Pod, short: list[str]) -> str:
    role = pod.role
    if role == "submitter":
        return chart_values.requests(role, pod.chart)
    names = {"cpu": f"{role}.requestCores", "memory": chart_values.memory(role, pod.chart)}
    return ", ".join(dict.fromkeys(names.get(what, f"{role}.podTemplate") for what in short))


def _claims(pod: Pod) -> str:
    """The values that name claims."""
    home = chart_values.volumes("home", pod.chart)
    return "volumes" if home.startswith("volumes") else f"{home} or volumes"


def _class_of_home(pod: Pod) -> str:
    return " (home.storageClass)" if pod.chart == chart_values.NOTEBOOK and pod.role == "driver" else ""


_CAUSES: tuple[Callable[[Pod], Finding | None], ...] = (
    _scheduling,
    _image,
    _configuration,
    explain_first_container,
    _mount,
)
