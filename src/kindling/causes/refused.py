"""Why the API server refused to make a pod (or anything else of a run)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from kubernetes.utils.quantity import parse_quantity

from kindling.causes import chart_values
from kindling.facts import Evidence, Finding, Pod
from kindling.foreign import one_line

_Said = tuple[str, str]  # cause and cure
_OWN = ("pods", "count/pods")
"""Resources of a quota of which each pod takes one."""


class _Refused(NamedTuple):
    """The pod: its role, the chart that it is of, and pods of its own run that stay until it has run."""

    role: str
    chart: str
    beside: tuple[Pod, ...]


_QUANTITY = re.compile(r"\d{1,20}(?:\.\d{1,9})?(?:[KMGTPE]i|[numkMGTPE])?")  # no exponent: 1e999999999 fills memory


def explain_refusal(
    about: str, message: str, evidence: Evidence, chart: str = "", beside: Sequence[Pod] = ()
) -> Finding:
    """What a refusal means; every message has an answer, if only its own words.

    Args:
        about: whose pod was refused: "driver", "executor" or "submitter".
        message: the API server's.
        chart: whose values a cure is to name.
        beside: pods of the same run, which do not end before the refused one has run.
    """
    message = one_line(message)
    for cause_id, pattern, explain in _CAUSES:
        if match := pattern.search(message):
            return Finding(cause_id, about, *explain(_Refused(about, chart, tuple(beside)), match), (evidence,))
    said = message.partition(" is forbidden: ")[2] or message
    return Finding(
        "refused",
        about,
        f"the cluster refuses the {about} pod: {said}",
        "change what the rule named there objects to, or ask who made the rule",
        (evidence,),
    )


def _quota(pod: _Refused, match: re.Match[str]) -> _Said:
    asked, used, hard = (_amounts(text) for text in match.group(2, 3, 4))
    known = [what for what in asked if what in used and what in hard]
    if never := [what for what in known if _is_more(asked[what], hard[what])]:
        return _never_fits(pod, match[1], {what: (asked[what], hard[what]) for what in never})
    if never := [what for what in known if _never_beside(pod, what, asked[what], used[what], hard[what])]:
        return _never_fits(pod, match[1], {what: (asked[what], hard[what]) for what in never}, beside=True)
    figures = "; ".join(
        f"{what} asked {asked[what]}, left {_left(hard[what], used[what])} ({used[what]} of {hard[what]} used)"
        for what in known
    )
    values = _values_for(pod.role, asked, pod.chart)
    less = f"ask for less ({values}), " if values else ""
    return (
        f"ResourceQuota {match[1]} refuses the {pod.role} pod: {figures}",
        f"wait until other runs end, {less}or have the quota {match[1]} raised",
    )


def _never_fits(pod: _Refused, quota: str, sizes: dict[str, tuple[str, str]], *, beside: bool = False) -> _Said:
    """A pod that the quota does not admit, whoever else ends."""
    figures = "; ".join(f"{what} asked {asked}, the quota has {hard} in all" for what, (asked, hard) in sizes.items())
    roles = " and ".join(dict.fromkeys(other.role for other in pod.beside))
    never = f"it never fits beside the run's own {roles}" if beside else "it never fits"
    values = _values_for(pod.role, {what: asked for what, (asked, _) in sizes.items()}, pod.chart)
    lower = f"lower {values}, or " if values and not (beside and set(sizes) <= set(_OWN)) else ""
    return (
        f"ResourceQuota {quota} refuses the {pod.role} pod: {never}: {figures}",
        f"{lower}have {', '.join(sizes)} of the quota {quota} raised{chart_values.quota(quota)}; waiting does not help",
    )


def _is_more(asked: str, hard: str) -> bool:
    return all(map(_QUANTITY.fullmatch, (asked, hard))) and bool(parse_quantity(asked) > parse_quantity(hard))


def _never_beside(pod: _Refused, what: str, asked: str, used: str, hard: str) -> bool:
    """Whether all that is used is the run's own, and leaves too little: then nobody else's end helps."""
    if not pod.beside or not all(map(_QUANTITY.fullmatch, (asked, used, hard))):
        return False
    if what in _OWN:
        own = Decimal(len(pod.beside))
    elif what in ("requests.cpu", "cpu") and all(_QUANTITY.fullmatch(other.main.cpu) for other in pod.beside):
        own = sum((parse_quantity(other.main.cpu) for other in pod.beside), Decimal(0))
    else:
        return False
    return bool(parse_quantity(used) == own and parse_quantity(asked) + own > parse_quantity(hard))


def _invalid(pod: _Refused, match: re.Match[str]) -> _Said:
    """A field that the API server does not take (HTTP 422)."""
    kind, told = match[1], match[2].strip("[]")
    what = f"{pod.role} pod" if kind == "Pod" else f"{kind} of the {pod.role}"
    field = _FIELD.match(told)
    because = f", because of its field {told}" if field else f": {told}"
    value = f" (its value: {field[2]})" if field and field[2] else ""
    return (
        f"the API server takes no such {what} (HTTP 422){because}",
        f"correct {_source_of(kind, field[1] if field else '', pod)}{value}",
    )


def _source_of(kind: str, path: str, pod: _Refused) -> str:
    """Where a field of a pod, or of what Spark makes for it, comes from, as a value."""
    if path.startswith(_OF_NAMES):
        return "the release's name: letters, digits and dashes, a short one (helm install NAME …)"
    if kind != "Pod":
        return "volumes or sparkConf"
    template = chart_values.of("podTemplate", pod.role)
    if any(part in path for part in _VOLUMES):
        return f"volumes or {template}"
    value = next((chart_values.of(name, pod.role) for part, name in _OF_FIELDS.items() if part in path), "")
    return f"{value} or {template}" if value else template


def _unset(pod: _Refused, match: re.Match[str]) -> _Said:
    name: chart_values.Name = "limitCores" if "limits.cpu" in match[2] else "podTemplate"
    value = f"set {chart_values.of(name, pod.role)}"
    return (
        f"ResourceQuota {match[1]} refuses the {pod.role} pod: it must specify {match[2]}",
        f"{value}, or have a LimitRange give defaults in the namespace",
    )


def _pod_security(pod: _Refused, match: re.Match[str]) -> _Said:
    return (
        f"Pod Security level {match[1]} refuses the {pod.role} pod: {match[2]}",
        f"take that out of {_containers_of(pod.role)} or volumes",
    )


def _account(pod: _Refused, match: re.Match[str]) -> _Said:
    value = chart_values.of("serviceAccountName", pod.role)
    return (
        f"the {pod.role} pod's service account {match[2]} does not exist in namespace {match[1]}",
        f"correct {value}, or install spark-namespace there: it makes spark-{pod.role}",
    )


_FIELD = re.compile(
    r"([a-z][\w.\[\]/-]{1,256}): (?:Invalid|Unsupported|Duplicate|Required) value"
    r"(?:: (\"(?:[^\"\\]|\\.){0,512}\"|[^\s:]{1,256}))?"
)
_OF_NAMES = ("metadata.name", "spec.hostname", "metadata.generateName")
_VOLUMES = ("spec.volumes", ".volumeMounts")
_OF_FIELDS: dict[str, chart_values.Name] = {
    "metadata.labels": "labels",
    "metadata.annotations": "annotations",
    "spec.nodeSelector": "nodeSelector",
    "spec.tolerations": "tolerations",
    "spec.affinity": "affinity",
    "spec.topologySpreadConstraints": "topologySpreadConstraints",
    ".resources": "requestCores",
    ".envFrom": "envFrom",
    ".env[": "env",
    "spec.initContainers": "initContainers",
}
"""Part of a field's path -> the value that most often sets it."""
_OF_CLUSTER_MODE = ("services", "networkpolicies")
"""What spark-namespace grants to submitters only where its guard holds it in bounds."""


