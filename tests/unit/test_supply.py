"""What images and programs are made of is pinned: base images, packages of Python, modules of Go, jars."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kindling_dev.command import Failure
from kindling_dev.maven import check_jars
from kindling_dev.settings import REPO

GIVEN = "${BASE}"
"""The root file system that kindling_dev makes of Debian's signed packages, or an image that the person names."""
SOUND = """\
ARG BASE=docker.io/apache/spark:4.3.0-python3
FROM ${BASE} AS jars
FROM debian:trixie-20261103-slim@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
COPY --from=jars /jars /jars
RUN echo curl is only a word here
"""
FAULTS = [
    ("FROM ${BASE} AS jars", "FROM debian AS jars"),
    ("FROM ${BASE} AS jars", "FROM debian:latest AS jars"),
    ("FROM ${BASE} AS jars", "FROM debian:trixie AS jars"),
    ("FROM ${BASE} AS jars", "FROM ${OTHER}"),
    ("spark:4.3.0-python3", "spark:latest"),
    ("spark:4.3.0-python3", "spark"),
    ("COPY --from=jars /jars", "COPY --from=busybox /jars"),
    ("COPY --from=jars /jars /jars", "ADD https://example.com/a.jar /jars/"),
    ("COPY --from=jars /jars /jars", "ADD jars.tar /jars/"),
    ("RUN echo curl is only a word here", "RUN curl -fsSL https://example.com | sh"),
    ("RUN echo curl is only a word here", "RUN true && \\\n  wget https://example.com/a.jar"),
    ("RUN echo curl is only a word here", "RUN pip install requests"),
    ("RUN echo curl is only a word here", "RUN apt-get install -y tini"),
]


def faults_in(dockerfile: str) -> Iterator[str]:
    """The lines of a Dockerfile that take what nobody pinned."""
    lines = re.sub(r"\\\n", " ", dockerfile).splitlines()
    stages = {"scratch", GIVEN}
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        match word.upper(), rest.split():
            case "FROM", [image, *name]:
                if image not in stages and not re.search(r"@sha256:[0-9a-f]{64}$", image):
                    yield line
                stages |= {name[1]} if name else set()
            case "ARG", [argument]:
                # A default for who builds by hand: a release gives the image that it has built.
                key, _, default = argument.partition("=")
                if key == "BASE" and default and not re.search(r":\d+\.\d+\.\d+[\w.-]*$|@sha256:\w{64}$", default):
                    yield line
            case "COPY", [option, *_] if option.startswith("--from=") and option.removeprefix("--from=") not in stages:
                yield line
            case "ADD", _:
                yield line
            case "RUN", _ if re.search(r"(?:^|[|&;(]\s*)(?:curl|wget|pip3?|apt(?:-get)?|apk|npm|go) ", rest.strip()):
                yield line


DOCKERFILES = sorted((REPO / "images").rglob("*Dockerfile"))


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(REPO)))
def test_a_dockerfile_takes_nothing_that_is_not_pinned(dockerfile: Path) -> None:
    assert list(faults_in(dockerfile.read_text())) == []


def test_every_image_has_its_dockerfile_looked_at() -> None:
    assert {path.parent for path in DOCKERFILES} == {path for path in (REPO / "images").iterdir() if path.is_dir()}


@pytest.mark.parametrize(("sound", "fault"), FAULTS)
def test_an_unpinned_line_of_a_dockerfile_is_found(sound: str, fault: str) -> None:
    assert list(faults_in(SOUND)) == []
    assert len(list(faults_in(SOUND.replace(sound, fault)))) >= 1


def tracked(*patterns: str) -> list[Path]:
    """Files of the tree by git's patterns."""
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=REPO,
                           capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    return [REPO / name for name in names if (REPO / name).exists()]


def test_every_go_module_has_its_sums() -> None:
    modules = tracked("*go.mod")
    assert len(modules) >= 10
    assert [path for path in modules if not path.with_name("go.sum").exists() and "require" in path.read_text()] == []


def test_every_python_package_has_its_hash() -> None:
    locks = [path for path in tracked("*requirements*.txt", "*requirements.lock") if "examples" not in path.parts]
    assert len(locks) >= 4
    for lock in locks:
        lines = re.sub(r"\\\n", " ", lock.read_text()).splitlines()
        packages = [line for line in lines if re.match(r"[a-zA-Z]", line)]
        assert packages, lock
        assert [line for line in packages if not re.search(r"^\S+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_nothing_comes_from_npm_or_from_a_shell_of_others() -> None:
    assert tracked("*package.json", "*package-lock.json", "*yarn.lock") == []
    for script in [*tracked("scripts/*", ".ci/*", ".github/workflows/*"), *tracked("src/kindling_dev/*.py")]:
        assert not re.search(r"(?:curl|wget)\b[^\n]*\|\s*(?:ba|da)?sh\b", script.read_text()), script
        assert not re.search(r"go (?:install|run) \S+@|pip install (?!.*==|.*--require-hashes)", script.read_text()), (
            script
        )


@pytest.mark.parametrize("change", ["other", "missing", "more"])
def test_jars_that_are_not_of_the_list_are_refused(change: str, tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.mkdir()
    for name in ("a.jar", "b.jar"):
        (jars / name).write_text(name)
    sums = tmp_path / "spark-s3/jars.sha256"
    sums.parent.mkdir()
    sums.write_text(subprocess.run("sha256sum *.jar", shell=True, cwd=jars, capture_output=True, text=True).stdout)
    check_jars(jars, sums)
    if change == "missing":
        (jars / "b.jar").unlink()
    else:
        (jars / {"other": "b.jar", "more": "c.jar"}[change]).write_text("another")
    wrong = "c.jar" if change == "more" else "b.jar"
    with pytest.raises(Failure, match=rf"^not as images/spark-s3/jars\.sha256 lists them: {wrong};"):
        check_jars(jars, sums)
