"""A JupyterHub with KubeSpawner: its users' notebooks are drivers in their teams' namespaces, apart from each other."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from audited import Pair, asked_by, granted
from door import Door, new_door
from hub import Hub, Person, installed_hub
from notebook import COUNT, Kernel, refused
from playwright.sync_api import Browser, expect
from team import Team
from waiting import wait_until

from kindling_dev.jupyterhub_image import ensure_jupyterhub_image
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings

PORTS = {"driver": (8888, 7078, 7079, 4040), "executor": (7079,)}
"""What a notebook's pod and an executor listen at."""
KNOCK = """
import socket
for place in {places}:
    try:
        socket.create_connection(place, 3).close()
        print("KNOCKED", *place, "open")
    except OSError as error:
        print("KNOCKED", *place, type(error).__name__)
"""


def pods_of(team: Team, person: str, role: str) -> list[Any]:
    """A user's pods of a role, "driver" or "executor"."""
    labels = f"spark-role={role},kindling.local/notebook=jupyter-{person}"
    pods: list[Any] = team.cluster.core.list_namespaced_pod(team.name, label_selector=labels).items
    return pods


def places(team: Team, person: str) -> list[tuple[str, int]]:
    """Where all pods of a user listen."""
    return [
        (pod.status.pod_ip, port)
        for role, ports in PORTS.items()
        for pod in pods_of(team, person, role)
        for port in ports
    ]


def knocked(kernel: Kernel, targets: list[tuple[str, int]]) -> dict[str, str]:
    """What comes of connections from a kernel: "open", or an error's name."""
    told = kernel.run(KNOCK.format(places=targets))
    return {f"{host}:{port}": said for host, port, said in re.findall(r"KNOCKED (\S+) (\d+) (\w+)", told.text)}


def is_shown(door: Door, path: str, viewer: str) -> bool:
    """Whether the ui-proxy shows a page to somebody."""
    return door.ask(path, viewer).status == 200


@pytest.fixture
def teams(new_team: Callable[[], Team]) -> dict[str, Team]:
    """Two teams, by the guide's names."""
    return {"team-a": new_team(), "team-b": new_team()}


@pytest.fixture
def hub(teams: dict[str, Team], tmp_path: Path) -> Iterator[Hub]:
    """The guide's hub for them."""
    values = {
        "executor": {"requestCores": "50m", "memory": "512m", "dynamicAllocation": {"max": 1, "idleTimeout": "600s"}}
    }
    with installed_hub(teams, tmp_path, **values) as hub:
        yield hub


def test_users_have_notebooks_apart_from_each_other(hub: Hub, teams: dict[str, Team]) -> None:
    team_a, team_b = teams.values()
    with hub.open() as url, ExitStack() as kernels:
        people = [Person.logged_in(hub, url, name) for name in ("anna", "amir", "ben")]
        for person in people:
            person.start()
        hers, his, bens = (kernels.enter_context(person.kernel()) for person in people)
        for kernel in (hers, his, bens):
            told = kernel.run(COUNT)
            assert "counted 1000" in told.text, told
        of_anna, of_amir = places(team_a, "anna"), places(team_a, "amir")
        assert len(of_anna) == len(of_amir) == 5
        assert set(knocked(hers, of_anna).values()) == {"open"}
        assert set(knocked(his, of_anna).values()) == {"TimeoutError"}
        assert set(knocked(bens, of_anna + of_amir).values()) == {"TimeoutError"}
        # With a token of the hub: by the page no more than by the network.
        for person in people[1:]:
            assert refused("GET", f"{people[0].home}/api/kernels", person.token) == 403
        (pod,) = pods_of(team_a, "anna", "driver")
        assert pod.spec.service_account_name == "spark-driver"
        assert not {"JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"} & {one.name for one in pod.spec.containers[0].env}
        assert people[0].token not in str(pod)

        with new_door(team_a) as door:
            door.install(namespaces={"names": [team_a.name, team_b.name]})
            other = f"{door.viewer}-b"
            team_b.kubectl("create", "serviceaccount", other, door.admin)
            door.let_in(team_a, door.viewer)
            door.let_in(team_b, other)
            for team, kernel, viewer, stranger in (
                (team_a, hers, door.viewer, other),
                (team_b, bens, other, door.viewer),
            ):
                app = kernel.run("print(spark.sparkContext.applicationId)").text.strip()
                jobs = f"/{team.name}/proxy/{app}/jobs/"
                wait_until(partial(is_shown, door, jobs, viewer), "the UI is found", 60)
                assert "Completed Jobs" in door.ask(jobs, viewer).text
                assert door.ask(jobs, stranger).status in (403, 404)
            team_b.kubectl("delete", "serviceaccount", other, door.admin)


