"""Numbers for Prometheus. Labels are namespaces that are shown and words of this service, never what a client sends."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from spark_ui_proxy.index import Index
from spark_ui_proxy.memory import Memory
from spark_ui_proxy.watcher import Watch, Watcher

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


class Metrics:
    """What is counted as it happens; the rest is read when asked for.

    Args:
        index, watcher, memories: read when Prometheus asks.
        watches: others than the watcher's.
    """

    def __init__(
        self, index: Index, watcher: Watcher, memories: Iterable[Memory[Any, Any]], watches: Iterable[Watch]
    ) -> None:
        self.registry = CollectorRegistry()
        self._watcher = watcher
        self._decisions = Counter(
            "spark_ui_proxy_decisions",
            "Decisions about requests for the UIs of applications and history servers.",
            ("namespace", "reason"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "spark_ui_proxy_decision_seconds", "How long a decision took.", buckets=_BUCKETS, registry=self.registry
        )
        self.registry.register(_State(index, watcher, tuple(memories), tuple(watches)))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def decided(self, namespace: str, reason: str, seconds: float) -> None:
        """Count a decision; a namespace that is not shown counts as none."""
        self._decisions.labels(namespace if self._watcher.shows(namespace) else "", reason).inc()
        self._seconds.observe(seconds)


class _State(Collector):
    def __init__(
        self, index: Index, watcher: Watcher, memories: tuple[Memory[Any, Any], ...], watches: tuple[Watch, ...]
    ) -> None:
        self._index = index
        self._watches = watches
        self._watcher = watcher
        self._memories = memories

    def collect(self) -> Iterator[Metric]:
        prefix = "spark_ui_proxy"
        age = GaugeMetricFamily(f"{prefix}_watch_age_seconds", "Since the API server's last word.", labels=["scope"])
        synced = GaugeMetricFamily(f"{prefix}_watch_synced", "1: what it tells counts.", labels=["scope"])
        lists = CounterMetricFamily(f"{prefix}_watch_lists", "How often a watch listed all.", labels=["scope"])
        for watch in (*self._watcher.all_watches(), *self._watches):
            age.add_metric([watch.scope], watch.age)
            synced.add_metric([watch.scope], int(watch.fresh and not watch.problem))
            lists.add_metric([watch.scope], watch.lists)
        applications = GaugeMetricFamily(
            f"{prefix}_applications", "Applications whose driver's pod is there.", labels=["namespace", "state"]
        )
        for (namespace, state), number in Count(
            (app.namespace, app.state) for app in self._index.applications.values()
        ).items():
            applications.add_metric([namespace, state], number)
        histories = GaugeMetricFamily(f"{prefix}_history_servers", "That are ready.", labels=["namespace"])
        for namespace in self._index.histories:
            histories.add_metric([namespace], 1)
        reviews = CounterMetricFamily(
            f"{prefix}_reviews", "Questions to the API server about people.", labels=["about", "answered_from"]
        )
        for memory in self._memories:
            reviews.add_metric([memory.name, "memory"], memory.hits)
            reviews.add_metric([memory.name, "api_server"], memory.misses)
        yield from (age, synced, lists, applications, histories, reviews)
