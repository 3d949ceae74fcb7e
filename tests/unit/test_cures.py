"""Every cure that ``kindling`` can print names values that the charts have; each text of its source is asked."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from cures import GAP, SOURCE, Text, texts, texts_of
from kubernetes import client

from kindling.causes import chart_values, fetch_faults, kerberos_faults
from kindling.causes.known_faults import Fault
from kindling_dev import spark_properties
from kindling_dev.settings import REPO

DRIVERS = ("spark-job", "spark-notebook", "spark-connect")
ROLES = {"spark-job": ("driver", "executor", "submitter"), **dict.fromkeys(DRIVERS[1:], ("driver", "executor"))}
_DOTTED = re.compile(r"(?<![\w./@:%-])[a-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9_-]*)+(?:\[\])?(?![\w/(])")
_CAMEL = re.compile(r"(?<![\w./@:%-])[a-z]+(?:[A-Z][a-z0-9]*)+(?![\w(])")
_ASKED = re.compile(r"\b(?:[Ss]et|[Rr]aise|[Ll]ower|[Cc]orrect|[Ll]oosen|value of) ([a-z]+)(?![\w.])")
_ENGLISH = ("a", "an", "it", "its", "no", "the", "them", "what", "up", "anew", "settings")
_FILES = (".xml", ".conf", ".tgz", ".yaml", ".py", ".zip", ".jar", ".tar", ".crt", ".key", ".txt")
_OTHERS_OWN = (
    "dfs.",
    "kueue.",
    "hadoop.",
    "fs.",
    "kubernetes.",
    "k8s.",
    "io.",
    "org.",
    "com.",
    "java.",
    "py4j.",
    "pyspark.",
)
"""Settings of Hadoop, labels of Kueue, host names, and names of classes."""


def values_of(chart: str) -> dict[str, Any]:
    """A chart's values."""
    found: dict[str, Any] = yaml.safe_load((REPO / "charts" / chart / "values.yaml").read_text())
    return found


CHARTS = {path.parent.name: values_of(path.parent.name) for path in (REPO / "charts").glob("*/values.yaml")}
TEMPLATES = "".join(path.read_text() for path in (REPO / "charts").glob("*/templates/**/*.tpl"))
OF_SPARK = {*spark_properties.load(), *re.findall(r"spark\.[\w.]+(?=[: ])", TEMPLATES), "spark.jars.ivySettings"}
"""What Spark's classes know of Kubernetes, and what the charts set besides."""
OF_LISTS = (REPO / "charts/spark-namespace/values.schema.json").read_text()
OF_KUBERNETES = {
    name
    for kind in dir(client)
    if kind.startswith("V1")
    for name in getattr(getattr(client, kind), "attribute_map", {}).values()
}


def has(values: Any, path: str) -> bool:
    """Whether values have a path; a list's items and free maps have what their comments say."""
    for name in path.removesuffix("[]").split("."):
        if isinstance(values, list) or values == {}:
            return True
        if not isinstance(values, dict) or name not in values:
            return False
        values = values[name]
    return True


def names_in(text: str) -> Iterator[str]:
    """All in a text that may be the name of a value."""
    for pattern in (_DOTTED, _CAMEL):
        yield from (found[0] for found in pattern.finditer(text))
    yield from (found[1] for found in _ASKED.finditer(text) if found[1] not in _ENGLISH)


def is_no_value(name: str) -> bool:
    """Whether it is the name of something else that exists: a file, a setting, a field of Kubernetes."""
    if name.startswith("spark."):
        return name in OF_SPARK or any(known.startswith(name) for known in OF_SPARK)
    if name.endswith(_FILES) or name.startswith(_OTHERS_OWN):
        return True
    if f'"{name}"' in OF_LISTS and name in ("clusterMode", "driverObjects"):
        return True
    return all(part in OF_KUBERNETES for part in name.removeprefix("spec.").split("."))


def charts_for(text: Text) -> tuple[list[str], bool]:
    """The charts of which a text may name values, and whether each of them must have those."""
    of_namespace = ["spark-namespace"] if "spark-namespace" in text.words or "guard" in text.words else []
    if text.module == "causes/chart_values.py" or not text.module.startswith("causes/"):
        return list(CHARTS), False  # the first is run, below; others are asked by whoever has any chart
    if "of spark-job" in text.words:
        return ["spark-job"], True
    if of_namespace:
        return [*DRIVERS, *of_namespace], False
    return list(DRIVERS), True


def unknown_in(text: Text) -> list[str]:
    """What a text names that no chart has."""
    if text.words in NAMES:
        return []
    charts, each = charts_for(text)
    of_app = [fault.cure for fault in FAULTS if fault.cure_of_conf]
    of_app += [fetch_faults.A_DEPENDENCY, "app.repositories"]
    wrong = []
    for name in dict.fromkeys(names_in(text.words)):
        holders = [chart for chart in charts if has(CHARTS[chart], name)]
        enough = len(holders) == len(charts) if each else bool(holders)
        # Of a fault with two cures, the first is told of spark-job alone.
        enough = enough or (holders == ["spark-job"] and text.words in of_app)
        if not enough and not is_no_value(name):
            wrong.append(f"{name} (only {', '.join(holders) or 'nobody'} has it)")
    return wrong


