"""A person's notebook: sessions without configuration, their UIs, and executors that go with their kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from as_written import clone_for, done_as_written
from door import new_door
from notebook import COUNT, SESSION, TOKEN, Notebook, notebook_image
from playwright.sync_api import Browser, expect
from probes import OPEN, SILENT, Probes, start
from team import EACH_ALLOCATOR, Team, made_by
from waiting import wait_until

from chartproof.reachability import Flow, Peer
from kindling_dev import flights
from kindling_dev.guides import GUIDES, commands
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE, LINES

KILL_THE_JVM = """
import os, signal, subprocess
(jvm,) = subprocess.run(["pgrep", "-f", "deploy.SparkSubmit"], capture_output=True, text=True).stdout.split()
os.kill(int(jvm), signal.SIGKILL)
"""
PLOT = """\
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
days = spark.range(2000).selectExpr("id % 7 AS day", "rand(1) AS late").groupBy("day").avg("late").orderBy("day")
days.toPandas().plot.bar(x="day");"""


@pytest.mark.long
def test_the_guide_leads_to_a_plot(team: Team, tmp_path: Path) -> None:
    notebook_image()
    settings = Settings.from_environment()
    flights.put_on_claim(flights.flights_csv(settings), team.name, settings.kubeconfig)
    clone_for(team, "notebook", tmp_path)
    written = commands("notebook", "").replace("team-a", team.name).replace("kindling-system", ADMIN_NAMESPACE)
    done_as_written(written, team.cluster, tmp_path)

    (cell,) = re.findall(r"```python\n(.*?)```", (GUIDES / "notebook.md").read_text(), re.DOTALL)
    notebook = Notebook(team)
    notebook.write("report.ipynb", cell, "spark")
    done_as_written(commands("notebook", "As a script").replace("team-a", team.name), team.cluster, tmp_path)
    plot, session = (shown[-1]["data"] for shown in notebook.outputs("report.ipynb"))
    assert "image/png" in plot
    assert "kubectl port-forward anna-0 4040" in "".join(session["text/html"])


@pytest.mark.long
@EACH_ALLOCATOR
def test_executors_go_with_their_kernel(team: Team, allocator: str) -> None:
    notebook = Notebook(team)
    notebook.install(executor=made_by(team, allocator))
    with notebook.kernel() as kernel:
        for end in ("restarted", "JVM killed", "killed"):
            told = kernel.run(COUNT)
            assert "counted 1000" in told.text, (end, told)
            assert notebook.executors()
            if end == "killed":
                kernel.die()
            elif end == "restarted":
                kernel.restart()
            else:
                kernel.run(KILL_THE_JVM)
            wait_until(lambda: not notebook.executors(), f"executors are gone: {end}")
            if end == "JVM killed":
                kernel.restart()


@pytest.mark.long
def test_the_pods_end_takes_executors_and_keeps_the_home(team: Team) -> None:
    notebook = Notebook(team)
    notebook.install()
    with notebook.forwarded() as url:
        told = notebook.start_kernel(url).run(COUNT + "open('kept.txt', 'w').write('kept')")
        assert "counted 1000" in told.text, told
        assert notebook.executors()
        team.uninstall(notebook.release)
        wait_until(lambda: not notebook.executors(), "executors are gone")
    assert "PersistentVolumeClaim/anna-home" in team.objects()
    notebook.install("install", home={"existingClaim": "anna-home"})
    with notebook.kernel() as kernel:
        told = kernel.run("print(open('kept.txt').read())")
    assert told.text == "kept\n", told


@pytest.mark.long
def test_other_versions_of_executors_are_refused(team: Team) -> None:
    repository, _, tag = LINES["3.5"].published.partition(":")
    notebook = Notebook(team)
    notebook.install(executor={"image": {"registry": "docker.io", "repository": repository, "tag": tag}})
    with notebook.kernel() as kernel:
        told = kernel.run(SESSION)
    (line,) = [line for line in told.text.splitlines() if line.startswith("kindling: ")]
    here, there = DEFAULT_LINE.version, LINES["3.5"].version
    expected = (
        rf"executors' image \S+ has Spark {there}, Python 3\.11, and the notebook has Spark {here}, Python 3\.13: "
    )
    assert re.search(expected, line), line
    assert "JAVA_GATEWAY_EXITED" in told.error
    assert notebook.executors() == []


@pytest.mark.long
def test_what_is_idle_goes(team: Team) -> None:
    team.set_namespace(driver={"accounts": [{"name": "anna"}]})
    notebook = Notebook(team)
    notebook.install(
        driver={"serviceAccountName": "anna"},
        executor={"dynamicAllocation": {"idleTimeout": "600s"}},
        idle={"kernels": "10s", "notebook": "30s"},
    )
    with notebook.forwarded() as url:
        kernel = notebook.start_kernel(url)
        assert "counted 1000" in kernel.run(COUNT).text
        wait_until(lambda: not notebook.executors(), "the idle kernel's executors are gone")
    wait_until(lambda: not notebook.pods(), "the idle notebook is gone", 120)
    stateful_set = json.loads(team.kubectl("get", "statefulset", notebook.release, "--output=json"))
    assert stateful_set["spec"]["replicas"] == 0
    team.kubectl("scale", f"statefulset/{notebook.release}", "--replicas=1")
    team.kubectl("wait", f"pod/{notebook.release}-0", "--for=condition=Ready", "--timeout=90s")


@pytest.mark.long
def test_only_who_is_named_reaches_a_notebook(team: Team, new_namespace: Callable[..., str]) -> None:
    ingress, other_team = new_namespace("ingress"), new_namespace("team")
    notebook = Notebook(team)
    named = {"namespaces": [ingress], "podLabels": {"app": "login"}, "ports": [8888]}
    values: dict[str, Any] = {"global": {"isolateApplications": True}, "network": {"from": {"login": named}}}
    notebook.install(**values)
    driver = {"spark-role": "driver", "app.kubernetes.io/name": "spark-job", "app.kubernetes.io/instance": "other"}
    peers = {
        "login": Peer(ingress, {"app": "login"}),
        "its neighbour": Peer(ingress, {"app": "other"}),
        "another team": Peer(other_team, driver),
        "the team's job": Peer(team.name, driver),
    }
    start(team.cluster, peers, lambda namespace: "spark-executor" if namespace == team.name else "default")
    (pod,) = notebook.pods()
    probes = Probes(team.cluster, peers, {"notebook": pod.status.pod_ip})
    page, rpc, ui = ({Flow(name, "notebook", port) for name in peers} for port in (8888, 7078, 4040))
    allowed = {Flow("login", "notebook", 8888)}
    with notebook.kernel() as kernel:
        assert "counted 1000" in kernel.run(COUNT).text, "its own executors reach it"
        assert set(probes.ask(allowed, 30).values()) == {OPEN}
        assert set(probes.ask((page | rpc | ui) - allowed, 3).values()) == {SILENT}
        team.kubectl("delete", "networkpolicies", "--all")
        assert set(probes.ask(page | rpc | ui, 30).values()) == {OPEN}, "the policies kept them out"


def test_a_browser_plots_and_opens_the_ui(team: Team, chromium: Browser, request: pytest.FixtureRequest) -> None:
    with new_door(team) as door:
        door.install()
        door.let_in(team, door.viewer)
        notebook = Notebook(team)
        values: dict[str, Any] = {"global": {"uiProxy": {"url": f"{door.url}/", "namespace": ADMIN_NAMESPACE}}}
        notebook.install(**values)
        with notebook.forwarded() as url:
            page = chromium.new_context(viewport={"width": 1200, "height": 900}).new_page()
            page.goto(f"{url}/lab?token={TOKEN}")
            page.locator(".jp-LauncherCard", has_text="Python 3").first.click()
            expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
            for number, code in enumerate((PLOT, "spark")):
                cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(number)
                cell.click()
                page.keyboard.insert_text(code)
                expect(cell).to_contain_text(code.splitlines()[0])
                page.keyboard.press("Shift+Enter")
                shown = page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".jp-OutputArea-output")
                expect(shown.locator("img" if number == 0 else "a").first).to_be_visible(timeout=120_000)
            link = page.get_by_role("link", name="Spark UI").get_attribute("href")
            if request.config.getoption("screenshots"):
                page.screenshot(path=REPO / "docs/images/notebook.png")
        assert link
        assert link.startswith(f"{door.url}/{team.name}/proxy/spark-")
        ui = link.removeprefix(door.url)
        wait_until(lambda: door.ask(f"{ui}jobs/").status == 200, "the UI is found", 30)
        assert "Completed Jobs" in door.ask(f"{ui}jobs/").text
        assert door.ask(f"{ui}jobs/", "default").status == 403
