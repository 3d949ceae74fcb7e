"""Looking for the smallest draw that goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from chartproof.fuzz.draws import Draw


def search(draws: st.SearchStrategy[Draw], wrong: Callable[[Draw], Sequence[str]], *, number: int, seed: int) -> None:
    """Ask some draws; of those that go wrong find the simplest.

    Args:
        draws: what to draw from.
        wrong: what is wrong with the answer to a draw.
        number: how many to ask.
        seed: the same seed draws the same.

    Raises:
        AssertionError: a draw went wrong; the message says what, and gives its values as a scenario.
    """

    @seeded(seed)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        # A render takes as long as it takes.
        suppress_health_check=list(HealthCheck),
    )
    @given(draws)
    def ask(draw: Draw) -> None:
        if said := wrong(draw):
            lines = [*said, f"seed {seed}, as a scenario:", draw.as_scenario()]
            raise AssertionError("\n".join(lines))

    with _no_constants_of_modules():
        ask()


@contextmanager
def _no_constants_of_modules() -> Iterator[None]:
    """Hypothesis draws constants of whatever modules are imported: in another run, a seed would draw otherwise."""
    none = Constants(integers=set(), floats=set(), bytes=set(), strings=set())
    with patch.object(providers.HypothesisProvider, "_local_constants", none):
        providers.CONSTANTS_CACHE.cache.clear()
        yield
    providers.CONSTANTS_CACHE.cache.clear()
