"""IPv6 addresses in what the charts' programs hand on: Spark and URLs take brackets, Kubernetes gives none."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("host", "settings"),
    [("fd00:10:96::1", ["spark.kubernetes.executor.useDriverPodIP=false"]), ("10.96.0.1", [])],
)
def test_executors_in_cluster_mode_find_an_ipv6_driver_by_name(host: str, settings: list[str]) -> None:
    assert submit.of_ipv6({"KUBERNETES_SERVICE_HOST": host}) == settings
