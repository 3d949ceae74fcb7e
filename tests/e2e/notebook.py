"""A person's notebook in a team's namespace: its release, its kernels, and its page in a browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import coroutines
import yaml
from forwarding import forwarded
from team import QUICK, Team

from kindling_dev.progress import Progress
from kindling_dev.python_image import load_python_image
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, SparkLine

TOKEN = "a-token-of-tests-0123456789"
SESSION = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
COUNT = SESSION + "print('counted', spark.range(1000).repartition(2).count())\n"
"""Starts a session, and has an executor work."""
PATIENCE_S = 120
_SMALL: dict[str, Any] = {
    "driver": {"requestCores": "50m", "memory": "512m"},
    "executor": {"requestCores": "50m", "memory": "512m"},
    "kernels": 1,
    "home": {"size": "100Mi"},
}


_CELL: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}


def notebook_image(line: SparkLine = DEFAULT_LINE) -> str:
    """The image of notebooks on a line of Spark, which the cluster has under the name that the chart gives to pods."""
    return load_python_image("spark-notebook", line, Settings.from_environment(), Progress())


@dataclass(frozen=True)
class Told:
    """What a cell gave: the text that it printed and the values that it showed, HTML, and its error in a line."""

    text: str = ""
    html: str = ""
    error: str = ""


@dataclass(frozen=True)
class Notebook:
    """A release of spark-notebook.

    Attributes:
        team: whose namespace it is in.
        release: its name.
    """

    team: Team
    release: str = "anna"

    def install(self, action: str = "install", line: SparkLine = DEFAULT_LINE, **values: Any) -> None:
        """Install it with a token, and wait until it answers; keyword arguments are values at the top level."""
        tag = notebook_image(line).rpartition(":")[2]
        if "Secret/notebook-token" not in self.team.objects():
            self.team.kubectl("create", "secret", "generic", "notebook-token", f"--from-literal=token={TOKEN}")
            self.team.set_namespace(guard={"secrets": ["notebook-token"]})
        merged = {
            **_SMALL,
            "login": {"secret": {"name": "notebook-token"}},
            "sparkConf": QUICK,
            "image": {"tag": tag},
            **values,
        }
        for role in ("driver", "executor"):
            merged[role] = {**_SMALL[role], **values.get(role, {})}
        chart = str(self.team.charts / "spark-notebook")
        argv = [action, self.release, chart, f"--namespace={self.team.name}", "--wait", "--timeout=180s", "--values=-"]
        self.team.helm.run(argv, yaml.safe_dump(merged))

    def write(self, name: str, *cells: str) -> None:
        """Write a file of cells into its home."""
        made = [{**_CELL, "id": f"cell-{number}", "source": code} for number, code in enumerate(cells)]
        text = json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        self.exec("sh", "-c", 'printf %s "$0" > ~/"$1"', text, name)

    def outputs(self, name: str) -> list[list[dict[str, Any]]]:
        """What the cells of a file in its home show."""
        return [cell["outputs"] for cell in json.loads(self.exec("sh", "-c", 'cat ~/"$0"', name))["cells"]]

    def exec(self, *argv: str) -> str:
        """Run a program in its container; what it printed."""
        return self.team.kubectl("exec", f"{self.release}-0", "--container=driver", "--", *argv)

    def pods(self) -> list[Any]:
        """Its own pod, if it is there."""
        return self.team.pods(self.release, "driver")

    def executors(self) -> list[Any]:
        """Its executors' pods that are there, whatever their state."""
        return self.team.pods(self.release, "executor")

    @contextmanager
    def forwarded(self) -> Iterator[str]:
        """Its URL on this machine, while the context lasts."""
        with forwarded(self.team.cluster, self.team.name, f"service/{self.release}", 8888) as port:
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def kernel(self) -> Iterator[Kernel]:
        """A new kernel, which is ended with the context unless it is gone."""
        with self.forwarded() as url:
            kernel = self.start_kernel(url)
            try:
                yield kernel
            finally:
                ask("DELETE", f"{url}/api/kernels/{kernel.id}")

    def start_kernel(self, url: str) -> Kernel:
        """A new kernel of the server at a URL."""
        return new_kernel(url)


def new_kernel(url: str, token: str = TOKEN) -> Kernel:
    """A new kernel of the server at a URL, for whoever has a token."""
    return Kernel(url, json.loads(ask("POST", f"{url}/api/kernels", token))["id"], token)


@dataclass(frozen=True)
class Kernel:
    """A kernel of a notebook's server.

    Attributes:
        url: of the server.
        id: of the kernel.
        token: with which the server is asked.
    """

    url: str
    id: str
    token: str = TOKEN

    def run(self, code: str) -> Told:
        """Run code as a cell does; what it gave."""
        return coroutines.run(self._run(code))

    def die(self) -> None:
        """SIGKILL, as for want of memory; the server starts another one in its place."""
        coroutines.run(self._send("import os; os.kill(os.getpid(), 9)"))

    def restart(self) -> None:
        """As the page's menu does."""
        ask("POST", f"{self.url}/api/kernels/{self.id}/restart", self.token)

    async def _run(self, code: str) -> Told:
        number, message = _message(code)
        async with (
            aiohttp.ClientSession(headers=_login(self.token)) as client,
            client.ws_connect(self._socket) as channel,
        ):
            await channel.send_json(message)
            return await asyncio.wait_for(_told(channel, number), PATIENCE_S)

    async def _send(self, code: str) -> None:
        async with (
            aiohttp.ClientSession(headers=_login(self.token)) as client,
            client.ws_connect(self._socket) as channel,
        ):
            await channel.send_json(_message(code)[1])

    @property
    def _socket(self) -> str:
        return f"{self.url}/api/kernels/{self.id}/channels".replace("http", "ws", 1)


def _login(token: str) -> dict[str, str]:
    return {"Authorization": f"token {token}"}


def _message(code: str) -> tuple[str, dict[str, Any]]:
    """A request to run code, and its number."""
    number = uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": number, "version": "5.4"}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    return number, {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}


async def _told(channel: aiohttp.ClientWebSocketResponse, number: str) -> Told:
    text = html = error = ""
    # The reply and the output come by two channels: what was printed may come after the reply, and before "idle".
    awaited = {"execute_reply", "idle"}
    while awaited:
        got = await channel.receive_json()
        content = got["content"]
        if got["parent_header"].get("msg_id") != number:
            continue
        if got["msg_type"] == "stream":
            text += content["text"]
        elif got["msg_type"] in ("execute_result", "display_data"):
            text += content["data"].get("text/plain", "")
            html += content["data"].get("text/html", "")
        elif got["msg_type"] == "error":
            error = f"{content['ename']}: {content['evalue']}"
        awaited -= {got["msg_type"], content.get("execution_state")}
    return Told(text, html, error)


def ask(method: str, url: str, token: str = TOKEN) -> str:
    """Ask a server with a token; what it answers."""
    status, text = coroutines.run(_answer(method, url, token))
    assert status < 300 or (method == "DELETE" and status == 404), (status, text)
    return text


def refused(method: str, url: str, token: str) -> int:
    """Ask a server with a token that should not do; the status that it answers with."""
    status, text = coroutines.run(_answer(method, url, token))
    assert status >= 400, text
    return status


async def _answer(method: str, url: str, token: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(headers=_login(token)) as client,
        client.request(method, url, json={}) as answer,
    ):
        return answer.status, await answer.text()
