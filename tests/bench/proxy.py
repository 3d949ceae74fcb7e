"""What a request costs through spark-ui-proxy, and through what a user would take instead, on this machine's loopback.

Each proxy has one core, load (wrk) and upstream (a static nginx, which stands at the addresses of all drivers) the
other. Ratios are of what one core could do: requests for each second of the proxy's processor time. p99 is under
the load of 32 connections.
Run: PYTHONPATH=tests/shared scripts/bootstrap tests.bench.proxy [SECONDS [ROUNDS]]
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ephemeral_port_reserve import reserve
from playwright.sync_api import sync_playwright
from proxy_world import Door, Team, World
from rich.console import Console
from rich.table import Table
from spark_driver import busy_driver
from ui_proxy import new_address

from chartproof.apiserver.server import api_server
from kindling_dev import tools
from kindling_dev.apiservers import ensure_apiservers
from kindling_dev.command import run
from kindling_dev.golang import GoModule, build
from kindling_dev.host import install_debian_packages
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

_GO = GoModule("tests/bench/go/reverse-proxy", {"reverse-proxy": "."})
_PORT = 4095
_PROXY_CORE, _LOAD_CORE = "0", "1"
_CONNECTIONS = 32
_PAGES = {"small": 1_500, "1 MB": 1_000_000}
_DRIVERS = (1, 100, 1_000)
_CLICKS = 5
DIRECT, NGINX, OURS, ASKED, REWRITING, GO = (
    "(a) nothing",
    "(b) nginx proxy_pass",
    "(c) spark-ui-proxy",
    "(c) asked each time",
    "(d) Python, rewriting",
    "(e) Go httputil",
)
_TARGETS = {"(b)": 0.7, "(e)": 1.2, "(d)": 20.0}
_UPSTREAM = """
daemon off; worker_processes 1; pid {folder}/upstream.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; default_type text/html; keepalive_requests 1000000;
  server {{ listen {port}; root {folder}/www; index small.html; }}
}}
"""
_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/access.log;
  upstream driver {{ server 127.0.0.1:{upstream}; keepalive 64; }}
  server {{
    listen {port};
    location / {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://driver; }}
  }}
}}
"""


@dataclass(frozen=True)
class Arm:
    """A way to a driver.

    Attributes:
        url: which a page's name follows.
        pids: processes whose processor time counts, with their children.
        headers: of each request.
        query: after the page's name.
    """

    url: str
    pids: tuple[int, ...]
    headers: Mapping[str, str]
    query: str = ""


@dataclass(frozen=True)
class Load:
    """What wrk measured.

    Attributes:
        rate: requests a second.
        p50, p99: milliseconds.
        cpu: microseconds of the proxy's processor time for a request.
    """

    rate: float
    p50: float
    p99: float
    cpu: float


def _family(pids: tuple[int, ...]) -> list[int]:
    found = list(pids)
    for pid in found:
        for task in Path(f"/proc/{pid}/task").iterdir():
            # A thread may end meanwhile.
            with suppress(FileNotFoundError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _cpu_seconds(pids: tuple[int, ...]) -> float:
    """Of processes, their children and those of them that have ended."""
    ticks = 0
    for pid in _family(pids):
        # A child may end meanwhile: its parent has its time then.
        with suppress(FileNotFoundError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def megabytes(pids: tuple[int, ...]) -> float:
    """Memory that only they hold, and a part of what they share."""
    lines = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in _family(pids)]
    return sum(int(found[1]) for text in lines if (found := re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE))) / 1024


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def measure(arm: Arm, page: str, seconds: int) -> Load:
    """Load a page by one way.

    Raises:
        AssertionError: an answer was no 200.
    """
    headers = [f"--header={name}: {value}" for name, value in arm.headers.items()]
    argv = ["taskset", "--cpu-list", _LOAD_CORE, "wrk", "--threads=1", f"--connections={_CONNECTIONS}", "--latency"]
    before = _cpu_seconds(arm.pids)
    url = f"{arm.url}/{page.replace(' ', '')}.html{arm.query}"
    told = run([*argv, f"--duration={seconds}s", *headers, url], what=f"load {url}")
    used = _cpu_seconds(arm.pids) - before
    assert "Non-2xx" not in told, f"{url}: {told}"
    assert "Socket errors" not in told, f"{url}: {told}"
    latencies = dict(re.findall(r"^\s+(50|99)%\s+(\S+)$", told, re.MULTILINE))
    requests = int(re.search(r"(\d+) requests in", told)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]
    return Load(rate, _milliseconds(latencies["50"]), _milliseconds(latencies["99"]), used / requests * 1e6)


