"""The properties of each Spark line that a page of the reference lists, read from Spark's own classes in its image.

``scripts/bootstrap kindling_dev.spark_properties`` reads them anew; a test does too, and says what differs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kindling_dev.command import Failure, run
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import LINES, SparkLine, ensure_spark_image

FILE = Path(__file__).with_name("spark_properties.json")
_PROGRAM = Path(__file__).with_name("spark_classes.py")
_OWNED = [REPO / "charts" / name for name in ("spark-common/templates/_owned.tpl", "spark-job/templates/_checks.tpl")]
_LISTED = ("spark.kubernetes.", "spark.kerberos.")


@dataclass(frozen=True)
class Known:
    """A property as a Spark line knows it.

    Attributes:
        default: as Spark writes it; "": none, or Spark says none.
        since: the version that brought it, "2.3.0"; "": Spark does not say.
        internal: whether Spark keeps it for itself, or for tests.
    """

    default: str = ""
    since: str = ""
    internal: bool = False


Properties = dict[str, dict[str, Known]]
"""Property, or what a family of them begins with and its last dot -> Spark line -> what that knows of it."""


def load() -> Properties:
    """What the tree holds."""
    return {
        key: {line: Known(**known) for line, known in lines.items()}
        for key, lines in json.loads(FILE.read_text()).items()
    }


def save(properties: Properties) -> None:
    """Write what the tree holds: a line for each property, so that a diff shows what a new Spark changed."""
    rows = [f"  {json.dumps(key)}: {json.dumps(_without_defaults(lines))}" for key, lines in sorted(properties.items())]
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def named_by_charts() -> set[str]:
    """Properties, or what families of them begin with, that spark-job refuses by name."""
    told = "".join(file.read_text() for file in _OWNED)
    return set(re.findall(r'^ +(?:\(list )?"(spark\.[\w.-]+)" ', told, re.MULTILINE))


def read(line: SparkLine, settings: Settings, progress: Progress) -> dict[str, Known]:
    """What an image's Spark knows of the listed families, and of what charts name."""
    image = ensure_spark_image(line, settings, progress)
    alone = ("--network=none", "--env=SPARK_LOCAL_HOSTNAME=localhost")
    argv = ["docker", "run", "--rm", "--interactive", *alone, "--entrypoint=python3", image, "-"]
    with _PROGRAM.open("rb") as program:
        said = run(argv, stdin=program, what=f"read the properties of Spark {line.version}", timeout=300)
    return listed(json.loads(said.splitlines()[-1]), named_by_charts())


def read_all(settings: Settings, progress: Progress) -> Properties:
    """What the Spark of each line knows."""
    found: Properties = {}
    for name, line in LINES.items():
        with progress.step(f"reading the properties of Spark {line.version}"):
            for key, known in read(line, settings, progress).items():
                found.setdefault(key, {})[name] = known
    return found


def differences(line: str, before: Properties, now: Mapping[str, Known]) -> list[str]:
    """What a Spark line knows otherwise than the tree says, a line each."""
    old = {key: lines[line] for key, lines in before.items() if line in lines}
    told = [f"{key} is new" for key in now.keys() - old.keys()]
    told += [f"{key} is gone" for key in old.keys() - now.keys()]
    for key in old.keys() & now.keys():
        was, is_now = asdict(old[key]), asdict(now[key])
        told += [f"{key}: {name} was {was[name]}, is {is_now[name]}" for name in was if was[name] != is_now[name]]
    return [f"Spark {line}: {difference}" for difference in sorted(told)]


def listed(said: dict[str, Any], named: set[str]) -> dict[str, Known]:
    """Of what the program in the image says, the properties that are listed."""
    entries = {
        key: Known("" if entry["default"] == "<undefined>" else entry["default"], entry["since"], entry["internal"])
        for key, entry in said["entries"].items()
    }
    keys = {*entries, *said["constants"], *said["credentials"]}
    # Credentials begin with texts that are no property; a family covers what it begins with.
    parts = {key.rpartition(".")[0] for key in said["credentials"]} | {"spark.kubernetes.authenticate.executor"}
    listed = {key for key in keys - parts - {*_LISTED} if key.startswith(_LISTED) or key in named}
    families = [key for key in listed if key.endswith(".")]
    covered = {key for key in listed for family in families if key != family and key.startswith(family)}
    return {key: entries.get(key, Known()) for key in sorted(listed - covered)}


def _without_defaults(lines: Mapping[str, Known]) -> dict[str, dict[str, Any]]:
    return {line: {name: value for name, value in asdict(known).items() if value} for line, known in lines.items()}


def main() -> int:
    """Read the properties anew, print what changed, and write them."""
    try:
        found = read_all(Settings.from_environment(), Progress())
    except Failure as failure:
        print(f"kindling: {failure}", file=sys.stderr)
        return 1
    before = load() if FILE.exists() else {}
    for line in LINES:
        now = {key: lines[line] for key, lines in found.items() if line in lines}
        for difference in differences(line, before, now):
            print(difference)
    save(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
