"""What a node from packages needs for pods with addresses of IPv6: its image's own files are for IPv4."""

from __future__ import annotations

from kindling_dev.command import Failure
from kindling_dev.images import images_folder
from kindling_dev.settings import DEFAULT_IP_FAMILY

_FOLDER = images_folder("kind-node")
_CHANGES = {
    "cni.conflist": ("/etc/cni/net.d/10-kindling.conflist", "usePodCidr", "usePodCidrIPv6"),
    "felix.service": ("/etc/systemd/system/felix.service", "FELIX_IPV6SUPPORT=false", "FELIX_IPV6SUPPORT=true"),
    "network.yaml": ("/kind/manifests/network/network.yaml", "10.244.0.0/16", "fd00:10:244::/56"),
}
"""File of images/kind-node -> its path in the node, its words for IPv4, and those for IPv6; networks are kind's own."""


def files(ip_family: str) -> dict[str, str]:
    """The files that a node needs in place of its image's: path in the node -> text; none for IPv4.

    Raises:
        Failure: the network of the node image cannot do that family.
    """
    if ip_family == DEFAULT_IP_FAMILY:
        return {}
    if ip_family != "ipv6":
        raise Failure(f"KINDLING_IP_FAMILY is {ip_family}: a node from packages has ipv4 or ipv6")
    return {
        path: (_FOLDER / name).read_text().replace(for_ipv4, for_ipv6)
        for name, (path, for_ipv4, for_ipv6) in _CHANGES.items()
    }
