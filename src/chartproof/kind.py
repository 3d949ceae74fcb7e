"""A kind cluster for the tests of a machine that were given none: made once, found again by every later run."""

from __future__ import annotations

import fcntl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_READY = "180s"
_ANSWER = "15s"
_LONGEST_S = 900


class ClusterError(Exception):
    """There is no cluster to test in; one line says why and what to do."""


@dataclass(frozen=True)
class Kind:
    """A kind cluster.

    Attributes:
        name: of the cluster.
        folder: where its kubeconfig is kept; it must be there.
        config: a file with kind's configuration; None: kind's own.
        image: of the nodes; "": kind's own.
    """

    name: str
    folder: Path
    config: Path | None = None
    image: str = ""

    @property
    def kubeconfig(self) -> Path:
        """The cluster's; a person's own is never touched."""
        return self.folder / "kubeconfig"

    @property
    def removal(self) -> str:
        """The command that removes it."""
        return f"kind delete cluster --name {self.name}"

    def ensure(self) -> Path:
        """See that it is there and answers; return its kubeconfig. Who comes meanwhile waits.

        Raises:
            ClusterError: it cannot be made, or is there and does not answer or was made of another configuration.
        """
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.name not in self._kind("get", "clusters").split():
                self._make()
            elif self._made_from.exists() and self._made_from.read_text() != self._configuration:
                raise ClusterError(f"the kind cluster {self.name} was made of another configuration; {self._cure}")
            elif not self._answers() and not self._answers_anew():
                raise ClusterError(f"the kind cluster {self.name} gives no answer in {_ANSWER}; {self._cure}")
            self._made_from.write_text(self._configuration)
        return self.kubeconfig

    @property
    def _made_from(self) -> Path:
        return self.folder / "made-from"

    @property
    def _configuration(self) -> str:
        return f"{self.image}\n{self.config.read_text() if self.config else ''}"

    @property
    def _cure(self) -> str:
        return f"remove it ({self.removal}) and run this again"

    @property
    def _named(self) -> list[str]:
        return ["--name", self.name, "--kubeconfig", str(self.kubeconfig)]

    def _make(self) -> None:
        image = ["--image", self.image] if self.image else []
        config = ["--config", str(self.config)] if self.config else []
        self._kind("create", "cluster", *self._named, "--wait", _READY, *image, *config)

    def _answers(self) -> bool:
        argv = ["kubectl", f"--kubeconfig={self.kubeconfig}", "get", "--raw=/readyz", f"--request-timeout={_ANSWER}"]
        return self.kubeconfig.exists() and subprocess.run(argv, capture_output=True, check=False).returncode == 0

    def _answers_anew(self) -> bool:
        """Whether it answers one who asks kind where it is: another folder's run may have made it."""
        try:
            self._kind("export", "kubeconfig", *self._named)
        except ClusterError:
            return False  # its nodes do not run
        return self._answers()

    def _kind(self, *argv: str) -> str:
        try:
            done = subprocess.run(
                ["kind", *argv],
                capture_output=True,
                text=True,
                timeout=_LONGEST_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            raise ClusterError(
                "no cluster is given and kind is not installed: give one by --kubeconfig or KUBECONFIG, or install kind"
            ) from None
        except subprocess.TimeoutExpired:
            raise ClusterError(f"no end of kind {' '.join(argv)} within {_LONGEST_S} s") from None
        if done.returncode:
            said = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), done.stderr.strip())
            raise ClusterError(f"kind {' '.join(argv)}: {said}")
        return done.stdout
