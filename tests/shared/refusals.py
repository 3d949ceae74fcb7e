"""Types of what tests of refused values are given: see the fixture ``refusal_of`` of tests/render."""

from collections.abc import Callable
from typing import Any

from chartproof import Render

Values = dict[str, Any]
RefusalOf = Callable[[Render, Values], str]
"""(renders a chart, values that it must refuse) -> what it says of them."""
