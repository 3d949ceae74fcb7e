"""Tries a notebook: counts in a Spark session of a new kernel. It needs tornado, which Jupyter has."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

TOKEN = Path("/etc/notebook-login/token")
PATIENCE_S = 300
CODE = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("counted", spark.range(1000).repartition(2).count(), "in", spark.sparkContext.applicationId)
spark.stop()
"""


async def main(place: str) -> None:
    """Count, and end with a line that says what went wrong where it does."""
    headers = {"Authorization": f"token {TOKEN.read_text().strip()}"} if TOKEN.exists() else {}
    kernels = f"http://{place}api/kernels"
    try:
        kernel = await ask(kernels, "POST", headers)
    except (HTTPClientError, OSError) as error:
        sys.exit(f"kindling: the notebook at {place} starts no kernel: {error}")
    socket_url = f"ws://{place}api/kernels/{kernel['id']}/channels"
    try:
        said = await asyncio.wait_for(run(HTTPRequest(socket_url, headers=headers)), PATIENCE_S)
    except TimeoutError:
        sys.exit(f"kindling: no executor counted within {PATIENCE_S} s: kindling why says what keeps them")
    finally:
        await ask(f"{kernels}/{kernel['id']}", "DELETE", headers)
    print(said, end="")
    if "counted 1000" not in said:
        sys.exit("kindling: the session did not count")


async def ask(url: str, method: str, headers: dict[str, str]) -> Any:
    """What Jupyter answers."""
    body = "{}" if method == "POST" else None
    answer = await AsyncHTTPClient().fetch(url, method=method, headers=headers, body=body, request_timeout=60)
    return json.loads(answer.body) if answer.body else None


async def run(request: HTTPRequest) -> str:
    """What a kernel prints of CODE."""
    socket = await websocket_connect(request)
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": number, "version": "5.4"}
    content = {"code": CODE, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps(message))
    said = ""
    while answer := await socket.read_message():
        got = json.loads(answer)
        if got["parent_header"].get("msg_id") != number:
            continue
        if got["msg_type"] == "stream":
            said += got["content"]["text"]
        elif got["msg_type"] == "error":
            said += f"{got['content']['ename']}: {got['content']['evalue']}\n"
        elif got["msg_type"] == "execute_reply":
            break
    return said


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
