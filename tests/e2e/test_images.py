"""Where an image comes from: the engine, a registry that answers (a real one here), packages; in this order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from registry import registry

from kindling_dev import images
from kindling_dev.command import Failure, run
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings


def choose(published: str, setting: str = "", *, pull: bool = True) -> str:
    """Choose an image; the name "built" means that it would be built."""
    settings = replace(Settings.from_environment(), pull=pull)
    return images.choose(published, "built", lambda: None, setting, settings, Progress())


def test_an_image_in_the_engine_is_used(image: str) -> None:
    assert choose(image, pull=False) == image


def test_an_image_is_pulled_where_a_registry_answers_and_else_built(image: str, address: str, tmp_path: Path) -> None:
    with registry(tmp_path, address):
        run(["docker", "push", image])
        run(["docker", "image", "rm", image])
        assert choose(image, pull=False) == "built"
        assert choose(image) == image
        assert images.in_engine(image)
        run(["docker", "image", "rm", image])
        assert choose("an/other:image", setting=image) == image
        run(["docker", "image", "rm", image])
    assert choose(image) == "built"


def test_a_setting_that_names_no_image_is_an_error_and_not_built(address: str) -> None:
    with pytest.raises(Failure, match=f"image {address}/no:image is not in the engine and could not be pulled"):
        choose("an/other:image", setting=f"{address}/no:image")
