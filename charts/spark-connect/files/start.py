"""Starts a Spark Connect server: writes what of Spark's configuration only the pod knows, and runs it.

Standard library only: any image with Spark and its Connect server will do.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import zipfile
from http.client import HTTPException
from pathlib import Path

import lasting

TOKEN = Path("/etc/connect-login/token")
VARIABLE = "SPARK_CONNECT_AUTHENTICATE_TOKEN"
SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
ASKS_FOR_TOKENS = "org/apache/spark/sql/connect/service/PreSharedKeyAuthenticationInterceptor.class"
ONLINE = re.compile(r"(\d+)\s+session\(s\) are online")


def main() -> None:
    """Become the server; with a time after which an idle one stops, watch over it instead."""
    settings = json.loads((lasting.FOLDER / "connect.json").read_text())
    spark = Path(os.environ.get("SPARK_HOME", "/opt/spark"))
    refusal = refused(settings, spark / "jars")
    if refusal:
        sys.exit(f"kindling: {refusal}")
    os.environ.pop(VARIABLE, None)
    if settings["login"] == "token":
        os.environ[VARIABLE] = token(TOKEN)
    os.environ.setdefault("PYSPARK_PYTHON", "python3")
    folder = Path(os.environ["SPARK_CONF_DIR"])
    lasting.write_configuration(folder, files=("log4j2.properties",) if settings["hasLog"] else ())
    lasting.sweep()
    # Spark makes folders where it runs: of tables, of artifacts.
    os.chdir("/tmp")
    program = [str(spark / "bin/spark-submit"), "--class", SERVER]
    if settings["idleServer"]:
        watch(program, lasting.seconds(settings["idleServer"]))
    else:
        os.execv(program[0], program)


def refused(settings: dict, jars: Path) -> str:
    """Why this image's Spark cannot do what values ask for; "" where it can."""
    found = sorted(jars.glob("spark-connect_*.jar"))
    if not found:
        return f"the image has no Connect server: put its Spark's spark-connect jar into {jars}, or take another image"
    try:
        with zipfile.ZipFile(found[0]) as jar:
            asks = ASKS_FOR_TOKENS in jar.namelist()
    except zipfile.BadZipFile:
        return f"{found[0]} is no jar: put the spark-connect jar of the image's Spark there, or take another image"
    if asks or (settings["login"] == "anonymous" and settings["listen"] == "plaintext"):
        return ""
    return (
        f"the Connect server of {found[0].name} asks for no token and listens at every address: take Spark 4, or say "
        "login.method: anonymous and listen: plaintext"
    )


def token(secret: Path) -> str:
    """The token, without an editor's newline."""
    try:
        found = secret.read_text().strip()
    except UnicodeDecodeError:
        sys.exit("kindling: the token in login.secret is no text: put base64 or hexadecimal digits into the Secret")
    if not found:
        sys.exit("kindling: the token in login.secret is empty: put one into the Secret")
    return found


def watch(program: list[str], patience_s: int) -> None:
    """Run the server to its end, and stop it for good when it has had no session for some time."""
    server = subprocess.Popen(program)
    asked = lasting.pass_signals_on(server)
    used = known = time.monotonic()
    while not asked:
        with contextlib.suppress(subprocess.TimeoutExpired):
            sys.exit(lasting.exit_code(server.wait(timeout=max(1, min(30, patience_s // 4)))))
        online, now = sessions(), time.monotonic()
        if online is not None:
            known = now
        elif now - known > patience_s:
            print("kindling: the UI does not say how many sessions there are: not stopped", flush=True)
            known = now
        if online != 0:
            used = now
        elif now - used > patience_s:
            lasting.stop_itself("Connect server")
            break
    # What stopped it sends a signal, too.
    sys.exit(lasting.exit_code(server.wait()))


def sessions() -> int | None:
    """How many sessions are open; None where the server does not say: while it starts, or without its UI."""
    address = os.environ["POD_IP"]
    host = f"[{address}]" if ":" in address else address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{host}:4040/connect/", timeout=10) as answer:
            found = ONLINE.search(answer.read(1 << 20).decode(errors="replace"))
            return int(found[1]) if found else None
    except (OSError, HTTPException, ValueError):
        return None


if __name__ == "__main__":
    main()
