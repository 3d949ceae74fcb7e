"""Why the API server refused to make a pod (or anything else of a run)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from kubernetes.utils.quantity import parse_quantity

from kindling.facts import Evidence, Finding

_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)$")
_UNSET = re.compile(r"failed quota: ([^:]+): must specify (.+)$")
_POD_SECURITY = re.compile(r'violates PodSecurity "([^"]+)": (.*)$')
_ACCOUNT = re.compile(r'error looking up service account ([^/\s]+)/(\S+): serviceaccount "[^"]+" not found')
_RIGHTS = re.compile(r'User "([^"]+)" cannot (\S+) resource "([^"]+)"(?: in API group "([^"]*)")?')
_LIMIT_RANGE = re.compile(r"((?:minimum|maximum) (?:cpu|memory|\S+) usage per (?:Container|Pod) is .*)$")


def explain_refusal(about: str, message: str, evidence: Evidence) -> Finding:
    """What a refusal means; every message has an answer, if only its own words.

    Args:
        about: whose pod was refused: "driver", "executor" or "submitter".
        message: the API server's.
    """
    for cause in _CAUSES:
        if finding := cause(about, message, evidence):
            return finding
    said = message.partition(" is forbidden: ")[2] or message
    return Finding(
        "refused",
        about,
        f"the cluster refuses the {about} pod: {said}",
        "change what the rule named there objects to, or ask who made the rule",
        (evidence,),
    )


def _quota(about: str, message: str, evidence: Evidence) -> Finding | None:
    match = _QUOTA.search(message)
    if not match:
        return None
    asked, used, hard = (_amounts(text) for text in match.group(2, 3, 4))
    figures = "; ".join(
        f"{what} asked {asked[what]}, left {_left(hard[what], used[what])} ({used[what]} of {hard[what]} used)"
        for what in asked
        if what in used and what in hard
    )
    return Finding(
        "quota-exceeded",
        about,
        f"ResourceQuota {match[1]} refuses the {about} pod: {figures}",
        f"wait until other runs end, ask for less ({_values_for(about, asked)}), or have the quota {match[1]} raised",
        (evidence,),
    )


def _unset(about: str, message: str, evidence: Evidence) -> Finding | None:
    match = _UNSET.search(message)
    if not match:
        return None
    value = f"set {about}.limitCores" if "limits.cpu" in match[2] else f"set them for the {about}"
    return Finding(
        "quota-needs-limits",
        about,
        f"ResourceQuota {match[1]} refuses the {about} pod: it must specify {match[2]}",
        f"{value}, or have a LimitRange give defaults in the namespace",
        (evidence,),
    )


def _pod_security(about: str, message: str, evidence: Evidence) -> Finding | None:
    match = _POD_SECURITY.search(message)
    if not match:
        return None
    return Finding(
        "pod-security",
        about,
        f"Pod Security level {match[1]} refuses the {about} pod: {match[2]}",
        f"take that out of {about}.podTemplate, {about}.sidecars, {about}.initContainers or volumes",
        (evidence,),
    )


def _account(about: str, message: str, evidence: Evidence) -> Finding | None:
    match = _ACCOUNT.search(message)
    if not match:
        return None
    value = "global.serviceAccounts.submitter" if about == "submitter" else f"{about}.serviceAccountName"
    return Finding(
        "no-service-account",
        about,
        f"the {about} pod's service account {match[2]} does not exist in namespace {match[1]}",
        f"correct {value}, or install spark-namespace there: it makes spark-{about}",
        (evidence,),
    )


def _rights(about: str, message: str, evidence: Evidence) -> Finding | None:
    match = _RIGHTS.search(message)
    if not match:
        return None
    user = match[1].removeprefix("system:serviceaccount:").replace(":", "/")
    resource = f"{match[3]}.{match[4]}" if match[4] else match[3]
    return Finding(
        "no-right",
        about,
        f"service account {user} may not {match[2]} {resource}",
        "use the account that spark-namespace makes for this (global.serviceAccounts), or give it that right",
        (evidence,),
    )


def _limit_range(about: str, message: str, evidence: Evidence) -> Finding | None:
    match = _LIMIT_RANGE.search(message)
    if not match:
        return None
    return Finding(
        "limit-range",
        about,
        f"a LimitRange refuses the {about} pod: {match[1]}",
        f"change {_values_for(about, {})}, or have the LimitRange changed",
        (evidence,),
    )


_CAUSES: tuple[Callable[[str, str, Evidence], Finding | None], ...] = (
    _quota,
    _unset,
    _pod_security,
    _account,
    _rights,
    _limit_range,
)


def _amounts(text: str) -> dict[str, str]:
    """ "requests.cpu=1,pods=2" -> a quantity for each name."""
    return dict(item.split("=", 1) for item in text.split(",") if "=" in item)


def _left(hard: str, used: str) -> str:
    """What is left, in the unit of the limit."""
    try:
        rest: Decimal = max(parse_quantity(hard) - parse_quantity(used), Decimal(0))
    except ValueError:
        return "?"
    for suffix in ("Ti", "Gi", "Mi", "Ki"):
        if (hard.endswith(suffix) or used.endswith(suffix)) and rest % (size := parse_quantity(f"1{suffix}")) == 0:
            return f"{int(rest / size)}{suffix}" if rest else "0"
    return str(int(rest)) if rest == int(rest) else f"{int(rest * 1000)}m"


def _values_for(about: str, asked: dict[str, str]) -> str:
    if about == "submitter":
        return "submitter.requestCores, submitter.memory"
    if asked and all("cpu" in what for what in asked):
        return f"{about}.requestCores"
    if asked and all("memory" in what for what in asked):
        return f"{about}.memory, {about}.memoryOverhead"
    if asked.keys() == {"pods"}:
        return "executor.instances"
    return f"{about}.requestCores, {about}.memory, executor.instances"
