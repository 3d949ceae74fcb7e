"""What a suite lets pass has a reason, and is of use."""

from collections.abc import Iterator
from pathlib import Path

from chartproof import Manifest
from chartproof.checks import Rendered, Violation
from chartproof.review import Exemption, Review, external

RENDERED = Rendered(Manifest("{kind: Job, metadata: {name: nightly}}"), Path("charts/mine"), "mine", "team-a")


def colour(rendered: Rendered) -> Iterator[Violation]:
    """Every object is blue."""
    for resource in rendered.manifest:
        yield Violation("colour", f"{resource.kind}/{resource.name}", "is red: paint it blue")


def test_a_violation_without_an_exemption_is_reported() -> None:
    review = Review([colour], [Exemption("size", "*", "it is small"), Exemption("colour", "Pod/*", "pods may")])
    assert [str(violation) for violation in review.violations(RENDERED)] == [
        "colour: Job/nightly: is red: paint it blue"
    ]
    assert len(review.unused()) == 2


def test_an_exemption_covers_its_rule_its_objects_and_its_messages() -> None:
    covering = Exemption("colour", "Job/night*", "nobody sees it", says="is red*")
    idle = Exemption("colour", "Job/night*", "nobody sees it", says="is green*")
    review = Review([colour], [covering, idle])
    assert review.violations(RENDERED) == []
    assert review.unused() == [idle]


def test_what_is_external_is_named_by_kind_and_name() -> None:
    missing = Violation("references", "Job/nightly", "Secret/login is not in the release")
    assert external("Secret", "log*", "made by the admin").covers(missing)
    assert not external("ConfigMap", "login", "made by the admin").covers(missing)
    keyless = Violation("references", "Job/nightly", "Secret/login has no key 'user', only ['password']")
    assert not external("Secret", "login", "made by the admin").covers(keyless)
