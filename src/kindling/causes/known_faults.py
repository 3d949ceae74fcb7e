"""Faults that show in an error, in tables: what each means, and what to do.

Standard library and Python 3.8 only: ``scripts/generate`` copies this file and the tables that use it to the chart's
programs, which run in any Spark image and put the same words into a pod's termination message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Explained:
    """A fault that was found: ``line`` is where it shows; ``cure_of_conf`` as of ``Fault``."""

    id: str
    cause: str
    cure: str
    line: str
    cure_of_conf: str = ""


@dataclass(frozen=True)
class Fault:
    """A fault that shows in an error.

    Attributes:
        id: the finding's.
        signs: words of which one is in the error.
        cause, cure: one sentence each; ``{principal}``, ``{address}`` and the like: what the error names.
        within: words that are in the error besides.
        cure_of_conf: the cure for a chart that has no values ``app``, but ``sparkConf``; "": the same.
    """

    id: str
    signs: tuple[str, ...]
    cause: str
    cure: str
    within: str = ""
    cure_of_conf: str = ""

    def sign_in(self, error: str) -> str:
        """The sign by which an error tells of this fault; "" if it does not."""
        if self.within not in error:
            return ""
        return next((sign for sign in self.signs if sign in error), "")

    def explained(self, line: str, names: Mapping[str, str]) -> Explained:
        """This fault with the names that the error has."""
        cause, cure, of_conf = (text.format(**names) for text in (self.cause, self.cure, self.cure_of_conf))
        return Explained(self.id, cause, cure, line, of_conf)


def first_of(faults: Iterable[Fault], error: str) -> tuple[Fault, str] | None:
    """The first fault that an error tells of, and the line with its sign."""
    for fault in faults:
        sign = fault.sign_in(error)
        if sign:
            return fault, line_with(sign, error)
    return None


def line_with(words: str, error: str) -> str:
    """The first line of an error that has the words, or ""."""
    return next((line.strip() for line in error.splitlines() if words in line), "")