def _rights(_: _Refused, match: re.Match[str]) -> _Said:
    user = match[1].removeprefix("system:serviceaccount:").replace(":", "/")
    resource = f"{match[3]}.{match[4]}" if match[4] else match[3]
    if match[3] in _OF_CLUSTER_MODE and match[2] in ("create", "patch"):
        return (
            f"service account {user} may not {match[2]} {resource}, as cluster mode does",
            "set mode: client, or turn the guard of spark-namespace on, or set its guard.rightsWithout: [clusterMode]",
        )
    return (
        f"service account {user} may not {match[2]} {resource}",
        "use the account that spark-namespace makes for this (global.serviceAccounts), or give it that right",
    )


def _constraints(pod: _Refused, match: re.Match[str]) -> _Said:
    is_about_ids = re.search(r"must be in the ranges|is not an allowed group", match[1])
    return (
        f"the platform's security context constraints refuse the {pod.role} pod: {match[1]}",
        "set global.ids to platform, and no runAsUser, runAsGroup or fsGroup in pod templates"
        if is_about_ids
        else "take that out of the values, or have the cluster's admin allow it",
    )


def _guard(pod: _Refused, match: re.Match[str]) -> _Said:
    return (
        f"the namespace's guard refuses the {pod.role} pod: {match[1]}",
        f"take that out of the values, or have it listed in {match[2]} of the namespace's spark-namespace",
    )


def _guard_always(pod: _Refused, match: re.Match[str]) -> _Said:
    return (
        f"the namespace's guard refuses the {pod.role} pod: {match[1]}",
        "take that out of the values: spark-namespace has no value that allows it",
    )