@pytest.mark.long
def test_a_stopped_notebook_leaves_its_home_alone(hub: Hub, teams: dict[str, Team], audit_log: Any) -> None:
    team = teams["team-a"]
    before = team.objects()
    with hub.open() as url:
        anna = Person.logged_in(hub, url, "anna")
        anna.start()
        with anna.kernel() as kernel:
            told = kernel.run(COUNT + "import os; print(open('kept.txt', 'w').write('kept'), os.getcwd())")
            assert "counted 1000\n4 /home/spark" in told.text, told
            assert pods_of(team, "anna", "executor")
            # The hub is away for a while: whoever has a notebook does not notice.
            hub.restart(url)
            wait_until(anna.is_served, "the hub knows of the notebook", 60)
            told = kernel.run("print(spark.range(10).count())")
            assert told.text.strip() == "10", told
        anna.stop()
        wait_until(
            lambda: team.objects() - before == {"PersistentVolumeClaim/jupyter-anna-home"}, "all else is gone", 90
        )

        upgrade = f"helm upgrade jupyter charts/spark-notebook --namespace {team.name} --reuse-values"
        hub.sh(f"{upgrade} --set idle.notebook=20s")
        anna.start()
        with anna.kernel() as kernel:
            told = kernel.run("print(open('kept.txt').read())")
            assert told.text.strip() == "kept", told
        # JupyterLab ends by itself, and the hub removes the pod when it looks next.
        wait_until(lambda: not pods_of(team, "anna", "driver"), "the idle notebook is gone", 180)
        wait_until(lambda: not anna.ask("GET")["servers"], "the hub knows that", 60)

    # KubeSpawner asks for a claim that is there only where a quota refuses one more.
    events = [event for event in audit_log() if event.get("objectRef", {}).get("namespace") == team.name]
    used = asked_by(f"system:serviceaccount:{hub.namespace}:hub", events)
    assert granted(team, "notebooks") - used == {Pair("get", "persistentvolumeclaims")}
    assert used <= granted(team, "notebooks")


@pytest.mark.long
def test_who_has_no_team_is_told_so(hub: Hub) -> None:
    hub.configure('c.Authenticator.allowed_users.add("carl")')
    with hub.open() as url:
        hub.restart(url)
        carl = Person.logged_in(hub, url, "carl")
        assert refused("POST", f"{url}/hub/api/users/carl/server", carl.token) == 403
        told = carl.page(f"{url}/hub/spawn/carl")
    assert "carl is in no group that has notebooks; ask for one of team-" in told


@pytest.mark.long
def test_notebooks_may_be_in_the_hubs_own_namespace(hub: Hub, teams: dict[str, Team]) -> None:
    values = {
        "namespace": {"create": False},
        "notebooks": {"from": [{"namespace": hub.namespace, "name": "hub"}]},
        # What the hub's own two pods use.
        "guard": {"serviceAccounts": ["hub", "default"], "secrets": ["hub"]},
    }
    own = Team(hub.namespace, teams["team-a"].helm, hub.cluster, teams["team-a"].charts)
    release = [own.name, f"--namespace={own.name}"]
    own.helm.run(["install", *release, str(own.charts / "spark-namespace"), "--values=-"], yaml.safe_dump(values))
    try:
        install = (
            f"helm install jupyter charts/spark-notebook --namespace {own.name} --values values/spark-notebook.yaml"
        )
        hub.sh(f"{install} --set login.method=hub")
        added = f'c.Authenticator.allowed_users.add("carl"); c.KindlingSpawner.default_team = "{own.name}"'
        hub.configure(added)
        with hub.open() as url:
            hub.restart(url)
            carl = Person.logged_in(hub, url, "carl")
            carl.start()
            with carl.kernel() as kernel:
                told = kernel.run(COUNT)
                assert "counted 1000" in told.text, told
            assert pods_of(own, "carl", "driver")
            carl.stop()
    finally:
        own.helm.run(["uninstall", *release])


@pytest.mark.long
def test_a_browser_logs_in_to_a_notebook(hub: Hub, chromium: Browser, request: pytest.FixtureRequest) -> None:
    with hub.open() as url:
        page = chromium.new_context(viewport={"width": 1200, "height": 800}).new_page()
        page.goto(url)
        page.get_by_label("Username").fill("anna")
        page.get_by_label("Password").fill(hub.password)
        page.get_by_role("button", name="Sign in").click()
        card = page.locator(".jp-LauncherCard", has_text="Python 3").first
        expect(card).to_be_visible(timeout=180_000)
        assert page.url.startswith(f"{url}/user/anna/lab")
        page.get_by_role("menuitem", name="File", exact=True).click()
        expect(page.get_by_role("menuitem", name="Hub Control Panel")).to_be_visible()
        if request.config.getoption("screenshots"):
            page.screenshot(path=REPO / "docs/images/jupyterhub.png")


AS_ZERO_TO_JUPYTERHUB_DOES = """
import json, sys
from jupyterhub.app import JupyterHub
given = json.load(sys.stdin)
app = JupyterHub()
c = app.config
for name, settings in given["config"].items():
    c[name].update(settings)
exec(given["extraConfig"])
c.JupyterHub.authenticator_class = "dummy"
app.update_config(c)
kind = app.spawner_class
known = set(kind.class_trait_names(config=True))
print(json.dumps({"spawner": kind.__name__, "unknown": sorted(set(given["config"]["KindlingSpawner"]) - known)}))
"""
"""hub.config and hub.extraConfig, in the order in which that chart's own configuration reads them."""


def test_zero_to_jupyterhub_would_take_the_values() -> None:
    image = ensure_jupyterhub_image(Settings.from_environment(), Progress())
    example = REPO / "examples/jupyterhub"
    config = yaml.safe_load((example / "values.yaml").read_text())["hub"]["config"]
    given = {"config": config, "extraConfig": (example / "kindling_hub.py").read_text()}
    argv = ["docker", "run", "--rm", "--interactive", "--network=none", "--entrypoint=python3", image]
    told = subprocess.run(
        [*argv, "-c", AS_ZERO_TO_JUPYTERHUB_DOES], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1]) == {"spawner": "KindlingSpawner", "unknown": []}
