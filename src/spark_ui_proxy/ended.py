"""Which sessions are over, as a text that replicas share: of an account, all that were made until it logged out."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

MOST = 10_000
"""Accounts that have a line of their own: half a megabyte, which a ConfigMap holds."""
_AHEAD_S = 300
"""So much later than here it may be at another replica."""
_EVERYBODY = "*"
_LINE = re.compile(r"(\*|[0-9a-f]{32}) ([0-9]{1,12})")


class UnreadableError(ValueError):
    """A text that says nothing for certain."""


def account_of(user: str) -> str:
    """Stands for a user in the text, which tells nobody's name."""
    return hashlib.sha256(user.encode()).hexdigest()[:32]


@dataclass
class Ended:
    """Moments in seconds since the epoch: what was made then, or before, is over.

    A line for each account, not for each session: who logs in and out for ever makes one line.

    Attributes:
        everybody: for all accounts.
        accounts: for one each, by `account_of`.
    """

    everybody: int = 0
    accounts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, now: int) -> Ended:
        """What a text says.

        Raises:
            UnreadableError: a line is none of ours, or of a day to come.
        """
        ended = cls()
        for line in text.splitlines():
            found = _LINE.fullmatch(line)
            if not found or int(found[2]) > now + _AHEAD_S:
                raise UnreadableError(f"it has a line that no replica writes: {line[:80]!r}")
            if found[1] == _EVERYBODY:
                ended.everybody = max(ended.everybody, int(found[2]))
            else:
                ended.end(found[1], int(found[2]))
        return ended

    @property
    def text(self) -> str:
        """What `parse` reads."""
        lines = [
            f"{_EVERYBODY} {self.everybody}",
            *(f"{account} {at}" for account, at in sorted(self.accounts.items())),
        ]
        return "".join(f"{line}\n" for line in lines)

    def until(self, account: str) -> int:
        """The last moment of an account's sessions that are over."""
        return max(self.everybody, self.accounts.get(account, 0))

    def end(self, account: str, moment: int) -> None:
        """End what an account had until then."""
        self.accounts[account] = max(moment, self.accounts.get(account, 0))

    def end_everybody(self, now: int) -> None:
        """End what anybody has, a session too that begins after all that are over, a moment ahead of the clock."""
        self.everybody = max(now, 1 + max(self.everybody, *self.accounts.values(), 0))

    def add(self, other: Ended) -> None:
        """Both count from now on."""
        self.everybody = max(self.everybody, other.everybody)
        for account, moment in other.accounts.items():
            self.end(account, moment)

    def shorten(self, expired: int) -> None:
        """Leave out what says nothing more.

        Of too many accounts those of longest ago go, and nobody's session is left that was made before: who has ten
        thousand accounts makes the others log in anew, and brings no session back.

        Args:
            expired: sessions of that moment or before have ended by themselves.
        """
        self.everybody = max(self.everybody, *self._too_many(), 0)
        least = max(self.everybody, expired)
        self.accounts = {account: moment for account, moment in self.accounts.items() if moment > least}

    def beyond(self, other: Ended) -> bool:
        """Whether this ends a session that another does not."""
        return self.everybody > other.everybody or any(
            moment > other.until(account) for account, moment in self.accounts.items()
        )

    def _too_many(self) -> list[int]:
        return sorted(self.accounts.values())[: max(0, len(self.accounts) - MOST)][-1:]
