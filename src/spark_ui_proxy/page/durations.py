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


def iso(moment: datetime) -> str:
    """A moment as HTML and JSON have it: `2026-11-21T20:57:01Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
