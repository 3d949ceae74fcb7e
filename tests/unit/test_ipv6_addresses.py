"""IPv6 addresses in what the charts' programs hand on: Spark and URLs take brackets, Kubernetes gives none."""

from __future__ import annotations

from pathlib import Path

import drive
import kube
import pytest
import submit


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        ("spark.driver.host=fd00:10:244::5", "spark.driver.host=[fd00:10:244::5]"),
        ("spark.driver.host=10.244.0.5", "spark.driver.host=10.244.0.5"),
        ("s3a://bucket/a:b:c", "s3a://bucket/a:b:c"),
    ],
)
def test_only_a_drivers_ipv6_address_gets_brackets(given: str, handed_on: str) -> None:
    assert drive.with_brackets(["--conf", given]) == ["--conf", handed_on]


@pytest.mark.parametrize(
    ("host", "url"), [("fd00:10:96::1", "https://[fd00:10:96::1]:443"), ("10.96.0.1", "https://10.96.0.1:443")]
)
def test_the_api_servers_url_has_brackets_for_ipv6(host: str, url: str) -> None:
    assert kube.api_server({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}) == url


def test_only_a_cluster_of_ipv6_has_settings_of_its_own(tmp_path: Path) -> None:
    properties = tmp_path / "spark.properties"
    properties.write_text("spark.app.name=a\n")
    argv = ["--properties-file", str(properties), "local:///app.py"]
    of_ipv6 = {"KUBERNETES_SERVICE_HOST": "fd00:10:96::1"}
    service, host = "spark.kubernetes.driver.service.ipFamilies", "spark.kubernetes.executor.useDriverPodIP"
    assert submit.of_ipv6({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, argv) == []
    assert submit.of_ipv6(of_ipv6, argv) == [f"{service}=IPv6", f"{host}=false"]
    properties.write_text(f"spark.app.name=a\n{service}=IPv6,IPv4\n")
    assert submit.of_ipv6(of_ipv6, argv) == [f"{host}=false"]


def test_an_applications_own_argument_is_no_address() -> None:
    argv = ["--conf", "spark.driver.host=10.244.0.5", "local:///a.py", "spark.driver.host=db:5432"]
    assert drive.with_brackets(argv) == argv
