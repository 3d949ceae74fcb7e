"""Building programs from pinned Go modules: once for each content of go.mod, go.sum, own source and flags."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kindling_dev.command import Failure, run
from kindling_dev.fingerprint import fingerprint
from kindling_dev.lock import one_at_a_time
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings


@dataclass(frozen=True)
class GoModule:
    """A folder with a go.mod that pins programs, and what to build of it.

    Attributes:
        folder: where go.mod and go.sum stand, below the repository's root.
        programs: program name -> package that has its main function.
        stamps: Go variable -> value given by the linker; an unstamped program reports a wrong version.
        tags: Go build tags.
    """

    folder: str
    programs: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""

    @property
    def path(self) -> Path:
        """The module's folder."""
        return REPO / self.folder

    def version(self, module: str) -> str:
        """The version ("v1.34.0") that go.mod requires of a module."""
        return required_version(self.path / "go.mod", module)


def required_version(go_mod: Path, module: str) -> str:
    """The version ("v1.34.0") that a go.mod file requires of a module."""
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod.read_text(), re.MULTILINE)
    if not found:
        raise Failure(f"{go_mod.relative_to(REPO)} does not require {module}")
    return found[1]


def build(module: GoModule, settings: Settings, progress: Progress, only: tuple[str, ...] = ()) -> Path:
    """Build a module's programs (or only some) unless that was done before; return the folder that holds them."""
    programs = {name: package for name, package in module.programs.items() if not only or name in only}
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in sorted(module.stamps.items()))])
    source = sorted(module.path.glob("*.go"))
    key = fingerprint(module.path / "go.mod", module.path / "go.sum", *source, flags, module.tags)
    folder = settings.cache / "go/programs" / f"{module.path.name}-{key}"
    if any(not (folder / name).exists() for name in programs):
        _check_go(module)
        folder.mkdir(parents=True, exist_ok=True)
        for name, package in programs.items():
            with one_at_a_time(folder / f".{name}.lock", progress):
                if not (folder / name).exists():
                    _build_program(module, package, folder / name, flags, settings, progress)
    return folder


def _build_program(
    module: GoModule, package: str, program: Path, flags: str, settings: Settings, progress: Progress
) -> None:
    unfinished = program.with_name(f".{program.name}.unfinished")
    with progress.step(f"building {program.name} ({module.folder}) into {program.parent}"):
        run(
            ["go", "build", "-trimpath", "-tags", module.tags, "-ldflags", flags, "-o", unfinished, package],
            cwd=module.path,
            env=go_environment(settings),
            log=settings.logs / f"go-{module.path.name}.log",
            what=f"build {program.name}",
        )
    unfinished.rename(program)


def module_folder(module: GoModule, name: str, settings: Settings) -> Path:
    """Where Go keeps the source of a required module (downloaded if need be)."""
    path = run(
        ["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", name],
        cwd=module.path,
        env=go_environment(settings),
        what=f"find the source of {name}",
    ).strip()
    if not path:
        run(
            ["go", "mod", "download", name],
            cwd=module.path,
            env=go_environment(settings),
            what=f"download the source of {name}",
        )
        return module_folder(module, name, settings)
    return Path(path)


def go_environment(settings: Settings) -> dict[str, str]:
    """Variables for the go command: caches in our folder, static programs."""
    return {
        "GOCACHE": str(settings.cache / "go/build"),
        "GOMODCACHE": str(settings.cache / "go/mod"),
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
    }


def _check_go(module: GoModule) -> None:
    if not shutil.which("go"):
        raise Failure("Go is not installed; install Go 1.26 or newer and run this again")
    wanted = re.search(r"^go (\d+)\.(\d+)", (module.path / "go.mod").read_text(), re.MULTILINE)
    have = re.search(r"go(\d+)\.(\d+)", run(["go", "env", "GOVERSION"]))
    if os.environ.get("GOTOOLCHAIN", "") != "local" or not wanted or not have:
        return  # the go command gets itself the toolchain that go.mod names
    if tuple(map(int, have.groups())) < tuple(map(int, wanted.groups())):
        raise Failure(f"go {have[1]}.{have[2]} is too old for {module.folder}; install Go {wanted[1]}.{wanted[2]}")
