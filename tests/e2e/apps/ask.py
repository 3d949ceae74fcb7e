"""Makes connections, [[address, port, protocol, seconds to wait], ...] as JSON, all at once; prints what came of each.

That is "open", "silent" (no answer in time) or an error.
"""

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

NAME = "kubernetes.default.svc.cluster.local."
QUESTION = b"\0\1\1\0\0\1" + bytes(6) + b"".join(bytes([len(w)]) + w.encode() for w in NAME.split(".")) + b"\0\1\0\1"


def answer(address: str, port: int, protocol: str, patience_s: float) -> str:
    """What comes of a connection."""
    try:
        if protocol == "TCP":
            socket.create_connection((address, port), patience_s).close()
            return "open"
        return "open" if answers_udp(address, port, patience_s) else "silent"
    except TimeoutError:
        return "silent"
    except OSError as error:
        return str(error)


def answers_udp(address: str, port: int, patience_s: float) -> bool:
    """Whether anything comes back for a question that name servers understand; it may be lost, so it is put again."""
    end = time.monotonic() + patience_s
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        while time.monotonic() < end:
            asking.sendto(QUESTION, (address, port))
            try:
                return bool(asking.recv(512))
            except TimeoutError:
                continue
    return False


asked = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(asked)) as all_at_once:
    print(json.dumps(list(all_at_once.map(lambda each: answer(*each), asked))))
