"""Kubernetes' Pod Security Standards, as the API server of 1.34 checks them at version "latest".

A port of k8s.io/pod-security-admission v0.34 (policy/check_*.go), proven on that module's own test data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LEVELS = ("privileged", "baseline", "restricted")

Body = Mapping[str, Any]
Check = Callable[[Body, Body], Iterator[str]]
"""Gives, for a pod's metadata and spec, what is wrong, a line each."""

_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_PROFILES = frozenset({"RuntimeDefault", "Localhost"})
_SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    ]
)
_VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)


@dataclass(frozen=True)
class Finding:
    """What a level forbids: the id that Kubernetes gives the check ("hostPathVolumes") and what is wrong, in a line."""

    check: str
    message: str


def findings(level: str, metadata: Body, spec: Body) -> list[Finding]:
    """What a Pod Security level finds in a pod.

    Args:
        level: "privileged", "baseline" or "restricted".
        metadata: metadata of the pod.
        spec: its spec.

    Raises:
        ValueError: there is no such level.
    """
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no Pod Security level; there are {', '.join(LEVELS)}")
    checks = dict(_BASELINE) if level != "privileged" else {}
    if level == "restricted":
        checks = {name: check for name, check in checks.items() if name not in _OVERRIDDEN}
        checks |= _RESTRICTED
    return [Finding(name, message) for name, check in checks.items() for message in check(metadata, spec)]


