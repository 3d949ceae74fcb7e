"""The page on access says what the charts grant."""

from chartproof import Helm
from kindling_dev.access_page import NEVER, PAGE, Rights


def test_the_page_is_that_of_the_charts(helm: Helm) -> None:
    rights = Rights.of_charts(helm)
    assert PAGE.read_text() == rights.text(), "run scripts/generate"
    assert Rights.of_page() == rights, "a test of this page reads what it says"


def test_what_no_one_may_do_is_in_no_role(helm: Helm) -> None:
    assert set(Rights.of_charts(helm).verbs).isdisjoint(NEVER)
