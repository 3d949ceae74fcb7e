"""Why the API server refused to make a pod (or anything else of a run)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from kubernetes.utils.quantity import parse_quantity

from kindling.causes import chart_values
from kindling.facts import Evidence, Finding
from kindling.foreign import one_line

_Said = tuple[str, str]  # cause and cure


class _Refused(NamedTuple):
    """The pod: its role, and the chart that it is of."""

    role: str
    chart: str


_QUANTITY = re.compile(r"\d{1,20}(?:\.\d{1,9})?(?:[KMGTPE]i|[numkMGTPE])?")  # no exponent: 1e999999999 fills memory


def explain_refusal(about: str, message: str, evidence: Evidence, chart: str = "") -> Finding:
    """What a refusal means; every message has an answer, if only its own words.

    Args:
        about: whose pod was refused: "driver", "executor" or "submitter".
        message: the API server's.
        chart: whose values a cure is to name.
    """
    message = one_line(message)
    for cause_id, pattern, explain in _CAUSES:
        if match := pattern.search(message):
            return Finding(cause_id, about, *explain(_Refused(about, chart), match), (evidence,))
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
    figures = "; ".join(
        f"{what} asked {asked[what]}, left {_left(hard[what], used[what])} ({used[what]} of {hard[what]} used)"
        for what in asked
        if what in used and what in hard
    )
    values = _values_for(pod.role, asked, pod.chart)
    less = f"ask for less ({values}), " if values else ""
    return (
        f"ResourceQuota {match[1]} refuses the {pod.role} pod: {figures}",
        f"wait until other runs end, {less}or have the quota {match[1]} raised",
    )


def _unset(pod: _Refused, match: re.Match[str]) -> _Said:
    value = f"set {pod.role}.limitCores" if "limits.cpu" in match[2] else f"set them for the {pod.role}"
    return (
        f"ResourceQuota {match[1]} refuses the {pod.role} pod: it must specify {match[2]}",
        f"{value}, or have a LimitRange give defaults in the namespace",
    )


def _pod_security(pod: _Refused, match: re.Match[str]) -> _Said:
    return (
        f"Pod Security level {match[1]} refuses the {pod.role} pod: {match[2]}",
        f"take that out of {pod.role}.podTemplate, {pod.role}.sidecars, {pod.role}.initContainers or volumes",
    )


def _account(pod: _Refused, match: re.Match[str]) -> _Said:
    value = "global.serviceAccounts.submitter" if pod.role == "submitter" else f"{pod.role}.serviceAccountName"
    return (
        f"the {pod.role} pod's service account {match[2]} does not exist in namespace {match[1]}",
        f"correct {value}, or install spark-namespace there: it makes spark-{pod.role}",
    )


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
    value = f"{pod.role}.limitCores" if match[2] == "cpu" else f"the limit of {match[2]} in {pod.role}.podTemplate"
    asked, resource, limit = match.groups()
    of = f" of {limit}" if limit else ""  # Kubernetes 1.24 does not say
    return (
        f"a LimitRange refuses the {pod.role} pod: it asks for {asked} of {resource}, more than its limit{of}",
        f"set {value}, or have the default limit of the LimitRange raised",
    )


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
        return f"{about}.requestCores"
    if about != "submitter" and asked and all("memory" in what for what in asked):
        return chart_values.memory(about, chart)
    if about != "submitter" and asked.keys() == {"pods"}:
        return chart_values.number(about, chart)
    return chart_values.requests(about, chart)
