"""Each scenario renders the objects of its checked-in inventory."""

import re
from pathlib import Path

from chartproof import Manifest
from chartproof.checks import Rendered
from chartproof.inventory import Inventories, lines


def test_every_scenario_renders_what_its_inventory_lists(
    renders: dict[str, list[Rendered]], inventories: Inventories
) -> None:
    differences = [inventories.difference(scenario, of_one) for scenario, of_one in renders.items()]
    differences += [f"{name}: no scenario has this name" for name in inventories.stale()]
    assert not any(differences), "\n".join(filter(None, [*differences, "is it meant? run with --update-inventory"]))


def rendered(objects: str, kube: str = "1.34") -> Rendered:
    """A render of objects "kind name", one a line."""
    text = "---\n".join(
        f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
        for kind, name in map(str.split, objects.splitlines())
    )
    return Rendered(Manifest(text), Path("charts/mine"), "mine", "team-a", kube)


def test_a_hash_of_content_is_no_part_of_an_inventory() -> None:
    assert lines(
        [rendered("Job nightly-1a2b3c4d\nJob nightly-5e6f7a8b\nJob nightly-20261121\nJob nightly-facade")]
    ) == [
        "v1 Job nightly-20261121",
        "v1 Job nightly-<hash>",
        "v1 Job nightly-<hash>",
        "v1 Job nightly-facade",
    ]


def test_an_object_of_some_versions_says_so() -> None:
    renders = [rendered("Pod a\nPodSecurityPolicy b", "1.24"), rendered("Pod a", "1.25")]
    assert lines(renders) == ["v1 Pod a", "v1 PodSecurityPolicy b (Kubernetes 1.24)"]


def test_objects_that_appear_and_vanish_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/01-small.txt").write_text("v1 ConfigMap a\nv1 Role b\n")
    difference = Inventories(tmp_path).difference("mine/01-small", [rendered("ConfigMap a\nSecret c")])
    assert re.sub("@@.*\n", "", difference) == "-v1 Role b\n+v1 Secret c"


def test_a_scenario_without_an_inventory_and_an_inventory_without_a_scenario_fail(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("v1 ConfigMap a\n")
    inventories = Inventories(tmp_path)
    assert inventories.difference("new", [rendered("ConfigMap a")])
    assert inventories.stale() == ["old"]
