"""Rules for every render, a module a theme. What a suite lets pass nevertheless, it lists as ``Exemption``s."""

from __future__ import annotations

from chartproof.checks import Rule
from chartproof.helm import Helm
from chartproof.rules.again import deterministic, image_registry, name_clashes, secret_canary
from chartproof.rules.names import names
from chartproof.rules.pods import pod_security, probes, resources
from chartproof.rules.rbac import cluster_roles, hooks, rights
from chartproof.rules.references import references
from chartproof.rules.secrets import secrets
from chartproof.rules.selectors import selectors

__all__ = ["comparing_rules", "default_rules"]


def default_rules(*, level: str = "restricted") -> list[Rule]:
    """The rules that hold for every render of any chart.

    Args:
        level: Pod Security level of namespaces that a render does not make.
    """
    return [
        references,
        selectors,
        pod_security(level),
        resources,
        probes,
        rights,
        cluster_roles,
        hooks,
        names,
        secrets,
    ]


def comparing_rules(helm: Helm) -> list[Rule]:
    """The rules that compare a render with others, up to four: for each scenario, not for each render."""
    return [deterministic(helm), image_registry(helm), name_clashes(helm), secret_canary(helm)]
