"""The page about spark-ui-proxy's API is that of its document."""

from kindling_dev import api_page


def test_the_page_of_the_api_is_that_of_its_document() -> None:
    assert api_page.text() == api_page.PAGE.read_text(), "run scripts/generate"
