"""What answers a render's question: the helm program, or chartproof's renderer, which stays and counts branches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Timer
from typing import Any, Protocol

import yaml

from chartproof.errors import HelmError, complaint
from chartproof.helm_yaml import HelmLoader, TwiceError

RENDERER = "chartproof-renderer"
_TIMEOUT_S = 300
_SOURCE = "# Source: "  # the line in which helm names an object's template


@dataclass(frozen=True)
class Question:
    """What is to be rendered.

    Attributes:
        chart: the chart's folder or package.
        release: name of the release.
        namespace: namespace of the release.
        files: values files, later ones winning.
        values: a JSON object that wins over all files, or "".
        kube: the Kubernetes version to render for, "1.34"; "": helm's own.
        apis: API versions to add to helm's own, "monitoring.coreos.com/v1".
    """

    chart: Path
    release: str
    namespace: str
    files: tuple[Path, ...] = ()
    values: str = ""
    kube: str = ""
    apis: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What helm rendered, or its error.

    Attributes:
        manifest: what ``helm template`` prints; "" with an error.
        objects: the objects of it.
        error: what helm says, or "".
        branches: every branch of the chart's templates, "CHART/templates/FILE:LINE: if .Values.x".
        taken: indices of those that the render took; the program counts none.
    """

    manifest: str
    objects: list[dict[str, Any]]
    error: str = ""
    branches: Sequence[str] = ()
    taken: Sequence[int] = ()


class Engine(Protocol):
    """Renders.

    Attributes:
        program: what runs: its file's state is part of a cached render's key.
    """

    program: str

    def answer(self, question: Question) -> Answer:
        """Render."""


class Program:
    """``helm template``, a process for each render."""

    def __init__(self, program: str = "helm") -> None:
        self.program = program

    def answer(self, question: Question) -> Answer:
        """Render; branches are not counted."""
        argv = [self.program, "template", question.release, str(question.chart), "--namespace", question.namespace]
        argv += [f"--values={path}" for path in question.files]
        argv += [f"--kube-version={question.kube}"] if question.kube else []
        argv += [f"--api-versions={api}" for api in question.apis]
        argv += ["--values=-"] if question.values else []
        done = subprocess.run(
            argv, input=question.values, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        if done.returncode:
            return Answer("", [], complaint(done.stderr))
        try:
            return Answer(done.stdout, [body for body in yaml.load_all(done.stdout, Loader=HelmLoader) if body])
        except TwiceError as error:
            return Answer("", [], _refusal_of(error, done.stdout))


def _refusal_of(error: TwiceError, manifest: str) -> str:
    """What helm says of such YAML where it is strict, as the renderer does: helm itself takes the last of the keys."""
    above = manifest.splitlines()[: error.line]
    at = max((number for number, line in enumerate(above, 1) if line.startswith(_SOURCE)), default=0)
    told = f"line {error.line - at}: {error.told}"
    source = above[at - 1].removeprefix(_SOURCE)
    return f"YAML parse error on {source}: error converting YAML to JSON: yaml: unmarshal errors:\n  {told}"


class Renderer:
    """chartproof's renderer: helm's own code in a process that stays; it starts with the first question."""

    def __init__(self, program: str = RENDERER) -> None:
        self.program = program
        self._process: subprocess.Popen[str] | None = None

    def answer(self, question: Question) -> Answer:
        """Render and count branches.

        Raises:
            HelmError: the renderer ended without an answer.
        """
        if self._process is None:
            self._process = subprocess.Popen(
                [self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = Timer(_TIMEOUT_S, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps(asdict(question), default=str) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            code, self._process = self._process.wait(), None
            raise HelmError(f"{self.program} ended with exit code {code} at {question}; its messages are above")
        said = json.loads(line)
        branches = [f"{b['template']}:{b['line']}: {b['text']}" for b in said["branches"] or ()]
        return Answer(said["manifest"], said["objects"] or [], said["error"].strip(), branches, said["taken"] or ())

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def state_of(program: str) -> str:
    """What changes when a program does: the file that it is, its size and its time.

    Raises:
        HelmError: it is not on PATH.
    """
    found = shutil.which(program)
    if not found:
        raise HelmError(f"{program} is not on PATH; install it and run this again")
    path = Path(found).resolve()
    stat = os.stat(path)  # noqa: PTH116 - one call for both
    return f"{path}:{stat.st_size}:{stat.st_mtime_ns}"