def _limit_range(pod: _Refused, match: re.Match[str]) -> _Said:
    return (
        f"a LimitRange refuses the {pod.role} pod: {match[1]}",
        f"change {_values_for(pod.role, {}, pod.chart)}, or have the LimitRange changed",
    )


def _default_limit(pod: _Refused, match: re.Match[str]) -> _Said:
    template = chart_values.of("podTemplate", pod.role)
    value = chart_values.of("limitCores", pod.role) if match[2] == "cpu" else f"the limit of {match[2]} in {template}"
    asked, resource, limit = match.groups()
    of = f" of {limit}" if limit else ""  # Kubernetes 1.24 does not say
    return (
        f"a LimitRange refuses the {pod.role} pod: it asks for {asked} of {resource}, more than its limit{of}",
        f"set {value}, or have the default limit of the LimitRange raised",
    )


def _containers_of(role: str) -> str:
    names: tuple[chart_values.Name, ...] = ("podTemplate", "sidecars", "initContainers")
    return ", ".join(dict.fromkeys(chart_values.of(name, role) for name in names))


# Id of the finding, what the API server says, and what it means. Whoever makes a pod may have its log say anything:
# each part of a pattern ends where the next one begins, so that no text takes more than one pass.
_CAUSES: tuple[tuple[str, re.Pattern[str], Callable[[_Refused, re.Match[str]], _Said]], ...] = (
    (
        "quota-exceeded",
        re.compile(r"exceeded quota: ([^,]{1,253}), requested: (\S*), used: (\S*), limited: (\S*)"),
        _quota,
    ),
    ("quota-needs-limits", re.compile(r"failed quota: ([^:]+): must specify (.+)"), _unset),
    ("pod-security", re.compile(r'violates PodSecurity "([^"]+)": (.*)'), _pod_security),
    (
        "platform",
        re.compile(r"unable to validate against any security context constraint: (.*)"),
        _constraints,
    ),
    (
        "guard",
        re.compile(
            r"'kindling-guard-[^']{1,253}' denied request: "
            r"((?:(?!'kindling-guard-| allowed: ).)* allowed: (?:(?!'kindling-guard-).)*?)"
            r" \((guard\.\w{1,64}) of spark-namespace\)"
        ),
        _guard,
    ),
    (
        "guard",
        re.compile(r"'kindling-guard-[^']{1,253}' denied request: ((?:(?!'kindling-guard-).)*)"),
        _guard_always,
    ),
    (
        "no-service-account",
        re.compile(r'error looking up service account ([^/\s]+)/(\S+): serviceaccount "[^"]+" not found'),
        _account,
    ),
    (
        "no-right",
        re.compile(r'User "([^"]+)" cannot (\S+) resource "([^"]+)"(?: in API group "([^"]*)")?'),
        _rights,
    ),
    (
        "limit-range",
        re.compile(r"((?:minimum|maximum) (?:cpu|memory|\S+) usage per (?:Container|Pod) is .*)"),
        _limit_range,
    ),
    (
        "limit-range",
        re.compile(
            r'resources\.requests: Invalid value: "([^"]+)": must be less than or equal to (\S+) limit(?: of (\S+))?'
        ),
        _default_limit,
    ),
    (
        "invalid-field",
        re.compile(r'\b([A-Z][A-Za-z]{1,64})(?:\.[a-z0-9.-]{1,128})? "[^"]{0,253}" is invalid: (.*)'),
        _invalid,
    ),
)


def _amounts(text: str) -> dict[str, str]:
    """ "requests.cpu=1,pods=2" -> a quantity for each name."""
    return dict(item.split("=", 1) for item in text.split(",") if "=" in item)


def _left(hard: str, used: str) -> str:
    """What is left, in the unit of the limit."""
    if not (_QUANTITY.fullmatch(hard) and _QUANTITY.fullmatch(used)):
        return "?"
    rest: Decimal = max(parse_quantity(hard) - parse_quantity(used), Decimal(0))
    for suffix in ("Ti", "Gi", "Mi", "Ki"):
        if (hard.endswith(suffix) or used.endswith(suffix)) and rest % (size := parse_quantity(f"1{suffix}")) == 0:
            return f"{int(rest / size)}{suffix}" if rest else "0"
    return str(int(rest)) if rest == int(rest) else f"{int(rest * 1000)}m"


def _values_for(about: str, asked: dict[str, str], chart: str) -> str:
    if about != "submitter" and asked and all("cpu" in what for what in asked):
        return chart_values.of("requestCores", about)
    if about != "submitter" and asked and all("memory" in what for what in asked):
        return chart_values.memory(about, chart)
    if about != "submitter" and asked.keys() == {"pods"}:
        return chart_values.number(about, chart)
    return chart_values.requests(about, chart)
