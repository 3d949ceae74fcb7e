"""A driver whose UI is shown by https alone, behind the service: what people are told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from ports import listens
from proxy_world import Door, Team
from spark_ui import container, submission

_APPLICATION = """
import time
from pyspark.sql import SparkSession
SparkSession.builder.getOrCreate()
time.sleep(600)
"""
_PASSWORD = "of-a-test"


@pytest.mark.parametrize("line", ["4.3", pytest.param("3.5", marks=pytest.mark.long)])
def test_a_ui_by_https_alone_is_told_what_to_set(
    door: Door, team: Team, address: Callable[[], str], chromium: Browser, tmp_path: Path, line: str
) -> None:
    ip = address()
    tmp_path.chmod(0o777)
    (tmp_path / "application.py").write_text(_APPLICATION)
    store = ["-keystore", str(tmp_path / "keystore"), "-storepass", _PASSWORD, "-keyalg", "RSA", "-alias", "ui"]
    subprocess.run(["keytool", "-genkeypair", *store, "-dname", "CN=ui"], check=True, capture_output=True)
    (tmp_path / "keystore").chmod(0o644)
    conf = {
        "spark.driver.bindAddress": ip,
        "spark.driver.host": ip,
        "spark.ssl.ui.enabled": "true",
        "spark.ssl.ui.keyStore": "/test/keystore",
        "spark.ssl.ui.keyStorePassword": _PASSWORD,
        "spark.ssl.ui.protocol": "TLSv1.3",
        "spark.ssl.ui.port": "4050",
    }
    with container(line, tmp_path, submission("application.py", cores=1, conf=conf), f"SPARK_LOCAL_IP={ip}"):
        door.decider.wait(lambda: listens(4050, ip), "the driver's UI by https", 240)
        app_id = team.driver(ip)
        path = door.shown(team, app_id)
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"http://{door.host}{door.base}{path}/")
        page.get_by_label("token").fill(team.viewer)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading")).to_contain_text("shows its UI by https alone")
        expect(page.locator("body")).to_contain_text("spark.ssl.ui.enabled=false")
        context.close()
        assert door.log()[-1]["reason"] == "https"
