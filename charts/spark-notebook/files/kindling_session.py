"""How a notebook shows a Spark session: with a link to its UI that works in a browser."""

from __future__ import annotations

import html
import json
import os
from pathlib import Path
from typing import Any

_SETTINGS = Path("/opt/kindling/notebook.json")


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython when a kernel starts."""
    formatter = shell.display_formatter.formatters["text/html"]
    formatter.for_type_by_name("pyspark.sql.session", "SparkSession", lambda session: shown(session.sparkContext))
    for module in ("pyspark.core.context", "pyspark.context"):
        formatter.for_type_by_name(module, "SparkContext", shown)


def shown(context: Any) -> str:
    """A running application as HTML."""
    if context._jsc is None:  # PySpark says nothing else of one that is stopped.
        return f"<p><b>{html.escape(context.appName)}</b>, stopped</p>"
    settings = json.loads(_SETTINGS.read_text())
    url = settings["uiUrl"]
    name, app_id = html.escape(context.appName), html.escape(context.applicationId)
    if not context.uiWebUrl:
        ui = "no UI: spark.ui.enabled is false"
    elif url:
        ui = f'<a href="{html.escape(url)}{app_id}/" target="_blank">Spark UI</a>'
    else:
        port = context.uiWebUrl.rpartition(":")[2]
        command = f"kubectl port-forward {os.environ['POD_NAME']} {port} --namespace {settings['namespace']}"
        ui = f"Spark UI: <code>{html.escape(command)}</code>"
    return f"<p><b>{name}</b>, {app_id}<br>Spark {html.escape(context.version)}<br>{ui}</p>"
