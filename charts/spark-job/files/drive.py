"""Client mode: runs Spark's driver as a child, so that its last error becomes the pod's termination message.

Usage: drive.py PROGRAM ARGUMENT …; the exit code is the child's, 128 + n where signal n ended it. What the child prints
goes through unchanged. An IPv6 address of the pod gets the brackets that Spark asks for. With FAIL_FAST=1 the driver is
ended as soon as it says that the API server refuses executors.
Standard library only: it runs in any Spark image that has python3.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import IO

import addresses
import refusal
from last_error import LastError, leave_message
from passing import pass_on

_BIND = "SPARK_DRIVER_BIND_ADDRESS"


class Driver:
    """The child and what is known of its end."""

    def __init__(self, argv: list[str]) -> None:
        self.error = LastError()
        self.error.know(addresses.told())
        self.refusal = ""
        self._fail_fast = os.environ.get("FAIL_FAST") == "1"
        self._child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _: self._child.send_signal(received))

    def run(self) -> int:
        """Pass the output on until the child ends; return the exit code."""
        pairs = ((self._child.stdout, sys.stdout.buffer), (self._child.stderr, sys.stderr.buffer))
        pumps = [threading.Thread(target=self._pump, args=pair, daemon=True) for pair in pairs]
        for pump in pumps:
            pump.start()
        code = self._child.wait()
        for pump in pumps:
            # A process that the driver left behind may hold the pipe open; the driver's end is the run's end.
            pump.join(timeout=5)
        if self.refusal:
            return refusal.EXIT_CODE
        return 128 - code if code < 0 else code

    def _pump(self, source: IO[bytes], target: IO[bytes]) -> None:
        for line in pass_on(source, target):
            self.error.read(line)
            if self._fail_fast and not self.refusal and (said := refusal.refusal_of(line)):
                self.refusal = said
                self._child.terminate()


def in_brackets(address: str) -> str:
    """An address as Spark asks for it: Kubernetes gives one of IPv6 without brackets."""
    return f"[{address}]" if ":" in address else address


def with_brackets(argv: list[str]) -> list[str]:
    """The arguments, with ``spark.driver.host`` as Spark asks for it; what follows is the application's own."""
    key = "spark.driver.host="
    for place, word in enumerate(argv):
        if word.startswith(key):
            return [*argv[:place], key + in_brackets(word[len(key) :]), *argv[place + 1 :]]
    return argv


def main(argv: list[str]) -> int:
    """Run the driver, leave a message if it failed; return its exit code."""
    if _BIND in os.environ:
        # The entrypoint makes it spark.driver.bindAddress, which Spark 4.1 and newer take for the host too.
        os.environ[_BIND] = in_brackets(os.environ[_BIND])
    driver = Driver(with_brackets(argv))
    code = driver.run()
    if code:
        message = driver.refusal and f"executors are refused: {driver.refusal}"
        if code == 128 + signal.SIGKILL:
            # The kernel does not say why to the parent; Kubernetes does, in this container's status.
            message = "the driver was killed; if the reason is OOMKilled, raise driver.memory or driver.memoryOverhead"
        leave_message(message or driver.error.line or f"the driver ended with exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
