"""docs/reference/access.md: what each identity may do, from the Roles that spark-namespace renders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chartproof.helm import Helm
from chartproof.manifest import Manifest
from kindling_dev.settings import REPO

PAGE = REPO / "docs/reference/access.md"
SUBMITTERS, VIEWERS = "`access.submitters`", "`access.viewers`"
SUBMITTER, DRIVER, UI_PROXY = "`spark-submitter`", "`spark-driver`", "`spark-ui-proxy`"
STATEFUL = f"{DRIVER}, besides, with `driver.statefulSets`"
COLUMNS = (SUBMITTERS, VIEWERS, SUBMITTER, DRIVER, STATEFUL, UI_PROXY)
NOTHING = ("spark-executor", "spark-history")
"""The accounts that may do nothing."""
NEVER = (
    *("secrets", "serviceaccounts", "serviceaccounts/token", "pods/exec", "pods/attach", "pods/ephemeralcontainers"),
    *("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io", "nodes", "namespaces"),
)
"""What no identity may do anything with; as kubectl writes resources."""
_NAMESPACE = "team-a"
_BOUND = {
    SUBMITTERS: "submitter",
    VIEWERS: "viewer",
    SUBMITTER: "spark-submitter",
    DRIVER: "spark-driver",
    STATEFUL: "spark-driver",
    UI_PROXY: "spark-ui-proxy",
}
"""Column -> the subject whose rights it tells."""
_TEXT = """# What each identity may do

<!-- Written by scripts/generate from the Roles of charts/spark-namespace; a test asks API servers for all of it. -->

All of it in the team's own namespace alone: nothing in another one, nothing that is the cluster's. A column is an
identity: the people, groups and service accounts that `access.submitters` and `access.viewers` of
[spark-namespace](../../charts/spark-namespace/README.md) name, and the namespace's service accounts. Executors
(`spark-executor`) and the history server (`spark-history`) may do nothing, and have no token. `applications` of the
group `kindling.local` are Spark applications as spark-ui-proxy knows them: `get` is to see one's UI, `update` is to
kill in it. spark-ui-proxy, besides, may list, watch and patch one ConfigMap in the namespace of its own release, the
list of logouts.

{table}

With `submitter.networkPolicies: false` nobody who submits makes `networkpolicies`; with `global.isolateApplications`
people who submit may do all with them, since releases of spark-job have their own; with `submitter.podMonitors` they
may do all with `podmonitors.monitoring.coreos.com`. An account that `accounts` names may do what the first column or
the second says; it, or its owners, may ask for that one account's tokens.

Where there is no [guard](../guides/guard.md) (Kubernetes below 1.30, or `guard.enabled: false`), rights that only the
guard makes safe are not granted: whoever submits has none on `services` and `networkpolicies`, and drivers have none
on `configmaps`, `services` and `persistentvolumeclaims`. `guard.rightsWithout` asks for them.

Else no identity may do anything with {never}; none may impersonate, bind or escalate.

No right reads a Secret; pods do. Who may make pods or Jobs in a namespace reaches what its pods may have: accounts,
Secrets and volumes of that namespace and of no other, since Kubernetes 1.30 those alone that the guard lists. With
`submitter.podMonitors` below 1.30 it is every Secret of the namespace, which Prometheus reads for who asks. So a team
is one namespace; within it, people share what its applications have. [Security](../security.md) tells who can attack
what.
"""


@dataclass(frozen=True)
class Rights:
    """Who may do what: resource, "statefulsets/scale.apps", -> column -> verbs, in the Roles' own order."""

    verbs: dict[str, dict[str, list[str]]]

    @classmethod
    def of_charts(cls, helm: Helm) -> Rights:
        """What spark-namespace grants."""
        by_default, stateful = (_render(helm, stateful_sets=on) for on in (False, True))
        found: dict[str, dict[str, list[str]]] = {}
        for column, subject in _BOUND.items():
            for resource, verb in _granted(stateful if column == STATEFUL else by_default, subject):
                if column != STATEFUL or verb not in found.get(resource, {}).get(DRIVER, []):
                    found.setdefault(resource, {}).setdefault(column, []).append(verb)
        return cls(dict(sorted(found.items())))

    @classmethod
    def of_page(cls, page: Path = PAGE) -> Rights:
        """What the page says."""
        rows = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
        return cls(
            {
                cells[0].strip("`"): {
                    column: cell.split() for column, cell in zip(COLUMNS, cells[1:], strict=True) if cell != "-"
                }
                for cells in rows[1:]
            }
        )

    def text(self) -> str:
        """The page."""
        lines = [" | ".join(("resource", *COLUMNS)), " | ".join(["---"] * (len(COLUMNS) + 1))]
        for resource, who in self.verbs.items():
            lines.append(" | ".join((f"`{resource}`", *(" ".join(who.get(column, ["-"])) for column in COLUMNS))))
        table = "\n".join(f"| {line} |" for line in lines).replace("| --- |", "|---|").replace(" --- |", "---|")
        never = ", ".join(f"`{resource}`" for resource in NEVER)
        return _TEXT.format(table=table, never=never)


def write_page(helm: Helm) -> Path:
    """Write the page; return its path."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(Rights.of_charts(helm).text())
    return PAGE


def _render(helm: Helm, *, stateful_sets: bool) -> Manifest:
    values: dict[str, Any] = {
        "namespace": {"name": _NAMESPACE},
        "access": {"submitters": {"users": ["submitter"]}, "viewers": {"users": ["viewer"]}},
        "global": {"uiProxy": {"namespace": "proxies"}},
        "driver": {"statefulSets": stateful_sets},
    }
    return helm.template(REPO / "charts/spark-namespace", values=values, checked=False)


def _granted(manifest: Manifest, subject: str) -> Iterator[tuple[str, str]]:
    """Resource and verb of every right that bindings give to a subject."""
    for binding in manifest.all("RoleBinding"):
        if subject in [named["name"] for named in binding.body["subjects"]]:
            for rule in manifest.one("Role", binding.body["roleRef"]["name"]).body["rules"]:
                for resource in rule["resources"]:
                    for group in rule["apiGroups"]:
                        yield from ((f"{resource}.{group}".rstrip("."), verb) for verb in rule["verbs"])
