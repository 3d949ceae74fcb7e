"""Who says that they have an address: of two running pods with the same, one is forged, or not gone yet.

Who came later tells nothing: a forger may take the address of a driver that runs, or beforehand the one that the next
driver gets (they are given out in turn), and would then be the one who was there first. So none of them is routed to,
and each says why. What tells is who answers there: the driver at the address says which pod it is (`witness`), and a
pod that is not at an address cannot make it say otherwise. The pod that is named is routed to again, the others are
refused for as long as they claim it: an honest driver is away for some seconds, a forger for good.

That a driver answers as somebody else opens nothing: it can only give away its own address, to a pod that claims the
same.

Only pods that run, and whose status is believed, claim anything: one that has ended has given its address back. Nodes
claim too, by the `hostIP` of each such pod. A node's own address is nobody's UI, and nothing is asked there. A pod that
is alone on a node with an address of both (EKS on Fargate) is none the worse for it, and one whose driver has spoken
for it is not displaced by a `hostIP` that somebody forged.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol


class Claimant(Protocol):
    """What of a pod counts here."""

    @property
    def uid(self) -> str:
        """Of the pod."""

    @property
    def claim(self) -> str:
        """The address that it says to have, in its one spelling; "": none that counts."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The addresses that it says its node has."""


class Claims:
    """All addresses that are claimed; each call costs the same, however many there are.

    Attributes:
        disputed: addresses that several pods claim.
    """

    def __init__(self) -> None:
        self.disputed: set[str] = set()
        self._pods: dict[str, set[str]] = defaultdict(set)
        self._nodes: dict[str, set[str]] = defaultdict(set)
        self._owners: dict[str, str] = {}
        self._refuted: set[str] = set()

    def replace(self, before: Claimant | None, after: Claimant | None) -> set[str]:
        """A pod claims something else now; return whose standing that changes, its own apart."""
        changed: set[str] = set()
        old, new = (before.claim if before else ""), (after.claim if after else "")
        if old != new:
            if before and old:
                changed |= self._withdraw(old, before.uid)
            if after and new:
                changed |= self._claim(new, after.uid)
        hosts = (set(before.nodes) if before else set()) ^ (set(after.nodes) if after else set())
        for address in hosts:
            changed |= self._host(address, before, after)
        return changed

    def problem(self, pod: Claimant) -> str:
        """Why the address of a pod does not count as its own, in a line; "": it does."""
        address = pod.claim
        if pod.uid in self._refuted:
            return f"the driver that answers at its address, {address}, says that it is another pod"
        if not address or self._owners.get(address) == pod.uid:
            return ""
        if self.has_node(address, pod.uid):
            return f"its address, {address}, is also said to be that of a node"
        if address in self.disputed:
            return (
                f"another running pod says that it has the same address, {address}: until one is gone, neither is shown"
            )
        return ""

    def has_node(self, address: str, but: str = "") -> bool:
        """Whether any pod, but for one, says that an address is its node's: that of a node of its own may be both."""
        said = self._nodes.get(address, set())
        return len(said) > (but in said)

    def claimants(self, address: str) -> frozenset[str]:
        """The uids of pods that claim an address, and have not been refuted."""
        return frozenset(self._pods.get(address, ()))

    def settle(self, address: str, owner: str, among: frozenset[str]) -> set[str]:
        """The driver at an address says which pod it is; return whose standing that changes.

        Args:
            address: that was asked.
            owner: uid of the pod; "": one that does not claim the address.
            among: those that claimed it when it was asked; who came since is not refuted.
        """
        claimants = self._pods.get(address, set())
        refuted = (claimants & among) - {owner}
        changed = set(claimants)
        self._refuted |= refuted
        claimants -= refuted
        if owner in claimants:
            self._owners[address] = owner
        elif self._owners.get(address) in refuted:
            del self._owners[address]
        if len(claimants) < 2:
            self.disputed.discard(address)
        if not claimants:
            self._pods.pop(address, None)
        return changed

    def _claim(self, address: str, uid: str) -> set[str]:
        others = self._pods[address]
        # What a third one changes for the first two is nothing.
        changed = set(others) if len(others) == 1 else set()
        others.add(uid)
        if len(others) > 1:
            self.disputed.add(address)
        return changed

    def _withdraw(self, address: str, uid: str) -> set[str]:
        if uid in self._refuted:
            self._refuted.discard(uid)
            return set()
        others = self._pods[address]
        others.discard(uid)
        if len(others) < 2:
            self.disputed.discard(address)
        owned = self._owners.get(address) == uid
        if owned:
            del self._owners[address]
        if not others:
            del self._pods[address]
            return set()
        return set(others) if owned or len(others) == 1 else set()

    def _host(self, address: str, before: Claimant | None, after: Claimant | None) -> set[str]:
        """A pod names an address of its node, or does not any more."""
        said = self._nodes[address]
        was = len(said)
        if after and address in after.nodes:
            said.add(after.uid)
        elif before:
            said.discard(before.uid)
        few = min(was, len(said)) < 2
        if not said:
            del self._nodes[address]
        return set(self._pods.get(address, ())) if few else set()
