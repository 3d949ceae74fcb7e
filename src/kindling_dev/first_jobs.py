"""The charts of two teams, and the first two applications in team-a: SparkPi and the flights."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import yaml
from rich import box
from rich.table import Table

from chartproof.cluster import Cluster, JobEnd
from chartproof.helm import Helm, build_dependencies
from kindling_dev import flights
from kindling_dev.command import Failure, run
from kindling_dev.helm_releases import CHARTS, VALUES, install_chart, make_once
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings

TEAMS = ("team-a", "team-b")
HISTORY = "spark-history-server"
_TEAM = "team-a"
_PRIORITY_CLASSES = REPO / "examples/quota/priority-classes.yaml"
_MAKE_SECRET = "head -c 32 /dev/urandom | kubectl create secret generic spark-auth --from-file=secret=/dev/stdin"
"""As docs/guides/hardened.md has it."""
_JOB_DEADLINE_S = 300
_LIVE_MINUTES = 60
_PI_FILE = "local:///opt/spark/examples/src/main/python/pi.py"
_FLIGHTS_VALUES = f"--values={flights.EXAMPLE / 'values.yaml'}"


def install_namespaces(settings: Settings, progress: Progress) -> None:
    """Install spark-namespace for each team, make what the values of team-b name, and start team-a's history server."""
    build_dependencies(CHARTS, Helm(kubeconfig=settings.kubeconfig))
    kubectl = ["kubectl", f"--kubeconfig={settings.kubeconfig}"]
    run([*kubectl, "apply", f"--filename={_PRIORITY_CLASSES}"], what="make the priority classes of team-b's quotas")
    for team in TEAMS:
        install_chart("spark-namespace", team, release=team, into=ADMIN_NAMESPACE, settings=settings, progress=progress)
        facts = yaml.safe_load((VALUES / team / "common.yaml").read_text())["global"]
        if facts.get("security", {}).get("profile") == "hardened":
            make_once("secret spark-auth", _MAKE_SECRET, team, settings)
    install_chart(HISTORY, _TEAM, release=HISTORY, into=_TEAM, settings=settings, progress=progress)


def run_pi(settings: Settings, progress: Progress) -> None:
    """Run SparkPi and print its result."""
    log = _run("pi", [f"--set=app.file={_PI_FILE}"], settings, progress)
    found = re.search(r"Pi is roughly [\d.]+", log)
    if not found:
        raise Failure(f"SparkPi printed no result; kubectl logs --namespace {_TEAM} --selector spark-role=driver")
    progress.console.print(f"  [bold green]{found[0]}[/bold green]")


def run_flights(settings: Settings, progress: Progress) -> None:
    """Run the flights job and the job that reads its result back; print some of it."""
    with progress.step("putting 336,776 flights on a claim"):
        flights.put_on_claim(flights.flights_csv(settings), _TEAM, settings.kubeconfig)
    source = [f"--set-file=app.source={flights.EXAMPLE / 'by_carrier.py'}", _FLIGHTS_VALUES]
    arguments = "--set=app.args={/data/flights.csv,/data/by-carrier}"
    _run("flights", [*source, arguments], settings, progress)
    source = [f"--set-file=app.source={flights.EXAMPLE / 'read_back.py'}", _FLIGHTS_VALUES]
    log = _run("flights-read-back", [*source, "--set=app.args={/data/by-carrier}"], settings, progress)
    progress.console.print(_flights_table(flights.means_in_log(log)))


def start_live(settings: Settings, progress: Progress) -> None:
    """Start a flights job that lasts, for whoever looks at its UI; each time a new one."""
    run_id = f"--set=run.id={datetime.now(UTC):%Y%m%d-%H%M%S}"
    source = [f"--set-file=app.source={flights.EXAMPLE / 'live.py'}", _FLIGHTS_VALUES, run_id]
    # It rests most of the time, and leaves the node to what else is tried.
    small = "--set=driver.requestCores=50m,executor.requestCores=50m,executor.instances=1"
    arguments = [*source, small, f"--set=app.args={{/data/flights.csv,{_LIVE_MINUTES}}}"]
    _start("flights-live", arguments, settings, progress)


def _flights_table(means: flights.Means) -> Table:
    months = range(1, 13)
    title = "mean arrival delay in minutes, by carrier and month of 2013"
    table = Table("carrier", *map(str, months), title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1))
    for column in table.columns[1:]:
        column.justify = "right"
    for carrier in sorted({carrier for carrier, _ in means}):
        cells = [means.get((carrier, month), (0, None))[1] for month in months]
        table.add_row(carrier, *("" if cell is None else f"{cell:.0f}" for cell in cells))
    return table


def _start(release: str, arguments: list[str], settings: Settings, progress: Progress) -> None:
    install_chart("spark-job", _TEAM, *arguments, release=release, into=_TEAM, settings=settings, progress=progress)


def _run(release: str, arguments: list[str], settings: Settings, progress: Progress) -> str:
    """Install or upgrade a release of spark-job, wait for its run; return what it printed."""
    cluster = Cluster(settings.kubeconfig)
    _start(release, arguments, settings, progress)
    with progress.step(f"running {release}"):
        end = cluster.job_end(_TEAM, f"app.kubernetes.io/instance={release}", _JOB_DEADLINE_S)
    if not end.succeeded:
        raise Failure(_failed(release, end))
    return cluster.job_log(_TEAM, end.name)


def _failed(release: str, end: JobEnd) -> str:
    evidence = "\n".join(f"    {line}" for line in (end.messages[-1] if end.messages else "").splitlines()[-10:])
    cure = f"helm uninstall {release} --namespace {_TEAM}, then run this again"
    return f"job {end.name} failed ({end.reason}, exit codes {list(end.exit_codes)}); {cure}\n{evidence}"
