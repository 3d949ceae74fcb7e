"""docs/reference/spark-properties.md: what spark-job does with each property, found by rendering."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from chartproof import HelmError, Manifest
from chartproof.helm import Helm
from kindling_dev.settings import REPO
from kindling_dev.spark_image import LINES
from kindling_dev.spark_properties import Known, Properties, load, named_by_charts

PAGE = REPO / "docs/reference/spark-properties.md"
CHART = REPO / "charts/spark-job"
USE, PASSED, REFUSED, GONE = "use", "passed through", "refused", "gone"
_REFUSAL = re.compile(
    r"sparkConf sets \S+, which (?P<why>the chart sets itself|Spark no longer has); "
    r"(?P<what>use instead|leave it out): (?P<cure>.*)"
)
_SUBMISSION = (
    *("spark.kubernetes.submission.", "spark.kubernetes.file.upload.path"),
    *("spark.kubernetes.driver.service.", "spark.kubernetes.driver.master", "spark.kubernetes.driver.pod."),
    "spark.kubernetes.driver.securityContext.",
)
"""What Spark asks for when it makes a driver's pod or its Service: in client mode Kubernetes made the pod."""
_GROUPS = {
    "Cluster, namespace, images": ("namespace", "context", "trust.*", "driver.master", "*container.image*"),
    "Submission": (
        "submission.*",
        "submit*",
        "setSubmit*",
        "report.*",
        "file.*",
        "jars.*",
        "appKill*",
        "resource.type",
    ),
    "Who asks the API server": ("authenticate.*", "driver.requestTimeout", "driver.connectionTimeout"),
    "The driver's Service": ("driver.service.*",),
    "Labels, annotations, environment, nodes": ("*.label.", "*.annotation.", "driverEnv.", "*node.selector."),
    "Secrets and volumes": (
        *("*.secrets.", "*.secretKeyRef.", "*.volumes.", "*PersistentVolumeClaim", "*.pvc.*", "local.*"),
        "legacy.useReadWriteOnceAccessMode",
    ),
    "Hadoop and Kerberos": ("hadoop.*", "kerberos.*", "executor.hadoop*"),
    "CPU, memory, shape of pods": (
        *("*.cores", "memoryOverheadFactor", "*.pod.*", "*.podTemplate*", "*.podName*", "*scheduler.*"),
        *("*securityContext.*", "configMap.*", "*.disableConfigMap", "*.resourceNamePrefix", "*.resize*"),
        *("*.terminationGracePeriodSeconds", "driver.annotateExitException"),
    ),
    "How many executors, and for how long": ("allocation.*", "dynamicAllocation.*", "executor*", "decommission.*"),
    "The rest": ("*",),
}
"""Heading -> patterns of what follows "spark.kubernetes." in those below it; the first that fits."""
_GENERAL = "Properties of Spark anywhere that the chart sets"
_GONE = "Gone"
_TEXT = """# Spark's properties

<!-- Written by scripts/generate from Spark's own classes and what charts/spark-job renders; tests do both again. -->

Every `spark.kubernetes.*` and `spark.kerberos.*` of Spark {lines}, and what spark-job does with it in `sparkConf` or
`global.sparkConf`:

* **use** something: the property is refused in a line that names the value of spark-job, or the property, to use;
* **passed through**: Spark gets it as it is given;
* **refused**: it follows from how Kindling runs Spark;
* **gone**: older pages name it, and no Spark that is supported heeds it; it is refused with what took its place.

Other properties, such as `spark.sql.shuffle.partitions`, are passed through, apart from those of [the event
log](../guides/history.md) and of [the hardened preset](../guides/hardened.md), where they are on. A `*` stands for any
name. `none` under "in Spark" is a property that pages name and these lines do not know. Defaults are Spark's.

Spark ignores properties that do not begin with `spark.`, with no more than a warning. The charts refuse them, with the
right spelling: `spark.hadoop.fs.s3a.endpoint` for `fs.s3a.endpoint`, `spark.hadoop.hive.metastore.uris` for
`hive.metastore.uris`.

{sections}
"""


@dataclass(frozen=True)
class Outcome:
    """What the chart does with a property.

    Attributes:
        kind: USE: it is refused, and a value or another property sets it; PASSED: Spark gets it as it is given;
            REFUSED: nothing of the user's sets it; GONE: it is refused, and no Spark that is supported heeds it.
        cure: what to use, or why there is nothing; where it is passed, the chart's own default.
    """

    kind: str
    cure: str = ""


def rows() -> Properties:
    """The properties of the page: those of Spark, and what the chart refuses besides."""
    known = load()
    named = {key: dict[str, Known]() for key in named_by_charts() if not any(other.startswith(key) for other in known)}
    return dict(sorted({**named, **known}.items()))


