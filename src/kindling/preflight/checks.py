"""Judgements on what was read; each gives one check or more."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from kubernetes.utils.quantity import parse_quantity

from kindling.causes.chart_values import PARTS
from kindling.causes.chart_values import quota as quota_value
from kindling.preflight.facts import FAIL, OK, SINCE_GUARD, WARN, Check, Readiness
from kindling.preflight.rights import NEEDED, OF_A_GUARD, SINCE_4_2, YOU

CPUS, BYTES = Decimal(3), Decimal(4_000_000_000)
"""What ought to be free for a first job: a driver, an executor or two, and room for the rest."""
_GB = Decimal(1_000_000_000)
_FIRST_JOB = {"pods": "2", "cpu": "1", "memory": "3Gi"}  # a driver and an executor with small requests


def version(facts: Readiness) -> list[Check]:
    """1.30 has all that the charts use."""
    text = f"Kubernetes {facts.version_text}"
    if facts.version >= SINCE_GUARD:
        return [Check("kubernetes-version", OK, text)]
    if facts.version >= (1, 25):
        what = f"{text}: no ValidatingAdmissionPolicy, so a pod's service account and Secrets cannot be restricted"
        if facts.version < (1, 29):
            what += "; no native sidecars (driver.sidecars, executor.sidecars)"
        return [
            Check("kubernetes-version", WARN, what, "upgrade to 1.30 or newer where tenants do not trust each other")
        ]
    what = f"{text}: its PodSecurityPolicies end with 1.25, and Spark is not tested there"
    return [Check("kubernetes-version", WARN, what, "upgrade to 1.30 or newer")]


def namespace(facts: Readiness) -> list[Check]:
    """It must be there."""
    if facts.namespace_exists is False:
        name = f"--namespace kindling-system --set namespace.name={facts.namespace}"
        cure = f"helm install {facts.namespace} charts/spark-namespace {name} …"
        return [Check("namespace", FAIL, f"namespace {facts.namespace} does not exist", cure)]
    return []


def rights(facts: Readiness) -> list[Check]:
    """One check for each identity."""
    return [_rights_of(facts, identity) for identity in NEEDED]


def _rights_of(facts: Readiness, identity: str) -> Check:
    answers = [answer for answer in facts.answers if answer.identity == identity]
    name, whose = f"rights-{identity}", "your rights" if identity == YOU else f"rights of {identity}"
    if any(answer.allowed is None for answer in answers):
        cure = "ask an admin to run this: it takes the right to create SubjectAccessReviews"
        return Check(name, WARN, f"{whose}: not checked, you may not ask for another's", cure)
    lacks = [str(answer.right) for answer in answers if answer.needed and not answer.allowed]
    excess = [str(answer.right) for answer in answers if not answer.needed and answer.allowed]
    told = [f"{words}: {', '.join(items)}" for words, items in (("lacks", lacks), ("has too much", excess)) if items]
    if not told:
        count = sum(answer.needed for answer in answers)
        return Check(name, OK, f"{whose}: {f'all {count} that are needed' if count else 'none, as it should be'}")
    if not excess and set(lacks) <= set(map(str, SINCE_4_2)):
        cure = "set submitter.networkPolicies of spark-namespace, unless only older lines submit here"
        return Check(name, WARN, f"{whose}: {told[0]}, which Spark needs since 4.2", cure)
    if not excess and set(lacks) <= set(map(str, OF_A_GUARD)):
        cure = "client mode works without; else turn the guard on, or set guard.rightsWithout of spark-namespace"
        return Check(name, WARN, f"{whose}: {told[0]}, which only spark-namespace's guard makes safe", cure)
    if identity == YOU:
        cure = "have yourself named in access.submitters of spark-namespace"
    else:
        cure = "install spark-namespace here" if lacks else "remove the other bindings of this account"
    return Check(name, FAIL, f"{whose}: {'; '.join(told)}", cure)


def dns(facts: Readiness) -> list[Check]:
    """Executors find a cluster-mode driver by name; every pod finds the API server so."""
    if facts.dns is None:
        return [
            Check("dns", WARN, "DNS: not checked, you may not read Services in kube-system", "ask an admin to run this")
        ]
    if not facts.dns.service:
        what = "DNS: kube-system has no Service labelled k8s-app=kube-dns"
        return [Check("dns", WARN, what, "make sure that pods resolve kubernetes.default.svc; another DNS may do it")]
    if not facts.dns.endpoints:
        what = f"DNS: Service {facts.dns.service} has no ready endpoint"
        return [Check("dns", FAIL, what, "look at the DNS pods: kubectl get pods -n kube-system -l k8s-app=kube-dns")]
    what = (
        f"DNS: Service {facts.dns.service} has {facts.dns.endpoints} ready endpoint(s); no name was resolved from a pod"
    )
    return [Check("dns", OK, what)]


def storage(facts: Readiness) -> list[Check]:
    """Volumes on demand take the default class."""
    if facts.default_storage_class is None:
        what = "default StorageClass: not checked, you may not list StorageClasses"
        return [Check("storage", WARN, what, "ask an admin to run this")]
    if facts.default_storage_class:
        return [Check("storage", OK, f"default StorageClass: {facts.default_storage_class}")]
    cure = "mark one as default, or name one in volumes[].onDemand.storageClass; jobs without volumes need none"
    return [Check("storage", WARN, "no default StorageClass", cure)]


def capacity(facts: Readiness) -> list[Check]:
    """Room for a first job."""
    if facts.nodes is None:
        what = "capacity: not checked, you may not list nodes and all pods"
        return [Check("capacity", WARN, what, "ask an admin to run this")]
    cpu = sum((node.cpu - node.cpu_asked for node in facts.nodes), Decimal(0))
    memory = sum((node.memory - node.memory_asked for node in facts.nodes), Decimal(0))
    whole = sum((node.cpu for node in facts.nodes), Decimal(0)), sum((node.memory for node in facts.nodes), Decimal(0))
    others = f"; {facts.other_nodes} more with taints or not ready" if facts.other_nodes else ""
    what = (
        f"capacity: {cpu:.2f} of {whole[0]:.2f} CPUs and {memory / _GB:.1f} of {whole[1] / _GB:.1f} GB not asked for, "
        f"on {len(facts.nodes)} node(s){others}"
    )
    if cpu >= CPUS and memory >= BYTES:
        return [Check("capacity", OK, what)]
    cure = (
        f"below {CPUS} CPUs and {BYTES / _GB:.0f} GB: lower driver.requestCores and executor.requestCores, or add nodes"
    )
    return [Check("capacity", WARN, what, cure)]


def pod_security(facts: Readiness) -> list[Check]:
    """The level that the namespace enforces, or its policy."""
    if facts.namespace_exists is False:
        return []
    if facts.policy:
        what = f"PodSecurityPolicy {facts.policy} holds pods, if the API server has that admission plugin on"
        return [Check("pod-security", OK, what)]
    if facts.pod_security is None or (facts.policy is None and not facts.pod_security):
        what = "Pod Security: not checked, you may not read the namespace or ask for another's rights"
        return [Check("pod-security", WARN, what, "ask an admin to run this")]
    what = f"Pod Security: the namespace enforces {facts.pod_security or 'nothing'}"
    state = {"restricted": OK, "baseline": WARN}.get(facts.pod_security, FAIL)
    cure = "set podSecurity.enforce of spark-namespace to restricted; spark-job meets that"
    return [Check("pod-security", state, what, "" if state == OK else cure)]


def guard(facts: Readiness) -> list[Check]:
    """Where Kubernetes has what it takes."""
    if facts.version < SINCE_GUARD:
        return []
    if facts.guard is None:
        what = "guard: not checked, you may not list ValidatingAdmissionPolicyBindings"
        return [Check("guard", WARN, what, "ask an admin to run this")]
    if not facts.guard:
        what = "guard: none; who runs jobs here can use every account, Secret, priority class and node"
        return [Check("guard", WARN, what, "set guard.enabled of spark-namespace to auto")]
    return [Check("guard", OK, f"guard: {len(facts.guard)} policies judge what this namespace holds")]


def releases(facts: Readiness) -> list[Check]:
    """What helm holds must be of kinds that there are: else it can neither upgrade nor uninstall."""
    if facts.releases is None:
        what = "Helm releases: not checked, you may not list Secrets in all namespaces"
        return [Check("releases", WARN, what, "ask an admin to run this")]
    checks = []
    for release in facts.releases:
        name = f"Helm release {release.name} in {release.namespace} holds"
        if release.unread:
            cure = "remove it: anyone who may make a ConfigMap may label it as helm does"
            checks.append(Check("releases", WARN, release.unread, cure))
        elif release.gone:
            what = f"{name} {', '.join(release.gone)}, which this Kubernetes does not have: helm cannot upgrade it"
            checks.append(Check("releases", FAIL, what, f"kindling mend {release.name} -n {release.namespace}"))
        elif release.going:
            what = f"{name} {', '.join(release.going)}, which Kubernetes 1.25 does not have"
            cure = f"before the cluster goes there: helm upgrade {release.name} … --set podSecurity.mode=psa"
            checks.append(Check("releases", WARN, what, cure))
    return checks or [Check("releases", OK, "Helm releases: all that they hold is of kinds that there are")]


def quota(facts: Readiness) -> list[Check]:
    """What ResourceQuotas leave."""
    if facts.quotas is None:
        return [Check("quota", WARN, "ResourceQuota: not checked, you may not list them", "ask an admin to run this")]
    if not facts.quotas:
        return [Check("quota", OK, "ResourceQuota: none")]
    checks = []
    for item in facts.quotas:
        left = {
            what: parse_quantity(hard) - parse_quantity(item.used.get(what, "0")) for what, hard in item.hard.items()
        }
        figures = ", ".join(f"{what} {item.used.get(what, '0')} of {hard} used" for what, hard in item.hard.items())
        small = [what for what, hard in item.hard.items() if parse_quantity(hard) < _first_job(what)]
        short = [what for what, rest in left.items() if rest < _first_job(what)]
        # A part of spark-namespace's holds one role's pods, not a whole job.
        if small and item.name not in PARTS:
            cure = f"a small job never fits: have {', '.join(small)} of the quota raised{quota_value(item.name)}"
            checks.append(Check("quota", WARN, f"ResourceQuota {item.name}: {figures}", cure))
        elif short:
            cure = f"a small job needs more of {', '.join(short)}: wait for runs to end, or have the quota raised"
            checks.append(Check("quota", WARN, f"ResourceQuota {item.name}: {figures}", cure))
        elif "limits.cpu" in item.hard and "cpu" not in (facts.defaults or ()):
            cure = (
                "it refuses pods without a CPU limit: set driver.limitCores and executor.limitCores, "
                "or limits.default.cpu in spark-namespace"
            )
            checks.append(Check("quota", WARN, f"ResourceQuota {item.name}: {figures}", cure))
        else:
            checks.append(Check("quota", OK, f"ResourceQuota {item.name}: {figures}"))
    return checks


def _first_job(resource: str) -> Decimal:
    """What a small job asks of a quota's resource: "requests.cpu", "limits.memory", "pods", …; 0 of others."""
    return Decimal(parse_quantity(_FIRST_JOB.get(resource.rpartition(".")[2], "0")))


CHECKS: tuple[Callable[[Readiness], list[Check]], ...] = (
    version,
    namespace,
    rights,
    pod_security,
    guard,
    releases,
    quota,
    capacity,
    dns,
    storage,
)
