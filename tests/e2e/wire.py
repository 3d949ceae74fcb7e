"""What the pods of applications send each other, as who shares the node's network sees it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kindling_dev.cluster import node_name
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.spark_image import DEFAULT_LINE, ensure_spark_image

_LISTEN = """
import json, select, socket, struct, sys

WORD, PORTS = sys.argv[1].encode(), {int(port) for port in sys.argv[2:]}
# Every protocol: a bridge takes frames away from those that ask for IP alone.
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
print("listening", flush=True)
moved = hits = 0
while True:
    ready, _, _ = select.select([wire, sys.stdin], [], [])
    if wire in ready:
        packet = wire.recv(1 << 17)
        if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
            continue
        start = (packet[0] & 15) * 4
        if PORTS.isdisjoint(struct.unpack_from("!HH", packet, start)):
            continue
        payload = packet[start + (packet[start + 12] >> 4) * 4 :]
        moved += len(payload)
        hits += WORD in payload
    elif sys.stdin in ready:
        break
print(json.dumps({"moved": moved, "hits": hits}))
"""


@dataclass
class Heard:
    """What went over the wire, each packet counted wherever it passed; known when the capture has ended.

    Attributes:
        moved: bytes of payload to or from the ports.
        hits: packets that hold the word.
    """

    moved: int = 0
    hits: int = 0


@contextmanager
def listening(word: str, *ports: int) -> Iterator[Heard]:
    """Capture the IPv4 TCP traffic of some ports in the network of the cluster's node, and look for a word in it."""
    settings = Settings.from_environment()
    image = ensure_spark_image(DEFAULT_LINE, settings, Progress())
    argv = ["docker", "run", "--rm", "--interactive", f"--network=container:{node_name(settings)}", "--user=0"]
    argv += ["--cap-drop=ALL", "--cap-add=NET_RAW", "--entrypoint=python3", image, "-c", _LISTEN, word]
    heard = Heard()
    with subprocess.Popen([*argv, *map(str, ports)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdin, "a pipe"
        assert run.stdout, "a pipe"
        assert run.stdout.readline() == "listening\n"
        try:
            yield heard
        finally:
            run.stdin.close()
            found = json.loads(run.stdout.readline())
            heard.moved, heard.hits = found["moved"], found["hits"]