@contextmanager
def _program(core: str, *argv: str | Path) -> Iterator[int]:
    # What they say of connections that wrk has closed is of no interest.
    with subprocess.Popen(["taskset", "--cpu-list", core, *map(str, argv)], stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def _pin(pid: int, core: str) -> None:
    for one in _family((pid,)):
        subprocess.run(
            ["taskset", "--all-tasks", "--cpu-list", "--pid", core, str(one)], check=True, capture_output=True
        )


def _address(number: int) -> str:
    return f"127.{200 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


class Bench:
    """All ways, set up."""

    def __init__(self, folder: Path, door: Door, team: Team, stack: ExitStack, go: Path) -> None:
        self.door, self.team = door, team
        www = folder / "www"
        www.mkdir()
        for name, size in _PAGES.items():
            link = "<a href='/jobs/job/?id=1'>a job</a> <script src='/static/webui.js'></script>\n"
            (www / f"{name.replace(' ', '')}.html").write_text((link * (size // len(link) + 1))[:size])
        for file in (folder, www, *www.iterdir()):
            file.chmod(0o755)
        self._count, self._last = 0, ""
        nginx, rewriting, plain = reserve(), reserve(), reserve()
        (folder / "upstream.conf").write_text(_UPSTREAM.format(folder=folder, port=_PORT))
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=nginx, upstream=_PORT))
        target = f"http://127.0.0.1:{_PORT}"
        upstream = stack.enter_context(_program(_LOAD_CORE, "nginx", "-e", "stderr", "-c", folder / "upstream.conf"))
        bare = stack.enter_context(_program(_PROXY_CORE, "nginx", "-e", "stderr", "-c", folder / "nginx.conf"))
        script = REPO / "tests/bench/proxy_rewriting.py"
        python = stack.enter_context(_program(_PROXY_CORE, sys.executable, script, str(rewriting), target))
        other = stack.enter_context(_program(_PROXY_CORE, go / "reverse-proxy", f"127.0.0.1:{plain}", target))
        _pin(door.nginx, _PROXY_CORE)
        _pin(door.decider.process.pid, _PROXY_CORE)
        self.ours = (door.nginx, door.decider.process.pid)
        path = self.add_drivers(1)
        url = f"http://{door.host}{door.base}{path}"
        cookie = {"Cookie": door.session(team.viewer)}
        self.arms = {
            DIRECT: Arm(target, (upstream,), {}),
            NGINX: Arm(f"http://127.0.0.1:{nginx}", (bare,), {}),
            OURS: Arm(url, self.ours, cookie),
            # No decision is kept for what can be read in two ways.
            ASKED: Arm(url, self.ours, cookie, query="?x=%20"),
            REWRITING: Arm(f"http://127.0.0.1:{rewriting}", (python,), {}),
            GO: Arm(f"http://127.0.0.1:{plain}", (other,), {}),
        }

    def add_drivers(self, number: int) -> str:
        """Until there are so many; the last one's path."""
        numbers = range(self._count, number)
        self._count = number
        with ThreadPoolExecutor(8) as pool:
            app_ids = list(pool.map(lambda n: self.team.driver(_address(n), port=_PORT), numbers))
        if app_ids:
            self._last = self.door.shown(self.team, app_ids[-1])
        return self._last

    def seconds_until_routed(self) -> float:
        """From the word that a driver runs to its first page."""
        token, app_id = self.team.viewer, f"spark-new-{time.time_ns()}"
        self.team.pods.make(app_id, labels={"spark-app-selector": app_id}, port=_PORT, phase="Pending")
        began = time.perf_counter()
        self.team.pods.set_status(app_id, "Running", new_address())
        while self.door.get(f"/{self.team.name}/proxy/{app_id}/small.html", token).status != 200:
            time.sleep(0.005)
        return time.perf_counter() - began


def _median(loads: list[Load]) -> Load:
    return Load(*(statistics.median(getattr(load, name) for load in loads) for name in Load.__dataclass_fields__))


def _load_report(console: Console, page: str, medians: Mapping[str, Load]) -> None:
    table = Table("", "req/s", "p50 ms", "p99 ms", "CPU µs", title=f"{page} response, {_CONNECTIONS} connections")
    for name, load in medians.items():
        table.add_row(name, f"{load.rate:,.0f}", f"{load.p50:.2f}", f"{load.p99:.2f}", f"{load.cpu:.1f}")
    console.print(table)
    ours = medians[OURS]
    for name, load in medians.items():
        wanted = _TARGETS.get(name[:3])
        if wanted:
            ratio, rate = load.cpu / ours.cpu, ours.rate / load.rate
            console.print(f"  for each second of CPU {ratio:.2f} x {name} (target {wanted}); req/s {rate:.2f} x")
    console.print(f"  p99 {ours.p99 / medians[NGINX].p99:.2f} x {NGINX} (target at most 1.5)")


def _clicks(console: Console, world: World, door: Door, folder: Path) -> None:
    """The jobs page of a real driver in Chromium, with all its files."""
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    folder.mkdir()
    with busy_driver("4.3", "127.250.0.1", folder) as driver, sync_playwright() as playwright:
        team = world.team()
        team.pods.make("driver", labels={"spark-app-selector": driver.app_id}, ip=driver.address)
        path = door.shown(team, driver.app_id)
        urls = {"direct": f"http://{driver.address}:4040", "spark-ui-proxy": f"http://{door.host}{door.base}{path}"}
        token = team.viewer
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for number in range(_CLICKS + 1):
            for name, url in urls.items():
                context = browser.new_context(extra_http_headers={"Authorization": f"Bearer {token}"})
                page = context.new_page()
                taken = []
                for _ in range(2):
                    began = time.perf_counter()
                    page.goto(f"{url}/jobs/", wait_until="load")
                    taken.append((time.perf_counter() - began) * 1e3)
                context.close()
                if number:  # the first opens warm the driver
                    times[name].append((taken[0], taken[1]))
        browser.close()
    table = Table("", "first ms", "second ms", title="a jobs page in Chromium, until all its files are there")
    for name, pairs in times.items():
        table.add_row(name, *(f"{statistics.median(pair[which] for pair in pairs):.0f}" for which in (0, 1)))
    console.print(table)


def main(seconds: int, rounds: int) -> None:
    """Measure all and print it."""
    settings, progress, console = Settings.from_environment(), Progress(), Console()
    tools.ensure_tools(settings, progress, ("kubectl",))
    install_debian_packages({"wrk": "wrk", "nginx": "libnginx-mod-http-lua"}, settings, progress)
    go = build(_GO, settings, progress)
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        programs = ensure_apiservers(settings, progress)
        server = stack.enter_context(api_server("1.34", programs / "1.34", folder / "apiserver"))
        world = World(server)
        door = stack.enter_context(world.door(basePath="/spark"))
        bench = Bench(folder, door, world.team(), stack, go)
        for page in _PAGES:
            loads: dict[str, list[Load]] = defaultdict(list)
            for _ in range(rounds):
                for arm_name, arm in bench.arms.items():
                    loads[arm_name].append(measure(arm, page, seconds))
            _load_report(console, page, {arm_name: _median(taken) for arm_name, taken in loads.items()})
        table = Table("drivers", "req/s", "CPU µs", "MB nginx", "MB decider", "s until a new one is routed")
        for drivers in _DRIVERS:
            bench.add_drivers(drivers)
            load = _median([measure(bench.arms[OURS], "small", seconds) for _ in range(rounds)])
            routed = statistics.median(bench.seconds_until_routed() for _ in range(5))
            memory = [f"{megabytes((pid,)):.0f}" for pid in bench.ours]
            table.add_row(f"{drivers:,}", f"{load.rate:,.0f}", f"{load.cpu:.1f}", *memory, f"{routed:.3f}")
        console.print(table)
        _clicks(console, world, door, folder / "driver")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
