"""README, guides, examples' pages: their commands (``bash`` is what tests run, ``sh`` what they do not) and YAML."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kindling_dev.settings import REPO

GUIDES = REPO / "docs/guides"
_FENCE = re.compile(r"^( *)```(bash|sh|shell|console|yaml)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Lines of a fence.

    Attributes:
        page: "log-in" for docs/guides/log-in.md, "README" for the README, "examples/…" for that folder's.
        heading: of its section; "" above the first.
        language: of the fence.
        text: without the fence, and without its indentation.
    """

    page: str
    heading: str
    language: str
    text: str


def pages() -> list[str]:
    """The README, every guide, every example's README."""
    examples = sorted(str(file.parent.relative_to(REPO)) for file in REPO.glob("examples/*/README.md"))
    return ["README", *sorted(file.stem for file in GUIDES.glob("*.md") if file.stem != "README"), *examples]


def blocks(page: str) -> Iterator[Block]:
    """The shell commands of a page, from its top to its end."""
    return (block for block in _fences(page) if block.language != "yaml")


def manifests(page: str) -> Iterator[Block]:
    """The YAML of a page: values of charts, and objects of Kubernetes."""
    return (block for block in _fences(page) if block.language == "yaml")


def _fences(page: str) -> Iterator[Block]:
    for section in f"\n{_file(page).read_text()}".split("\n## "):
        heading, _, body = section.partition("\n")
        for indent, language, text in _FENCE.findall(body):
            yield Block(page, heading, language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))


def _file(page: str) -> Path:
    if page.startswith("examples/"):
        return REPO / page / "README.md"
    return REPO / "README.md" if page == "README" else GUIDES / f"{page}.md"


def commands(page: str, *headings: str) -> str:
    """What a test is to run of a page: all of it, or of some sections.

    Raises:
        ValueError: a section has nothing to run.
    """
    found = [block for block in blocks(page) if block.language == "bash"]
    if missing := set(headings) - {block.heading for block in found}:
        raise ValueError(f"{page} has nothing to run under {', '.join(sorted(missing))}; see its headings")
    return "".join(block.text for block in found if not headings or block.heading in headings)


def run_by(tests: Path) -> set[tuple[str, str]]:
    """Page and heading ("*": all) of what the tests of a folder run: their calls of ``commands``, written out."""
    found = set()
    for file in tests.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == commands.__name__:
                page, *headings = (ast.literal_eval(argument) for argument in node.args)
                found |= {(page, heading) for heading in headings or ["*"]}
    return found
