"""Rules asked of renders, and what a suite lets pass: each exemption has a reason and must be of use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from chartproof.checks import Rendered, Rule, Violation


@dataclass(frozen=True)
class Exemption:
    """What a suite lets pass, and why.

    Attributes:
        rule: the rule's name.
        about: the object, as a shell pattern: "Job/nightly-*".
        reason: why it is right.
        says: the message, as a shell pattern.
    """

    rule: str
    about: str
    reason: str
    says: str = "*"

    def covers(self, violation: Violation) -> bool:
        """Whether it lets a violation pass."""
        return (
            self.rule == violation.rule
            and fnmatchcase(violation.about, self.about)
            and fnmatchcase(violation.message, self.says)
        )


def external(kind: str, name: str, reason: str) -> Exemption:
    """An object that is not the release's to make; its name may be a shell pattern."""
    return Exemption("references", "*", reason, f"{kind}/{name} is not in the release")


@dataclass
class Review:
    """Rules and exemptions, over all renders of a run.

    Attributes:
        rules: what is asked.
        exemptions: what passes nevertheless.
    """

    rules: Sequence[Rule]
    exemptions: Sequence[Exemption] = ()
    _used: set[Exemption] = field(default_factory=set)

    def violations(self, rendered: Rendered) -> list[Violation]:
        """What is wrong with a render and not exempt."""
        found = []
        for violation in (violation for rule in self.rules for violation in rule(rendered)):
            covering = {exemption for exemption in self.exemptions if exemption.covers(violation)}
            self._used |= covering
            if not covering:
                found.append(violation)
        return found

    def unused(self) -> list[Exemption]:
        """Exemptions that no render so far needed."""
        return [exemption for exemption in self.exemptions if exemption not in self._used]
