"""The list of applications, live and finished, as each person may see it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from spark_ui_proxy.finished import Finished, FinishedApplication
from spark_ui_proxy.index import Application, Index
from spark_ui_proxy.query import LIVE, STATES, Query
from spark_ui_proxy.viewing import Sight

SHARED = "shs"
"""Stands for the namespace of what the shared history server alone knows: no namespace may have this name."""
_HISTORY_FOLLOWS = timedelta(minutes=10)
"""How long an application whose pod is gone is shown before its history server has it."""
_KEPT_OF_A_POD = 32
"""Of those that ended in one pod so many are shown before the history has them: a driver may make up any number."""
_KEPT_ANSWERS = 64
_PLACE = attrgetter("place")


@dataclass(frozen=True, slots=True)
class Row:
    """One application.

    Attributes:
        namespace: `shs` for one that the shared history server alone knows.
        state: `pending`, `running`; its pod ended: `succeeded`, `failed`; its pod is gone: `failed` (its log says so),
            `ended` (nothing says how), `unfinished` (its log has no end: the driver was killed, or runs elsewhere).
        ended: None while it lives, or where nobody knows.
        pod: the driver's; "" if nobody knows.
        executors, cpu, memory: what runs and what it asks for; None when it does not live.
        live: the application of the index, while its driver's pod is there.
        in_history: its history server lists it; `attempt` is then the id of its last attempt, or "".
        text: what a search looks in.
        place: by which rows are in order if nobody asks for another: live ones first, then the latest.
    """

    namespace: str
    app_id: str
    name: str
    user: str
    state: str
    started: datetime
    ended: datetime | None
    spark_version: str
    pod: str = ""
    executors: int | None = None
    cpu: float | None = None
    memory: int | None = None
    problem: str = ""
    disputed: bool = False
    live: Application | None = None
    in_history: bool = False
    attempt: str = ""
    text: str = field(init=False)
    place: tuple[bool, float, str] = field(init=False)

    def __post_init__(self) -> None:
        texts = (self.name, self.app_id, self.user, self.namespace, self.pod, self.state, self.spark_version)
        object.__setattr__(self, "text", "\n".join(texts).lower())
        latest = (self.ended or self.started).timestamp()
        object.__setattr__(self, "place", (self.state not in LIVE, -latest, self.app_id))

    @property
    def duration(self) -> timedelta | None:
        """From start to end, or to now while it lives; None where nobody knows the end."""
        if self.state in LIVE:
            return datetime.now(UTC) - self.started
        return self.ended - self.started if self.ended else None


@dataclass(frozen=True)
class Found:
    """The answer to a query.

    Attributes:
        rows: of the page asked for.
        total: how many there are on all pages.
        pages: how many pages that makes, at least 1.
        states: state -> how many there would be with it, all else as asked.
        users: all that own an application in what may be seen.
    """

    rows: tuple[Row, ...]
    total: int
    pages: int
    states: Counter[str]
    users: tuple[str, ...]


@dataclass
class _View:
    """What one set of namespaces shows: rows by order, answers by query."""

    rows: list[Row]
    users: tuple[str, ...]
    orders: dict[str, list[Row]] = field(default_factory=dict)
    answers: dict[Query, tuple[list[Row], Counter[str]]] = field(default_factory=dict)


class Listing:
    """The list, made again when what it is made of changes.

    Args:
        shared: namespace of the shared history server, or "".
    """

    def __init__(self, index: Index, finished: Finished, shared: str = "") -> None:
        self._index = index
        self._finished = finished
        self._shared = shared
        self._made_of = (-1, -1)
        self._live: dict[tuple[str, str], Row] = {}
        self._ended: dict[tuple[str, str], Row] = {}
        self._pods: dict[str, dict[str, Row]] = {}
        self._ids: frozenset[str] = frozenset()
        self._past: dict[str, dict[str, Row]] = {}
        self._past_of: dict[str, dict[str, FinishedApplication]] = {}
        self._views: dict[Sight, _View] = {}
        self._counts: dict[str, Counter[str]] = {}

    def refresh(self) -> None:
        """Take in what changed; cheap if nothing did."""
        self._forget_ended()
        made_of = (self._index.version, self._finished.version)
        if made_of == self._made_of:
            return
        same_past = made_of[1] == self._made_of[1]
        self._made_of = made_of
        self._views.clear()
        self._counts.clear()
        if not same_past:
            self._read_histories()
        before = self._live
        self._live = {}
        for key, application in self._index.applications.items():
            row = before.get(key)
            known = row and row.live is application and (same_past or row.state in LIVE)
            self._live[key] = row if row and known else self._of_pod(application)
        now = datetime.now(UTC)
        for key in before.keys() - self._live.keys():
            row = before[key]
            state = "ended" if row.state in LIVE else row.state
            self._ended[key] = replace(
                row, state=state, ended=row.ended or now, live=None, executors=None, cpu=None, memory=None
            )
        self._ended = _latest_of_pods(
            {key: row for key, row in self._ended.items() if key not in self._live and not self._in_history(*key)}
        )
        self._pods = defaultdict(dict)
        for (namespace, app_id), row in (*self._ended.items(), *self._live.items()):
            self._pods[namespace][app_id] = row
        self._ids = frozenset(app_id for _, app_id in (*self._ended, *self._live))
        self._finished.expect(frozenset(namespace for namespace, _ in self._ended))

    def _read_histories(self) -> None:
        for namespace, history in self._finished.histories.items():
            if self._past_of.get(namespace) is not history.applications:
                self._past_of[namespace] = history.applications
                home = SHARED if namespace == self._shared else namespace
                rows = sorted((_of_history(home, known) for known in history.applications.values()), key=_PLACE)
                self._past[home] = {row.app_id: row for row in rows}

    def find(self, query: Query, sight: Sight) -> Found:
        """What a query finds among what somebody may see."""
        self.refresh()
        view = self._view(sight)
        asked = replace(query, page=1, limit=1)
        if asked not in view.answers:
            while len(view.answers) >= _KEPT_ANSWERS:
                view.answers.pop(next(iter(view.answers)))
            view.answers[asked] = self._filter(view, query)
        rows, states = view.answers[asked]
        pages = max(1, -(-len(rows) // query.limit))
        first = (min(query.page, pages) - 1) * query.limit
        return Found(tuple(rows[first : first + query.limit]), len(rows), pages, states, view.users)

    def get(self, namespace: str, app_id: str, sight: Sight) -> Row | None:
        """One application, if there is one that may be seen."""
        self.refresh()
        if not self._may_see(namespace, sight):
            return None
        key = (namespace, app_id)
        return self._live.get(key) or self._ended.get(key) or self._past.get(namespace, {}).get(app_id)

    def count(self, namespace: str) -> Counter[str]:
        """State -> applications of a namespace."""
        self.refresh()
        if namespace not in self._counts:
            self._counts[namespace] = Counter(row.state for row in self._rows([namespace]))
        return self._counts[namespace]

    def _view(self, sight: Sight) -> _View:
        key = replace(sight, viewer="", may_log_out=False)
        if key not in self._views:
            while len(self._views) >= _KEPT_ANSWERS:
                self._views.pop(next(iter(self._views)))
            rows = list(self._rows([*sight.namespaces, *([SHARED] if sight.everything else [])]))
            rows.sort(key=_PLACE)
            self._views[key] = _View(rows, tuple(sorted({row.user for row in rows if row.user})))
        return self._views[key]

    def _rows(self, namespaces: Iterable[str]) -> Iterable[Row]:
        for namespace in namespaces:
            pods = self._pods.get(namespace, {})
            yield from pods.values()
            # What the shared history tells of may run in any namespace.
            known: Container[str] = self._ids if namespace == SHARED else pods
            yield from (row for app_id, row in self._past.get(namespace, {}).items() if app_id not in known)

    def _filter(self, view: _View, query: Query) -> tuple[list[Row], Counter[str]]:
        if query.sort not in view.orders:
            view.orders[query.sort] = _sorted(view.rows, query.sort)
        rows = view.orders[query.sort]
        for name in ("namespace", "user"):
            if wanted := getattr(query, name):
                rows = [row for row in rows if getattr(row, name) == wanted]
        for word in query.words:
            rows = [row for row in rows if word in row.text]
        states = Counter(row.state for row in rows)
        if query.state:
            wanted_states = STATES[query.state]
            rows = [row for row in rows if row.state in wanted_states]
        return rows, states

    def _may_see(self, namespace: str, sight: Sight) -> bool:
        return sight.everything if namespace == SHARED else namespace in sight.namespaces

    def _in_history(self, namespace: str, app_id: str) -> bool:
        return app_id in self._past.get(namespace, {}) or app_id in self._past.get(SHARED, {})

    def _of_pod(self, application: Application) -> Row:
        past = self._past.get(application.namespace, {}).get(application.app_id)
        live = application.state in LIVE
        in_history = bool(past and not live)
        return Row(
            namespace=application.namespace,
            app_id=application.app_id,
            name=application.name,
            user=application.user,
            state=application.state,
            started=application.created,
            ended=None if live else application.ended or (past.ended if past else None),
            spark_version=application.spark_version,
            pod=application.pod,
            executors=application.executors if live else None,
            cpu=application.cpu if live else None,
            memory=application.memory if live else None,
            problem=application.problem,
            disputed=application.disputed,
            live=application,
            in_history=in_history,
            attempt=past.attempt if past and in_history else "",
        )

    def _forget_ended(self) -> None:
        limit = datetime.now(UTC) - _HISTORY_FOLLOWS
        gone = [key for key, row in self._ended.items() if row.ended and row.ended < limit]
        for key in gone:
            del self._ended[key]
        if gone:
            self._made_of = (-1, -1)


def _latest_of_pods(rows: dict[tuple[str, str], Row]) -> dict[tuple[str, str], Row]:
    """Rows in the order in which they came, less those of which later ones of the same pod are too many."""
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for key, row in reversed(rows.items()):
        seen[row.namespace, row.pod] += 1
        if seen[row.namespace, row.pod] <= _KEPT_OF_A_POD:
            kept.append((key, row))
    return dict(reversed(kept))


def _of_history(namespace: str, known: FinishedApplication) -> Row:
    return Row(
        namespace=namespace,
        app_id=known.app_id,
        name=known.name,
        user=known.user,
        state="failed" if known.failed else "ended" if known.completed else "unfinished",
        started=known.started,
        ended=known.ended,
        spark_version=known.spark_version,
        in_history=True,
        attempt=known.attempt,
    )


_KEYS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row.name.lower(),
}


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """Rows by a column; those that have nothing in it come last, equals stay the latest first."""
    if not sort:
        return rows
    column = sort.removeprefix("-")
    key = _KEYS.get(column) or attrgetter(column)
    known = [row for row in rows if key(row) not in (None, "")]
    rest = [row for row in rows if key(row) in (None, "")]
    return sorted(known, key=key, reverse=sort.startswith("-")) + rest
