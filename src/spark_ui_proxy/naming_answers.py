"""What a driver's own REST says of its application: `/api/v1/applications`, which lists one. It is not trusted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from spark_ui_proxy.index import Named
from spark_ui_proxy.pods import APP_ID
from spark_ui_proxy.rest import moment, text

_NAME, _USER, _VERSION = 253, 128, 32
"""Longest texts."""


def only_id(applications: Any) -> str:
    """The id in a driver's list of applications, which is one; "" if there is none, or it is no id."""
    try:
        found = applications[0]["id"]
    except (LookupError, TypeError):
        return ""
    return found if isinstance(found, str) and APP_ID.fullmatch(found) else ""


def read_named(applications: Any, port: int) -> Named | None:
    """The application in a driver's list; None if there is none. What is no text or time counts as not said."""
    app_id = only_id(applications)
    if not app_id:
        return None
    first, attempt = applications[0], {}
    if isinstance(attempts := first.get("attempts"), list) and attempts and isinstance(attempts[0], dict):
        attempt = attempts[0]
    return Named(
        app_id=app_id,
        port=port,
        name=_text(first.get("name"), _NAME),
        user=_text(attempt.get("sparkUser"), _USER),
        spark_version=_text(attempt.get("appSparkVersion"), _VERSION),
        started=_past(attempt.get("startTimeEpoch")),
    )


def _text(raw: Any, longest: int) -> str:
    return text(raw, longest).strip() if isinstance(raw, str) else ""


def _past(raw: Any) -> datetime | None:
    """A moment of milliseconds since 1970 that has come."""
    try:
        found = moment(raw)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return found if found <= datetime.now(UTC) else None
