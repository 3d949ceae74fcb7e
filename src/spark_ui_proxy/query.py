"""What a list shows: the same words in the page's URL and in the API's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

LIVE = ("pending", "running")
FINISHED = ("succeeded", "failed", "ended", "unfinished")
STATES = {"live": LIVE, "finished": FINISHED, **{state: (state,) for state in (*LIVE, *FINISHED)}}
"""What `state` may be -> the states of applications that it means."""
SORTS = ("namespace", "name", "user", "state", "started", "duration", "executors", "cpu", "memory")
MOST_WORDS = 8
MOST_ROWS = 500


class QueryError(ValueError):
    """A query that means nothing; its text is one line."""


@dataclass(frozen=True)
class Query:
    """Which applications, in which order.

    Attributes:
        q: words that must all stand in a name, id, user, namespace, pod or version; upper and lower case are one.
        namespace, user: exactly that one; "": any.
        state: a key of `STATES`; "": any.
        sort: one of `SORTS`, with "-" before it the largest first; "": live ones first, then the latest.
        page: counts from 1.
        limit: rows of a page, 1 to 500.
    """

    q: str = ""
    namespace: str = ""
    state: str = ""
    user: str = ""
    sort: str = ""
    page: int = 1
    limit: int = 50

    @classmethod
    def parse(cls, raw: Mapping[str, str]) -> Query:
        """A query from a URL's.

        Raises:
            QueryError: a key that is not known, a value that cannot be.
        """
        names = [item.name for item in fields(cls)]
        for key in raw:
            if key not in names:
                raise QueryError(f"{key} is not known; known are {', '.join(names)}")
        text = {key: raw.get(key, "") for key in ("q", "namespace", "state", "user", "sort")}
        query = cls(**text, page=_number(raw, "page", 1, 10**6), limit=_number(raw, "limit", 50, MOST_ROWS))
        if query.state and query.state not in STATES:
            raise QueryError(f"state is {query.state!r}: one of {', '.join(STATES)} is expected")
        if query.sort and query.sort.removeprefix("-") not in SORTS:
            raise QueryError(f"sort is {query.sort!r}: one of {', '.join(SORTS)} is expected, or that with - before it")
        if len(query.q) > 200:
            raise QueryError(f"q has {len(query.q)} characters: 200 at most are expected")
        if len(query.words) > MOST_WORDS:
            raise QueryError(f"q has {len(query.words)} words: {MOST_WORDS} at most are expected")
        return query

    def url(self, **changes: Any) -> str:
        """`?…` of this query with some of it changed; another filter or order begins at the first page again."""
        if "page" not in changes:
            changes["page"] = 1
        default = asdict(Query())
        said = {key: value for key, value in asdict(replace(self, **changes)).items() if value != default[key]}
        return f"?{urlencode(said)}" if said else ""

    @property
    def words(self) -> tuple[str, ...]:
        """What must all be found."""
        return tuple(dict.fromkeys(self.q.lower().split()))

    @property
    def filtered(self) -> bool:
        """Whether it leaves any application out."""
        return bool(self.q.strip() or self.namespace or self.state or self.user)


def _number(raw: Mapping[str, str], key: str, default: int, most: int) -> int:
    text = raw.get(key, str(default))
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 1 <= int(text) <= most:
        raise QueryError(f"{key} is {text!r}: a number from 1 to {most} is expected")
    return int(text)
