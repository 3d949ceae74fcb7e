"""Logs as lines of JSON; never a token, a cookie or a query."""

from __future__ import annotations

import json
import logging
import sys
import time

from aiohttp.http_exceptions import HttpProcessingError

from spark_ui_proxy.asked import Asked
from spark_ui_proxy.decide import Decision

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_audit = logging.getLogger("audit")
_LONGEST = 1024
_TEXT = 16 * 1024  # characters of one field
_DENIED = (
    "bad-identity",
    "bad-request",
    "bad-method",
    "forbidden",
    "kill-forbidden",
    "kill-disabled",
    "cross-site",
)
"""Refused to somebody; who has not logged in, and who looks for what is not there, stands in nginx's access log."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and whatever was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_TEXT],
            **{key: _bounded(value) for key, value in record.__dict__.items() if key not in _PLAIN},
        }
        if record.exc_info:
            error = record.exc_info[1]
            # What is wrong with a request's bytes is told with the bytes: a token's, perhaps.
            told = not isinstance(error, HttpProcessingError)
            line["exception"] = self.formatException(record.exc_info)[:_TEXT] if told else type(error).__name__
        # In ASCII: what a terminal would obey is an escape of JSON's.
        return json.dumps(line, default=str)


def _bounded(value: object) -> object:
    return value[:_TEXT] if isinstance(value, str) else value


def start() -> None:
    """Write all logs to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def audit(asked: Asked, decision: Decision) -> None:
    """A line for each request that may end something, and for each that somebody was refused."""
    route = decision.route
    ending = route is not None and route.kind == "driver" and (asked.method == "POST" or route.kills)
    if decision.reason not in _DENIED and not (ending and decision.reason == "ok"):
        return
    _audit.info(
        "ending" if ending else "refused",
        extra={
            "user": decision.person.user if decision.person else "",
            "namespace": route.namespace if route else "",
            "application": route.app_id if route else "",
            "method": asked.method[:16],
            "path": asked.target.partition("?")[0][:_LONGEST],
            "decision": decision.reason,
            "detail": decision.detail,
        },
    )