NAMES = get_args(chart_values.Name)
"""Arguments of ``chart_values.of``, which mypy holds to these, and a test tries with each role."""
FAULTS: tuple[Fault, ...] = (*fetch_faults.FAULTS, *kerberos_faults.FAULTS, *kerberos_faults.UNREACHED)
TEXTS = [text for text in texts() if text.module.startswith("causes/") or " " in text.words]
"""Elsewhere a word alone is a key of JSON, not a cure."""


def test_the_walk_finds_the_cures_of_each_module() -> None:
    modules = {text.module for text in TEXTS}
    assert {f"causes/{path.name}" for path in (SOURCE / "causes").glob("*.py")} <= modules | {"causes/known_faults.py"}
    words = "\n".join(text.words for text in TEXTS)
    patterns = [re.escape(text.words).replace(re.escape(GAP), ".*") for text in TEXTS]
    for fault in FAULTS:
        for cure in filter(None, (fault.cure, fault.cure_of_conf)):
            assert any(re.fullmatch(pattern, cure) for pattern in patterns), f"no text of the source: {cure}"
    assert "raise deadlineSeconds" in words
    assert f"kubectl delete pod {GAP}" in words
    assert "quota.hard" in words


def test_a_cure_is_found_however_it_is_written(tmp_path: Path) -> None:
    source = tmp_path / "causes.py"
    source.write_text(
        """
def why(x):
    '''set a.docstring'''
    if "set a.sign" in x:
        cure = f"set {x}.one" + "set a.two"
    return replace(x, cure=cure if x else {"set a.three": [f"{f'set a.four'}"]}[x].format(y="set a.five"))
"""
    )
    found = {text.words for text in texts_of(source, tmp_path)}
    assert found == {f"set {GAP}.one", "set a.two", "set a.three", GAP, "set a.four", "set a.five"}


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("raise driver.memory", []),
        ("raise driver.memori", ["driver.memori"]),
        ("set nothing", ["nothing"]),
        ("set retries", ["retries"]),
        ("set app.jars", ["app.jars"]),
        ("set quota.hard of spark-namespace", []),
        ("set spark.executor.maxNumFailures in sparkConf", []),
        ("set spark.executor.maxFailures in sparkConf", ["spark.executor.maxFailures"]),
        ("raise deadLine", ["deadLine"]),
    ],
)
def test_a_wrong_name_is_found(words: str, wrong: list[str]) -> None:
    found = unknown_in(Text("causes/any.py", 1, words))
    assert [name.partition(" ")[0] for name in found] == wrong


@pytest.mark.parametrize("module", sorted({text.module for text in TEXTS}))
def test_each_text_names_values_that_charts_have(module: str) -> None:
    wrong = [f"{name} in {text}" for text in TEXTS if text.module == module for name in unknown_in(text)]
    assert wrong == []


def test_a_roles_values_are_filled_in_by_chart_values_alone() -> None:
    glued = re.compile(rf"{GAP}\.[a-z]")
    of_values = ("causes/chart_values.py",)
    wrong = [
        str(t) for t in TEXTS if t.module.startswith("causes/") and t.module not in of_values and glued.search(t.words)
    ]
    assert wrong == []


def told_by_chart_values(chart: str) -> Iterator[str]:
    """All that ``chart_values`` can say for a chart."""
    functions = [
        one for _, one in inspect.getmembers(chart_values, inspect.isfunction) if not one.__name__.startswith("_")
    ]
    domains = {"chart": (chart,), "role": ROLES[chart]}
    names = {
        "of": NAMES,
        "volumes": ("home", "login", "tls", "data", ""),
        "quota": ("spark", "spark-drivers", "spark-submitters", "tight"),
    }
    for function in functions:
        parameters = inspect.signature(function).parameters
        given = {**domains, **({"name": names[function.__name__]} if "name" in parameters else {})}
        yield from (function(*arguments) for arguments in itertools.product(*(given[name] for name in parameters)))
    yield from (chart_values.DEADLINE, chart_values.FAIL_FAST) if chart == "spark-job" else ()


@pytest.mark.parametrize("chart", DRIVERS)
def test_what_chart_values_says_is_in_that_chart(chart: str) -> None:
    said = sorted(set(told_by_chart_values(chart)))
    assert len(said) > len(NAMES)
    for text in said:
        holders = [CHARTS[chart], CHARTS["spark-namespace"]] if "spark-namespace" in text else [CHARTS[chart]]
        names = [*names_in(text.replace("(data)", "")), *re.findall(r"(?:^|, )([a-z]+)(?=$|, )", text)]
        for name in names:
            assert any(has(values, name) for values in holders) or is_no_value(name), f"{chart} has no {name}: {text}"


def test_a_fault_of_spark_job_alone_has_a_second_cure() -> None:
    for fault in FAULTS:
        for chart in DRIVERS[1:]:
            told = fault.cure_of_conf or fault.cure
            holders = (CHARTS[chart], CHARTS["spark-namespace"]) if "spark-namespace" in told else (CHARTS[chart],)
            lacks = [n for n in names_in(told) if not is_no_value(n) and not any(has(values, n) for values in holders)]
            assert lacks == [], f"{fault.id} names what {chart} has not: {told}"
