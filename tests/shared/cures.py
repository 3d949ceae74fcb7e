"""All that ``kindling`` tells people to set or to run, as its source has it: no list is kept by hand.

Each text of ``src/kindling`` is taken, whatever it is for, but for docstrings, patterns and signs of a fault. A part
that is filled in when it is told stands as GAP; values of a role are filled in by ``chart_values`` alone, which is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kindling_dev.settings import REPO

GAP = "\N{WHITE SQUARE}"
"""What stands for a part of an f-string."""
SOURCE = REPO / "src/kindling"
_NOT_TEXT = (
    "compile",
    "sign_in",
    "startswith",
    "endswith",
    "fullmatch",
    "match",
    "search",
    "removeprefix",
    "partition",
)
"""Functions whose arguments are looked for, and not told."""
_PROGRAM = re.compile(r"(?<![\w./-])(kindling|kubectl|helm) (?=[a-z])((?:(?! and )[^;:,`()\"])*)")
_ENGLISH = ("able", "cannot", "does", "may", "must", "that", "was", "work")
"""Words after "helm" where that is the subject of a sentence, or its object."""


@dataclass(frozen=True)
class Text:
    """A text of the source, and where it stands: "causes/waiting.py:12"."""

    module: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.words}"


def texts() -> list[Text]:
    """All texts of the program."""
    return [text for path in sorted(SOURCE.rglob("*.py")) for text in texts_of(path, SOURCE)]


def texts_of(path: Path, folder: Path) -> Iterator[Text]:
    """The texts of a module, whose name is its path in a folder."""
    tree = ast.parse(path.read_text())
    skipped = {id(node) for parent in ast.walk(tree) for node in _skipped(parent)}
    module = str(path.relative_to(folder))
    yield from _walk(tree, skipped, module)


def _walk(node: ast.AST, skipped: set[int], module: str) -> Iterator[Text]:
    if id(node) in skipped:
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        if words := _words(node):
            yield Text(module, node.lineno, words)
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from _walk(part.value, skipped, module)
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, skipped, module)


def _words(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else GAP for part in node.values
    )


def _skipped(node: ast.AST) -> Iterator[ast.AST]:
    """What of a node is no text for people."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        yield from (one.value for one in node.body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.Compare):
        yield node.left
        yield from node.comparators
    elif isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in _NOT_TEXT:
            yield from node.args
        if name == "Fault":  # id, signs, cause, cure, within
            yield from (*node.args[1:2], *node.args[4:5])
            yield from (word.value for word in node.keywords if word.arg == "within")


def commands_told() -> dict[str, Text]:
    """Each command that a text tells of, "kubectl logs --previous □ --container □", and the text."""
    found = {}
    for text in texts():
        for match in _PROGRAM.finditer(text.words):
            if match[2].split()[0] not in _ENGLISH:
                found[match[0].strip()] = text
    return found
