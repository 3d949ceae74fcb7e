"""Where the pages of an application are."""

from __future__ import annotations

from dataclasses import dataclass

from spark_ui_proxy.config import Config
from spark_ui_proxy.listing import SHARED, Row
from spark_ui_proxy.progress import LOG_PAGE


@dataclass(frozen=True)
class Links:
    """URLs, as the configuration makes them: paths, or in host mode URLs without a scheme (that of the page holds)."""

    config: Config

    def ui(self, row: Row) -> str:
        """The live UI; "" where none can be reached."""
        if not (row.live and row.live.target and row.state == "running"):
            return ""
        return f"{self._root(row.namespace)}/proxy/{row.app_id}/"

    def history(self, row: Row) -> str:
        """Its history; "" while no history server lists it."""
        if not row.in_history:
            return ""
        attempt = f"{row.attempt}/" if row.attempt else ""
        root = (
            f"{self.config.base_path}/{SHARED}" if row.namespace == SHARED else f"{self._root(row.namespace)}/{SHARED}"
        )
        return f"{root}/history/{row.app_id}/{attempt}jobs/"

    def log(self, row: Row) -> str:
        """The live UI's page of the driver's log, if it has one; "" where no UI can be reached."""
        ui = self.ui(row)
        return ui and ui.rstrip("/") + LOG_PAGE

    def logs(self, row: Row) -> str:
        """The line that shows the driver's log; "" when its pod is gone."""
        if not row.live:
            return ""
        follow = "--follow " if row.state == "running" else ""
        return f"kubectl logs {follow}--namespace {row.namespace} {row.pod}"

    def _root(self, namespace: str) -> str:
        host = f"//{namespace}.{self.config.hosts.domain}" if self.config.hosts.mode == "namespace" else ""
        return f"{host}{self.config.base_path}/{namespace}"