def example(key: str, lines: Mapping[str, Known]) -> dict[str, str]:
    """A property with a value that no line has by default, as sparkConf."""
    defaults = {known.default for known in lines.values()}
    given = "true" if "false" in defaults else "false" if "true" in defaults else "7"
    return {f"{key}example" if key.endswith(".") else key: given}


def render(helm: Helm, conf: Mapping[str, Any], mode: str = "client") -> dict[str, str]:
    """The properties that spark-job writes for Spark, given some as sparkConf.

    Raises:
        HelmError: the chart refuses them.
    """
    values = {"app": {"file": "local:///app.jar", "mainClass": "a.Main"}, "mode": mode, "sparkConf": conf}
    return properties_of(helm.template(CHART, values=values, checked=False))


def properties_of(manifest: Manifest) -> dict[str, str]:
    """The properties in a render of spark-job."""
    text = next(one.body["data"]["spark.properties"] for one in manifest.all("ConfigMap") if "data" in one.body)
    return dict(line.split("=", 1) for line in text.splitlines() if line)


def outcome(helm: Helm, key: str, lines: Mapping[str, Known]) -> Outcome:
    """What the chart does with a property as these lines know it, found by giving it.

    Raises:
        HelmError: the chart refuses it in other words than this page knows.
    """
    given = example(key, lines)
    try:
        written = render(helm, given)
    except HelmError as error:
        refusal = _REFUSAL.search(str(error))
        if not refusal:
            raise
        kind = USE if refusal["what"] == "use instead" else REFUSED
        return Outcome(GONE if refusal["why"] == "Spark no longer has" else kind, refusal["cure"])
    lost = given.items() - written.items()
    assert not lost, f"{lost} is neither refused nor passed through"
    return Outcome(PASSED, render(helm, {}).get(key, ""))


def text(helm: Helm) -> str:
    """The page."""
    sections: dict[str, list[str]] = {heading: [] for heading in (*_GROUPS, _GENERAL, _GONE)}
    names = value_names()
    for key, lines in rows().items():
        found = outcome(helm, key, lines)
        name, said = f"`{key}{'*' * key.endswith('.')}`", _said(key, lines, found, names)
        sections[_heading(key, found)].append(f"| {name} | {_default(lines)} | {', '.join(lines) or 'none'} | {said} |")
    return _TEXT.format(
        lines=" and ".join(LINES),
        sections="\n\n".join(
            f"## {heading}\n\n| property | default | in Spark | with Kindling |\n|---|---|---|---|\n" + "\n".join(found)
            for heading, found in sections.items()
            if found
        ),
    )


def write_page(helm: Helm) -> Path:
    """Write the page; return its path."""
    PAGE.write_text(text(helm))
    return PAGE


def value_names() -> set[str]:
    """The names of all values of spark-job, "driver.memory"."""
    return set(_names(yaml.safe_load((CHART / "values.yaml").read_text())))


def _names(values: Any, prefix: str = "") -> Iterable[str]:
    for key, value in values.items() if isinstance(values, dict) else ():
        yield f"{prefix}{key}"
        yield from _names(value, f"{prefix}{key}.")


def _heading(key: str, found: Outcome) -> str:
    if found.kind == GONE:
        return _GONE
    if key.startswith("spark.kerberos."):
        return "Hadoop and Kerberos"
    if not key.startswith("spark.kubernetes."):
        return _GENERAL
    rest = key.removeprefix("spark.kubernetes.")
    return next(heading for heading, patterns in _GROUPS.items() if any(fnmatchcase(rest, one) for one in patterns))


def _default(lines: Mapping[str, Known]) -> str:
    """Spark's default, and that of other lines where it differs."""
    defaults = {line: f"`{known.default}`" if known.default else "" for line, known in lines.items()}
    newest = next(iter(defaults.values()), "")
    older = [f"{line}: {default}" for line, default in defaults.items() if default not in ("", newest)]
    return ", ".join(filter(None, [newest, *older]))


def _said(key: str, lines: Mapping[str, Known], found: Outcome, names: set[str]) -> str:
    cure = _marked(found.cure, names)
    if found.kind == USE:
        return f"use {cure}"
    if found.kind == REFUSED:
        return f"refused: {cure}"
    if found.kind == GONE:
        return f"gone: {cure}"
    said = PASSED
    if key.startswith(_SUBMISSION):
        said += "; of use with `mode: cluster` alone"
    if found.cure:
        said += f"; the chart's own default is `{found.cure}`"
    if any(known.internal for known in lines.values()):
        said += "; Spark does not document it"
    return said


def _marked(cure: str, names: set[str]) -> str:
    """A cure with values and properties as code; a word of one part, "driver", is a value only in a list of values."""
    is_list = all(word in names for word in re.split(", | and | or ", cure))

    def mark(word: re.Match[str]) -> str:
        is_value = word[0] in names and (is_list or "." in word[0])
        return f"`{word[0]}`" if is_value or word[0].startswith(("spark.", "--")) else word[0]

    return re.sub(r"[\w.-]*\w", mark, cure)
