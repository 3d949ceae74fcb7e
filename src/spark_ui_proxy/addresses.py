"""Which addresses a pod can have: what a status may say, and the proxy connects to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_LONGEST = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
OWN_NODE = "NODE_ADDRESS"
"""The variable in which the chart gives the address of the node that the proxy is on."""
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_NEVER: dict[Network, str] = {
    ip_network(network): what
    for what, networks in {
        "an unspecified address": ("0.0.0.0/8", "::/128"),
        "a loopback address": ("127.0.0.0/8", "::1/128"),
        "a link-local address": ("169.254.0.0/16", "fe80::/10", "fec0::/10"),
        "a multicast address": ("224.0.0.0/4", "ff00::/8"),
        "a reserved address": ("240.0.0.0/4", "192.0.0.0/24"),
        # Those of Alibaba, Azure, Amazon and Google that are not link-local; Oracle's is in 192.0.0.0/24.
        "that of a cloud's own services": (
            *("100.100.100.200/32", "168.63.129.16/32"),
            *("fd00:ec2::/64", "fd20:ce::/64"),
        ),
        # Mapped, compatible, translated (SIIT), NAT64 in both its blocks, 6to4, Teredo.
        "an IPv4 address in the form of an IPv6 one": (
            *("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96"),
            *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"),
        ),
    }.items()
    for network in networks
}
"""What no pod has. The first that contains an address says what it is."""
_UNICAST_IPV6 = (ip_network("2000::/3"), ip_network("fc00::/7"))
"""What else there is of IPv6 is reserved."""


class Addresses:
    """Tells a pod's address from others.

    Args:
        networks: in which pods live; none: anywhere. One that lies within loopback opens that part of it, which is for
            tests on one machine: the chart refuses such a network. Nothing opens the others of _NEVER.
        taken: addresses that are known to be no pod's: of Services, of the proxy's node.
    """

    def __init__(self, networks: Iterable[str] = (), taken: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in networks)
        self._opened = tuple(network for network in self._networks if _within(network, _LOOPBACK))
        self._taken = {address for text in taken if (address := parsed(text))}

    def problem(self, address: Address) -> str:
        """Why it can be no pod's, in a line; "": it can."""
        if any(address in network for network in self._opened):
            return ""
        what = _never(address)
        if what:
            return f"its address, {address}, is {what}, which no pod has"
        if address in self._taken:
            return f"its address, {address}, is that of a Service, or of the proxy's own node"
        if self._networks and not any(address in network for network in self._networks):
            return f"its address, {address}, is outside of the networks in which pods live (limits.podNetworks)"
        return ""


def parsed(text: str) -> Address | None:
    """An address; None for what is none. One spelling for each, whichever was written; no zone (`fe80::1%eth0`)."""
    return _parsed(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def known_others(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The addresses that a pod's environment tells of: Services of its namespace, the API server's, its own node's."""
    return tuple(value for name, value in environment.items() if name.endswith("_SERVICE_HOST") or name == OWN_NODE)


def network_problem(text: str) -> str:
    """Why pods cannot live in a network, in a line; "": they can."""
    try:
        network = ip_network(text, strict=False)
    except ValueError as error:
        return f"is no network ({error}): write it as 10.244.0.0/16"
    # Loopback is for tests on one machine.
    what = next((what for never, what in _NEVER.items() if _within(network, [never]) and never not in _LOOPBACK), "")
    return f"holds no pod: there, each is {what}" if what else ""


def _within(network: Network, others: Iterable[Network]) -> bool:
    return any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]
        for other in others
    )


@lru_cache(maxsize=4096)
def _never(address: Address) -> str:
    found = next((what for network, what in _NEVER.items() if address in network), "")
    if not found and address.version == 6 and not any(address in network for network in _UNICAST_IPV6):
        return "a reserved address"
    return found
