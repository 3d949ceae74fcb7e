"""Renders, once for each question: kept in memory and in a folder that the workers of a test run share."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chartproof.checks import Rendered, Rule, Violation
from chartproof.engine import Engine, Question, state_of
from chartproof.errors import helm_error
from chartproof.manifest import Manifest
from chartproof.tally import Tally
from chartproof.values import merged, values_of

_KEPT_S = 7 * 24 * 3600
_FORMAT = "3"  # of what is kept


class RuleError(AssertionError):
    """A render breaks rules; the message has a line for each violation."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("\n".join(["the render breaks rules:", *map(str, violations)]))
        self.violations = violations


class Store:
    """JSON documents by key, in a folder. A reader sees a whole document or none: they are renamed into place."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """A document, or None."""
        if self._folder is None:
            return None
        try:
            text = (self._folder / key).read_bytes()
        except FileNotFoundError:
            return None
        return json.loads(text)

    def put(self, key: str, document: Any) -> None:
        """Keep a document."""
        if self._folder is None:
            return
        unfinished = self._folder / f".{key}.{os.getpid()}"
        unfinished.write_text(json.dumps(document))
        unfinished.replace(self._folder / key)

    def forget_old(self) -> None:
        """Remove what was kept a week ago."""
        for path in self._folder.iterdir() if self._folder else ():
            if time.time() - path.stat().st_mtime > _KEPT_S:
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Kept:
    """An answer in memory: an error, or the text and its objects as JSON."""

    error: str
    text: str
    objects: str

    def manifest(self) -> Manifest:
        """The objects, anew each time: who changes one changes nobody else's."""
        return Manifest(self.text, json.loads(self.objects))


@dataclass
class Renders:
    """Renders by an engine, each once.

    Attributes:
        engine: what renders.
        store: where renders are kept between runs and shared between workers.
        rules: what is asked of each render.
        rules_made_of: files that the rules depend on, beside the modules that define them.
        tally: what was rendered.
    """

    engine: Engine
    store: Store = field(default_factory=lambda: Store(None))
    rules: Sequence[Rule] = ()
    rules_made_of: Sequence[Path] = ()
    tally: Tally = field(default_factory=Tally)
    _answers: dict[str, _Kept] = field(default_factory=dict)
    _broken: dict[str, list[Violation]] = field(default_factory=dict)
    _digests: Digests = field(default_factory=lambda: Digests())
    _engine_state: str = ""
    _rules_state: str = ""

    def render(self, question: Question, *, checked: bool = True) -> Manifest:
        """The answer to a question.

        Args:
            question: what to render.
            checked: whether the rules are asked; False for what a test breaks on purpose.

        Raises:
            HelmError: helm refused.
            RuleError: the render breaks rules.
        """
        __tracebackhide__ = True  # a test that fails shows its own lines, and what is wrong
        self._engine_state = self._engine_state or state_of(self.engine.program)
        chart = self._digests.of_tree(question.chart)
        key = _digest(
            [
                _FORMAT,
                self._engine_state,
                # The path's last part is in the templates' names where a package or folder is rendered.
                question.chart.name,
                chart,
                question.release,
                question.namespace,
                *(self._digests.of_file(file) for file in question.files),
                question.values,
                question.kube,
                *question.apis,
            ]
        )
        self.tally.asked(question.chart, question.files)
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = self._answer(question, key, chart)
        else:
            self.tally.in_memory += 1
        if found.error:
            raise helm_error(found.error)
        manifest = found.manifest()
        if checked and self.rules and (broken := self._violations(question, key, manifest)):
            raise RuleError(broken)
        return manifest

    def _answer(self, question: Question, key: str, chart: str) -> _Kept:
        branches_key = _digest([_FORMAT, self._engine_state, chart, "branches"])
        kept, branches = self.store.get(key), self.store.get(branches_key) or []
        if kept is None or (kept["taken"] and not branches):
            self.tally.misses += 1
            answer = self.engine.answer(question)
            branches = list(answer.branches)
            kept = {
                "manifest": answer.manifest,
                "objects": json.dumps(answer.objects),  # read where the objects are wanted
                "error": answer.error,
                "taken": list(answer.taken),
            }
            if branches:  # they are the chart's: a render that got not as far has none
                self.store.put(branches_key, branches)
            self.store.put(key, kept)
        else:
            self.tally.on_disk += 1
        self.tally.took(question.chart, branches, kept["taken"])
        return _Kept(kept["error"], kept["manifest"], kept["objects"])

    def _violations(self, question: Question, key: str, manifest: Manifest) -> list[Violation]:
        self._rules_state = self._rules_state or _digest(
            self._digests.of_file(path) for path in [*_sources(self.rules), *self.rules_made_of]
        )
        rules_key = _digest([key, self._rules_state])
        if rules_key not in self._broken:
            kept = self.store.get(rules_key)
            if kept is None:
                rendered = Rendered(
                    manifest,
                    question.chart,
                    question.release,
                    question.namespace,
                    question.kube,
                    _values(question),
                    question.apis,
                )
                violations = [violation for rule in self.rules for violation in rule(rendered)]
                kept = [[violation.rule, violation.about, violation.message] for violation in violations]
                self.store.put(rules_key, kept)
            self._broken[rules_key] = [Violation(*entry) for entry in kept]
        return self._broken[rules_key]


class Digests:
    """Digests of files' content, read again only where size or time differ."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int, int], str]] = {}

    def of_file(self, path: Path) -> str:
        """A file's."""
        return self._of(os.fspath(path), os.stat(path))  # noqa: PTH116 - quicker by half, and asked for each test

    def of_tree(self, path: Path) -> str:
        """That of all files of a folder, with their names; or of the file that the path names."""
        if path.is_file():
            return self.of_file(path)
        entries = sorted(_files(os.fspath(path)), key=lambda entry: entry.path)
        root = len(os.fspath(path))
        return _digest(part for entry in entries for part in (entry.path[root:], self._of(entry.path, entry.stat())))

    def _of(self, path: str, stat: os.stat_result) -> str:
        state = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        known = self._known.get(path)
        if known is None or known[0] != state:
            known = self._known[path] = (state, hashlib.sha256(Path(path).read_bytes()).hexdigest())
        return known[1]


def _values(question: Question) -> dict[str, Any]:
    return merged(values_of(question.files), json.loads(question.values or "{}"))


def _files(folder: str) -> Iterable[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path)
            else:
                yield entry


def _sources(rules: Iterable[Rule]) -> list[Path]:
    """The files of the packages that define the rules, or of a module outside one; and what else rules read."""
    found: set[Path] = set()
    for rule in _each(rules):
        found.update(getattr(rule, "reads", ()))
        module = inspect.getmodule(inspect.unwrap(getattr(rule, "func", rule))) or sys.modules[type(rule).__module__]
        package = sys.modules[module.__name__.partition(".")[0]]
        file = Path(str(package.__file__))
        found |= _package(file.parent) if file.name == "__init__.py" else {file}
    return sorted(found)


def _each(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Rules, and those that they ask: ``Review.violations`` is one rule of many."""
    for rule in rules:
        yield rule
        yield from _each(getattr(getattr(rule, "__self__", None), "rules", ()))


def _package(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"}


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()
