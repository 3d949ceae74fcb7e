"""What each chart does not render without."""

from __future__ import annotations

from typing import Any

LEAST: dict[str, dict[str, Any]] = {
    "spark-connect": {"login": {"secret": {"name": "connect-token"}}, "tls": {"secretName": "connect-tls"}},
    "spark-history-server": {"global": {"eventLog": {"store": "claim"}}},
    "spark-job": {"app": {"file": "local:///app.py"}},
    "spark-namespace": {"namespace": {"name": "team-a"}},
    "spark-notebook": {"login": {"secret": {"name": "notebook-token"}}},
    "spark-standalone": {},
    "spark-ui-proxy": {"namespaces": {"names": ["team-a"]}},
}
"""Chart -> values."""
