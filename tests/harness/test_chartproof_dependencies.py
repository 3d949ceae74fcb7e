"""What a chart depends on by ``file://`` is packed into it as it is now, and only then."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chartproof import Helm
from chartproof.helm import build_dependencies

FILES = {
    "shared/Chart.yaml": "{apiVersion: v2, name: shared, version: 0.1.0, description: what both have}",
    "shared/values.yaml": "colour: blue",
    "shared/templates/parts/_a.tpl": "{{ define `a` }}a{{ end }}",
    "shared/templates/a.yaml": "colour: {{ .Values.colour }}\nfile: {{ .Files.Get `text` }}",
    "shared/text": "one",
    "shared/.helmignore": "notes",
    "shared/notes": "not packed",
    "mine/Chart.yaml": "apiVersion: v2\nname: mine\nversion: 0.1.0\ndependencies:\n"
    "  - {name: shared, version: 0.x.x, repository: file://../shared}\n  - {name: byhand, version: 0.1.0}",
    "mine/charts/byhand/Chart.yaml": "{apiVersion: v2, name: byhand, version: 0.1.0}",
    "alone/Chart.yaml": "apiVersion: v2\nname: alone\nversion: 0.1.0\ndependencies:",
}


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    """A folder of charts, one of which depends on another."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    build_dependencies(tmp_path, Helm())
    return tmp_path


def state(package: Path) -> tuple[int, int]:
    """What changes when a file is written anew, and not when it is read."""
    stat = package.stat()
    return stat.st_ino, stat.st_mtime_ns


def test_what_is_packed_already_stays(charts: Path) -> None:
    (package,) = (charts / "mine/charts").glob("*.tgz")
    made = state(package)
    build_dependencies(charts, Helm())
    assert state(package) == made


@pytest.mark.parametrize(
    "edit",
    [
        lambda shared: (shared / "values.yaml").write_text("colour: red"),
        lambda shared: (shared / "text").write_text("two"),
        lambda shared: (shared / "templates/parts/_a.tpl").write_text("{{ define `a` }}b{{ end }}"),
        lambda shared: (shared / "templates/b.yaml").write_text("new: true"),
        lambda shared: (shared / "templates/a.yaml").unlink(),
        lambda shared: (shared / "Chart.yaml").write_text(FILES["shared/Chart.yaml"].replace("both", "all")),
    ],
    ids=["values", "file", "template in a folder", "new file", "file that went", "Chart.yaml"],
)
def test_what_changed_is_packed_anew(charts: Path, edit: Callable[[Path], object]) -> None:
    edit(charts / "shared")
    (package,) = (charts / "mine/charts").glob("*.tgz")
    before = state(package)
    build_dependencies(charts, Helm())
    assert state(package) != before
    built = state(package)
    build_dependencies(charts, Helm())
    assert state(package) == built
