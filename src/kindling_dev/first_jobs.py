"""The charts of two teams, and the first two applications in team-a: SparkPi and the flights."""

from __future__ import annotations

import re

import yaml
from rich import box
from rich.table import Table

from chartproof.cluster import Cluster, JobEnd
from chartproof.errors import HelmError
from chartproof.helm import Helm, build_dependencies
from kindling_dev import flights
from kindling_dev.command import Failure, run
from kindling_dev.progress import Progress
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings

TEAMS = ("team-a", "team-b")
_TEAM = "team-a"
_CHARTS = REPO / "charts"
_VALUES = REPO / "values"
_PRIORITY_CLASSES = REPO / "examples/quota/priority-classes.yaml"
_GET_SECRET = "kubectl get secret spark-auth"
_MAKE_SECRET = "head -c 32 /dev/urandom | kubectl create secret generic spark-auth --from-file=secret=/dev/stdin"
"""As docs/guides/hardened.md has it."""
_JOB_DEADLINE_S = 300
_PI_FILE = "local:///opt/spark/examples/src/main/python/pi.py"
_FLIGHTS_VALUES = f"--values={flights.EXAMPLE / 'values.yaml'}"


def install_namespaces(settings: Settings, progress: Progress) -> None:
    """Install spark-namespace for each team, and make what the values of team-b name."""
    helm = Helm(kubeconfig=settings.kubeconfig)
    build_dependencies(_CHARTS, helm)
    kubectl = ["kubectl", f"--kubeconfig={settings.kubeconfig}"]
    run([*kubectl, "apply", f"--filename={_PRIORITY_CLASSES}"], what="make the priority classes of team-b's quotas")
    for team in TEAMS:
        with progress.step(f"helm upgrade --install {team} charts/spark-namespace"):
            folder = _VALUES / team
            files = [_VALUES / "spark-namespace.yaml", folder / "common.yaml", folder / "spark-namespace.yaml"]
            values = [f"--values={file}" for file in files]
            argv = ["upgrade", "--install", team, str(_CHARTS / "spark-namespace"), *values]
            helm_run(helm, [*argv, "--namespace", ADMIN_NAMESPACE, "--create-namespace"])
            facts = yaml.safe_load((folder / "common.yaml").read_text())["global"]
            if facts.get("security", {}).get("profile") == "hardened":
                make = f"{_GET_SECRET} --namespace {team} || {_MAKE_SECRET} --namespace {team}"
                env = {"KUBECONFIG": str(settings.kubeconfig)}
                run(["sh", "-c", make], env=env, what=f"make the Secret of {team}'s applications")


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


def _run(release: str, arguments: list[str], settings: Settings, progress: Progress) -> str:
    """Install or upgrade a release of spark-job, wait for its run; return what it printed."""
    helm, cluster = Helm(kubeconfig=settings.kubeconfig), Cluster(settings.kubeconfig)
    files = [f"--values={_VALUES / 'spark-job.yaml'}", f"--values={_VALUES / _TEAM / 'common.yaml'}"]
    argv = ["upgrade", "--install", release, str(_CHARTS / "spark-job"), "--namespace", _TEAM, *files, *arguments]
    with progress.step(f"helm upgrade --install {release} charts/spark-job, and its run"):
        helm_run(helm, argv)
        end = cluster.job_end(_TEAM, f"app.kubernetes.io/instance={release}", _JOB_DEADLINE_S)
    if not end.succeeded:
        raise Failure(_failed(release, end))
    return cluster.job_log(_TEAM, end.name)


def _failed(release: str, end: JobEnd) -> str:
    evidence = "\n".join(f"    {line}" for line in (end.messages[-1] if end.messages else "").splitlines()[-10:])
    cure = f"helm uninstall {release} --namespace {_TEAM}, then run this again"
    return f"job {end.name} failed ({end.reason}, exit codes {list(end.exit_codes)}); {cure}\n{evidence}"


def helm_run(helm: Helm, argv: list[str]) -> None:
    """Run helm; what it refuses is for the person."""
    try:
        helm.run(argv)
    except HelmError as error:
        raise Failure(f"helm {' '.join(argv[:3])}: {error}") from None