def _containers(spec: Body) -> Iterator[tuple[str, Body]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or []:
            yield f"container {container.get('name', '?')}", container


def _contexts(spec: Body) -> Iterator[tuple[str, Body]]:
    """The security context of the pod, then those of its containers."""
    yield "pod", spec.get("securityContext") or {}
    for who, container in _containers(spec):
        yield who, container.get("securityContext") or {}


def _container_contexts(spec: Body) -> Iterator[tuple[str, Body]]:
    return (pair for pair in _contexts(spec) if pair[0] != "pod")


def _app_armor(metadata: Body, spec: Body) -> Iterator[str]:
    for who, context in _contexts(spec):
        profile = context.get("appArmorProfile")
        if profile is not None and profile.get("type") not in _PROFILES:
            yield f"{who} sets AppArmor profile {profile.get('type')!r}"
    for key, value in (metadata.get("annotations") or {}).items():
        if key.startswith("container.apparmor.security.beta.kubernetes.io/") and not (
            value in ("", "runtime/default") or value.startswith("localhost/")
        ):
            yield f"annotation {key} is {value!r}"


def _capabilities_baseline(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _container_contexts(spec):
        for added in (context.get("capabilities") or {}).get("add") or []:
            if added not in _CAPABILITIES:
                yield f"{who} adds capability {added}"


def _host_namespaces(_: Body, spec: Body) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{field} is true"


def _host_path(_: Body, spec: Body) -> Iterator[str]:
    for volume in spec.get("volumes") or []:
        if volume.get("hostPath") is not None:
            yield f"volume {volume['name']} is a hostPath"


def _host_ports(_: Body, spec: Body) -> Iterator[str]:
    for who, container in _containers(spec):
        for port in container.get("ports") or []:
            if port.get("hostPort"):
                yield f"{who} uses hostPort {port['hostPort']}"


def _host_handlers(_: Body, spec: Body) -> Iterator[str]:
    for who, container in _containers(spec):
        lifecycle = container.get("lifecycle") or {}
        handlers = [container.get(probe) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [lifecycle.get(moment) for moment in ("postStart", "preStop")]
        for handler in filter(None, handlers):
            for action in ("httpGet", "tcpSocket"):
                if host := (handler.get(action) or {}).get("host"):
                    yield f"{who} has a probe or lifecycle handler of host {host}"


def _privileged(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _container_contexts(spec):
        if context.get("privileged"):
            yield f"{who} is privileged"


def _proc_mount(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _container_contexts(spec):
        if context.get("procMount", "Default") not in ("Default", None):
            yield f"{who} sets procMount {context['procMount']}"


def _selinux(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _contexts(spec):
        options = context.get("seLinuxOptions") or {}
        if (options.get("type") or "") not in _SELINUX_TYPES:
            yield f"{who} sets SELinux type {options['type']}"
        for field in ("user", "role"):
            if options.get(field):
                yield f"{who} sets SELinux {field} {options[field]}"


def _seccomp_baseline(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _contexts(spec):
        profile = context.get("seccompProfile")
        if profile is not None and profile.get("type") not in _PROFILES:
            yield f"{who} sets seccompProfile.type {profile.get('type')!r}"


def _sysctls(_: Body, spec: Body) -> Iterator[str]:
    for sysctl in (spec.get("securityContext") or {}).get("sysctls") or []:
        if sysctl["name"] not in _SYSCTLS:
            yield f"pod sets sysctl {sysctl['name']}"


def _host_process(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _contexts(spec):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            yield f"{who} is a Windows host process"


def _is_windows(spec: Body) -> bool:
    return bool((spec.get("os") or {}).get("name") == "windows")


def _privilege_escalation(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _container_contexts(spec):
        if context.get("allowPrivilegeEscalation") is not False and not _is_windows(spec):
            yield f"{who} does not set allowPrivilegeEscalation: false"


def _capabilities_restricted(_: Body, spec: Body) -> Iterator[str]:
    if _is_windows(spec):
        return
    for who, context in _container_contexts(spec):
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or []):
            yield f"{who} does not drop capability ALL"
        for added in capabilities.get("add") or []:
            if added != "NET_BIND_SERVICE":
                yield f"{who} adds capability {added}"


def _restricted_volumes(_: Body, spec: Body) -> Iterator[str]:
    for volume in spec.get("volumes") or []:
        sources = {key for key, source in volume.items() if key != "name" and source is not None}
        # The API server makes an emptyDir of a volume without a source.
        if sources and not sources & _VOLUMES:
            yield f"volume {volume['name']} is of type {', '.join(sorted(sources))}"


def _non_root(_: Body, spec: Body) -> Iterator[str]:
    of_pod = (spec.get("securityContext") or {}).get("runAsNonRoot")
    for who, context in _contexts(spec):
        own = context.get("runAsNonRoot")
        if own is False:
            yield f"{who} sets runAsNonRoot: false"
        elif own is None and not of_pod and who != "pod":
            yield f"neither the pod nor {who} sets runAsNonRoot: true"


def _run_as_user(_: Body, spec: Body) -> Iterator[str]:
    for who, context in _contexts(spec):
        if context.get("runAsUser") == 0:
            yield f"{who} sets runAsUser: 0"


def _seccomp_restricted(metadata: Body, spec: Body) -> Iterator[str]:
    if _is_windows(spec):
        return
    yield from _seccomp_baseline(metadata, spec)
    of_pod = (spec.get("securityContext") or {}).get("seccompProfile")
    for who, context in _container_contexts(spec):
        if context.get("seccompProfile") is None and of_pod is None:
            yield f"neither the pod nor {who} sets seccompProfile.type to RuntimeDefault or Localhost"


_BASELINE: Mapping[str, Check] = {
    "appArmorProfile": _app_armor,
    "capabilities_baseline": _capabilities_baseline,
    "hostNamespaces": _host_namespaces,
    "hostPathVolumes": _host_path,
    "hostPorts": _host_ports,
    "hostProbesAndHostLifecycle": _host_handlers,
    "privileged": _privileged,
    "procMount": _proc_mount,
    "seLinuxOptions": _selinux,
    "seccompProfile_baseline": _seccomp_baseline,
    "sysctls": _sysctls,
    "windowsHostProcess": _host_process,
}
_RESTRICTED: Mapping[str, Check] = {
    "allowPrivilegeEscalation": _privilege_escalation,
    "capabilities_restricted": _capabilities_restricted,
    "restrictedVolumes": _restricted_volumes,
    "runAsNonRoot": _non_root,
    "runAsUser": _run_as_user,
    "seccompProfile_restricted": _seccomp_restricted,
}
_OVERRIDDEN = frozenset({"capabilities_baseline", "hostPathVolumes", "seccompProfile_baseline"})
"""Baseline checks that a restricted one stands for (OverrideCheckIDs)."""
