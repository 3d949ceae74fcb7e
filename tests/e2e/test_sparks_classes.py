"""The properties that the reference lists are those of the Spark in each image."""

from __future__ import annotations

import pytest

from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import LINES
from kindling_dev.spark_properties import differences, load, read


@pytest.mark.parametrize("line", LINES)
def test_the_list_is_that_of_sparks_own_classes(line: str) -> None:
    found = differences(line, load(), read(LINES[line], Settings.from_environment(), Progress()))
    assert not found, "\n".join([*found, "run scripts/bootstrap kindling_dev.spark_properties, then scripts/generate"])
