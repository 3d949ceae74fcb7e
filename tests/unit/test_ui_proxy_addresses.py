"""Which addresses a pod can have, and who of several that say they have one is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_ui_proxy.addresses import Addresses, known_others, parsed
from spark_ui_proxy.config import ConfigError, load

NEVER = [
    *("127.0.0.1", "127.255.255.254", "::1", "0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "240.0.0.1"),
    *("169.254.169.254", "169.254.0.1", "fe80::1", "fec0::1", "224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::ffff:0:7f00:1", "::10.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    *("2001:0:1::1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    *("100::1", "1::1", "4000::1", "f000::1"),
]
PODS = ["10.0.0.1", "10.244.3.7", "100.64.0.7", "172.17.0.2", "192.168.1.1", "203.0.113.9", "fd00::7", "2a00:1::7"]


def problem(text: str, *networks: str, taken: tuple[str, ...] = ()) -> str:
    """Of an address that is one."""
    address = parsed(text)
    assert address
    return Addresses(networks, taken).problem(address)


@pytest.mark.parametrize("text", NEVER)
def test_what_no_pod_has_is_refused_whatever_networks_say(text: str) -> None:
    assert "which no pod has" in problem(text)
    assert "which no pod has" in problem(text, "0.0.0.0/0", "::/0", "10.0.0.0/8")


@pytest.mark.parametrize("text", PODS)
def test_an_address_of_a_pod_is_one(text: str) -> None:
    assert problem(text) == ""
    assert problem(text, "0.0.0.0/0", "::/0") == ""


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.0.0.1:80", "010.0.0.1", "a.b", "fe80::1%eth0", "0x7f000001", "1.2.3.4 "]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parsed(text) is None


def test_each_spelling_is_the_same_address() -> None:
    assert parsed("fd00:0:0::0007") == parsed("FD00::7")


def test_pod_networks_exclude_the_rest() -> None:
    assert problem("10.244.0.7", "10.244.0.0/16", "fd00::/64") == ""
    assert problem("fd00::7", "10.244.0.0/16", "fd00::/64") == ""
    assert "outside of the networks" in problem("10.96.0.1", "10.244.0.0/16")
    assert "outside of the networks" in problem("fd00::7", "10.244.0.0/16")


def test_loopback_is_opened_only_by_a_part_of_it() -> None:
    assert problem("127.0.0.2", "127.0.0.0/8") == ""
    assert problem("127.0.0.2", "127.0.0.0/24") == ""
    assert "loopback" in problem("127.1.0.2", "127.0.0.0/24")
    assert "loopback" in problem("127.0.0.2", "126.0.0.0/7")
    assert "loopback" in problem("::1", "127.0.0.0/8")


def test_services_and_the_proxys_own_node_are_no_pods() -> None:
    environment = {
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "OTHER_SERVICE_HOST": "fd00:96:0::2",
        "NODE_ADDRESS": "192.168.1.10",
        "ODD_SERVICE_HOST": "example.com",
        "HOSTNAME": "10.0.0.9",
    }
    taken = known_others(environment)
    for text in ("10.96.0.1", "fd00:96::2", "192.168.1.10"):
        assert "is that of a Service, or of the proxy's own node" in problem(text, taken=taken)
    assert problem("10.0.0.9", taken=taken) == ""


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("10.244.0.0", ""),
        ("10.244.0.0/16", ""),
        ("127.0.0.0/8", ""),
        ("10.244.0.1/16", ""),
        ("10.244.0.0/33", "write it as"),
        ("example.com", "write it as"),
        ("169.254.0.0/16", "link-local"),
        ("169.254.169.254/32", "link-local"),
        ("224.0.0.0/24", "multicast"),
        ("fe80::/64", "link-local"),
        ("64:ff9b::/96", "in the form of an IPv6 one"),
    ],
)
def test_a_network_without_pods_is_said_so(tmp_path: Path, network: str, said: str) -> None:
    (tmp_path / "config.yaml").write_text(f"login: {{logouts: a/b}}\nlimits: {{podNetworks: ['{network}']}}")
    if not said:
        assert load(tmp_path / "config.yaml").limits.pod_networks == (network,)
        return
    with pytest.raises(ConfigError, match=said) as refused:
        load(tmp_path / "config.yaml")
    assert "\n" not in str(refused.value)
