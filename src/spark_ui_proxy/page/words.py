"""Numbers as people read them; `static/page.js` has the same words for a duration that goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def duration(span: timedelta) -> str:
    """`42 s`, `3 min`, `2 h 05 min`, `4 d 3 h`."""
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 1:
        return f"{seconds} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60:02} min"
    return f"{days} d {hours % 24} h"


def amount(number: float) -> str:
    """A number without needless digits: `4`, `0.5`."""
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def memory(size: int) -> str:
    """Bytes, in GiB or MiB: `34 GiB`, `512 MiB`."""
    gib = size / 2**30
    return f"{amount(round(gib, 1))} GiB" if gib >= 1 else f"{round(size / 2**20)} MiB"


def clock(moment: datetime, now: datetime) -> str:
    """When something was, in UTC, as far as it is not clear from now: `20:57`, `3 Nov 20:57`, `3 Nov 2025`."""
    moment, now = moment.astimezone(UTC), now.astimezone(UTC)
    day = f"{moment.day} {moment:%b}"
    if moment.year != now.year:
        return f"{day} {moment.year}"
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{day} {moment:%H:%M}"
