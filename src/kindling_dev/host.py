"""What this machine is and lacks. All special handling of unusual hosts is decided here and nowhere else.

Two things are detected, never assumed:

* the capability bounding set lacks something that privileged containers ask for (CAP_SYS_RESOURCE, in some sandboxes):
  the engine and the node get ``images/kind-node/bounded-runc``, containerd keeps out-of-memory scores as they are, and
  the kubelet runs as it does in a user namespace;
* cgroup v1: Kubernetes up to 1.34 still runs there (with a warning), newer kubelets refuse.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindling_dev.command import Failure, run, succeeds
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

BOUNDED_RUNC = REPO / "images/kind-node/bounded-runc"
LAST_KUBERNETES_WITH_CGROUP_V1 = (1, 34)

# A program that must be on PATH, and Debian's package that has it.
_ENGINE_PROGRAMS = {"dockerd": "docker.io", "docker": "docker.io", "iptables": "iptables", "ip": "iproute2"}
_BUILD_PROGRAMS = {"mmdebstrap": "mmdebstrap", "gcc": "build-essential", "xz": "xz-utils"}
_BOUNDED_PROGRAMS = {"jq": "jq", "runc": "runc"}
_ENGINE_DEADLINE_S = 60


@dataclass(frozen=True)
class Host:
    """What was detected of this machine.

    Attributes:
        all_capabilities: the bounding set holds all that the kernel knows.
        cgroup_v1: the machine has no unified cgroup hierarchy.
    """

    all_capabilities: bool
    cgroup_v1: bool

    @classmethod
    def detect(cls) -> Host:
        """Read this machine's /proc and /sys."""
        status = Path("/proc/self/status").read_text()
        bounding = int(status.split("CapBnd:")[1].split()[0], 16)
        last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
        return cls(
            all_capabilities=bounding == (1 << (last + 1)) - 1,
            cgroup_v1=not Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        )

    def check_kubernetes(self, version: str) -> None:
        """Refuse a Kubernetes version ("1.35.2") that cannot run here."""
        minor = tuple(int(part) for part in version.split(".")[:2])
        if self.cgroup_v1 and minor > LAST_KUBERNETES_WITH_CGROUP_V1:
            raise Failure(f"this host has cgroup v1, where Kubernetes {version} does not run; use 1.34 or older")

    def kind_patches(self) -> dict[str, Any]:
        """What this host adds to a kind configuration."""
        if self.all_capabilities:
            return {}
        return {
            "featureGates": {"KubeletInUserNamespace": True},
            "containerdConfigPatches": ['[plugins."io.containerd.grpc.v1.cri"]\n  restrict_oom_score_adj = true\n'],
        }


def ensure_engine(settings: Settings, host: Host, progress: Progress) -> None:
    """See that a Docker engine answers: install Debian's and start it where there is none."""
    if succeeds(["docker", "info"], timeout=20):
        _check_runtime(host)
        return
    if os.geteuid() != 0:
        raise Failure("no Docker engine answers; start one (or run this as root, which installs and starts Debian's)")
    programs = dict(_ENGINE_PROGRAMS)
    if not host.all_capabilities:
        programs |= _BOUNDED_PROGRAMS
    install_debian_packages(programs, settings, progress)
    # Where systemd runs, Debian's package has started it already.
    if succeeds(["docker", "info"], timeout=20):
        _check_runtime(host)
    else:
        _start_engine(settings, host, progress)


def ensure_build_programs(settings: Settings, progress: Progress) -> None:
    """Install what builds images from packages."""
    install_debian_packages(_BUILD_PROGRAMS, settings, progress)


def ensure_nginx(settings: Settings, progress: Progress) -> None:
    """Install nginx with Lua, and Chromium: what the tests of spark-ui-proxy run."""
    # The module brings its nginx.
    install_debian_packages({"nginx": "libnginx-mod-http-lua", "chromium": "chromium"}, settings, progress)


def ensure_maven(settings: Settings, progress: Progress) -> None:
    """Install what gets jars."""
    install_debian_packages({"mvn": "maven"}, settings, progress)


def ensure_gpg(settings: Settings, progress: Progress) -> None:
    """Install what signs packages."""
    install_debian_packages({"gpg": "gnupg"}, settings, progress)


def install_debian_packages(programs: dict[str, str], settings: Settings, progress: Progress) -> None:
    """Install with apt-get the packages of the programs that are not on PATH."""
    search = os.environ["PATH"] + ":/usr/sbin:/sbin"
    packages = sorted({package for program, package in programs.items() if not shutil.which(program, path=search)})
    if not packages:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise Failure(f"not installed: {', '.join(packages)}; install them (as root on Debian this is done for you)")
    with progress.step(f"installing {', '.join(packages)} with apt-get, into the system"):
        log = settings.logs / "apt.log"
        run(["apt-get", "update", "-q"], log=log, what="update the package lists")
        run(
            ["apt-get", "install", "-qy", "--no-install-recommends", *packages],
            log=log,
            # RUNLEVEL: a package that brings a server does not start it.
            env={"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
            what=f"install {', '.join(packages)}",
        )


def stop_engine(settings: Settings) -> bool:
    """Stop the engine if this cache's ``up`` started it; say whether it did."""
    pid_file = _engine_dir(settings) / "dockerd.pid"
    if not pid_file.exists():
        return False
    pid = int(pid_file.read_text())
    if not _is_dockerd(pid):
        return False
    os.kill(pid, 15)
    deadline = time.monotonic() + _ENGINE_DEADLINE_S
    while _is_dockerd(pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    return True


def _engine_dir(settings: Settings) -> Path:
    return settings.cache / "engine"


def _is_dockerd(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "dockerd"
    except OSError:
        return False


def _start_engine(settings: Settings, host: Host, progress: Progress) -> None:
    folder = _engine_dir(settings)
    folder.mkdir(parents=True, exist_ok=True)
    log = settings.logs / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    pid_file = folder / "dockerd.pid"
    # An engine that was killed leaves its file; dockerd refuses to start if any process has that number now.
    if pid_file.exists() and not _is_dockerd(int(pid_file.read_text())):
        pid_file.unlink()
    argv = ["dockerd", "--pidfile", str(pid_file)]
    if not host.all_capabilities:
        # The wrapper is copied: the engine must outlive this clone.
        wrapper = shutil.copy2(BOUNDED_RUNC, folder / "bounded-runc")
        argv += ["--add-runtime", f"bounded={wrapper}", "--default-runtime", "bounded"]
    env = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    with progress.step(f"starting the Docker engine (log: {log})"), log.open("ab") as sink:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, start_new_session=True
        )
        deadline = time.monotonic() + _ENGINE_DEADLINE_S
        while not succeeds(["docker", "info"], timeout=20):
            if process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                raise Failure(f"the Docker engine did not start; log: {log}\n{tail}")
            time.sleep(0.3)


def _check_runtime(host: Host) -> None:
    if host.all_capabilities:
        return
    runtime = run(["docker", "info", "--format", "{{.DefaultRuntime}}"]).strip()
    if runtime != "bounded":
        raise Failure(
            f"this host lacks capabilities that kind's nodes ask for, and the engine's default runtime is {runtime!r}; "
            f"start dockerd with --add-runtime bounded={BOUNDED_RUNC} --default-runtime bounded, or stop it and "
            "scripts/up starts it so"
        )
