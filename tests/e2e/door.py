"""A release of spark-ui-proxy in the cluster for one team, the people at it, and what they see."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

import yaml
from answers import Answer
from faults import Faults
from playwright.sync_api import BrowserContext, expect
from team import Team

from kindling_dev import front_door
from kindling_dev.helm_releases import make_once
from kindling_dev.settings import ADMIN_NAMESPACE, Settings

LIVE = """
import time
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("door").getOrCreate()
spark.range(100).repartition(2).cache().count()
spark.sql("SELECT id % 7 AS week, count(*) AS days FROM range(1000) GROUP BY 1").collect()
print("looked at", flush=True)
try:
    spark.sparkContext.parallelize(range(2), 2).map(lambda _: time.sleep(600)).count()
except Exception as error:
    print("ended by hand:", type(error).__name__)
"""
"""An application that lasts until somebody kills its last job in the UI."""
_OF_SPARK_3_5 = "this.parentNode.submit is not a function"
"""It has a link there, and calls a form's method; the link is followed all the same."""
_SMALL = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Leave it to the caller."""


@dataclass(frozen=True)
class Door:
    """The release.

    Attributes:
        team: whose applications it shows.
        release: its name, in the admin namespace.
        viewer: a service account there that may look.
    """

    team: Team
    release: str
    viewer: str
    _tokens: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def admin(self) -> str:
        """The argument of helm and kubectl that names the admin namespace."""
        return f"--namespace={ADMIN_NAMESPACE}"

    def let_in(self, team: Team, *viewers: str) -> None:
        """Let it into a namespace of spark-namespace, and accounts of the admin namespace as its viewers."""
        door = {"namespace": ADMIN_NAMESPACE, "serviceAccount": self.release}
        people = {"serviceAccounts": [{"namespace": ADMIN_NAMESPACE, "name": viewer} for viewer in viewers]}
        team.set_namespace(**{"global": {"uiProxy": door}}, access={"viewers": people})

    def install(self, **values: Any) -> None:
        """Install it with two replicas, and wait for both; keyword arguments are values at the top level."""
        make_once("secret spark-ui-proxy-session", front_door.MAKE_KEY, ADMIN_NAMESPACE, Settings.from_environment())
        self.team.kubectl("create", "serviceaccount", self.viewer, self.admin)
        merged = {
            "namespaces": {"names": [self.team.name]},
            "login": {"secureCookie": False},
            "service": {"type": "NodePort"},
            "resources": {"nginx": _SMALL, "decider": _SMALL},
            **values,
        }
        chart = str(self.team.charts / "spark-ui-proxy")
        install = ["install", self.release, chart, self.admin, "--wait", "--timeout=120s", "--values=-"]
        self.team.helm.run(install, yaml.safe_dump(merged))

    def uninstall(self) -> None:
        """Remove it and its viewer."""
        self.team.helm.run(["uninstall", self.release, self.admin, "--ignore-not-found"])
        self.team.kubectl("delete", "serviceaccount", self.viewer, self.admin, "--ignore-not-found")

    def pods(self) -> list[Any]:
        """Its replicas that are not about to go."""
        labels = f"app.kubernetes.io/instance={self.release},app.kubernetes.io/component=proxy"
        listed = self.team.cluster.core.list_namespaced_pod(ADMIN_NAMESPACE, label_selector=labels)
        return [pod for pod in listed.items if not pod.metadata.deletion_timestamp]

    def wait_until_ready(self) -> None:
        """Wait until all replicas are ready."""
        self.team.kubectl("rollout", "status", f"deployment/{self.release}", self.admin, "--timeout=120s")

    @cached_property
    def url(self) -> str:
        """Of the Service at the node."""
        service = json.loads(self.team.kubectl("get", "service", self.release, self.admin, "--output=json"))
        (node,) = json.loads(self.team.kubectl("get", "nodes", "--output=json"))["items"]
        addresses = {a["type"]: a["address"] for a in node["status"]["addresses"]}
        return f"http://{addresses['InternalIP']}:{service['spec']['ports'][0]['nodePort']}"

    def token(self, account: str) -> str:
        """A token of a service account of the admin namespace."""
        if account not in self._tokens:
            self._tokens[account] = self.team.kubectl("create", "token", account, self.admin).strip()
        return self._tokens[account]

    def ask(self, path: str, account: str = "") -> Answer:
        """GET a path with a token of somebody, the viewer unless said otherwise."""
        request = urllib.request.Request(self.url + path)
        request.add_header("Authorization", f"Bearer {self.token(account or self.viewer)}")
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=30) as answer:
                return Answer.of(answer)
        except urllib.error.HTTPError as error:
            return Answer.of(error)

    def rest(self, prefix: str, path: str) -> Any:
        """What Spark's REST interface below a prefix answers."""
        answer = self.ask(f"/{prefix}/api/v1/{path}")
        assert answer.status == 200, answer
        return json.loads(answer.text)


@contextmanager
def new_door(team: Team) -> Iterator[Door]:
    """A door to a team's namespace, for whoever installs it, under names of its own; it goes with the context."""
    name = uuid4().hex[:6]
    door = Door(team, f"door-{name}", f"viewer-{name}")
    try:
        yield door
    finally:
        door.uninstall()


class Window:
    """A browser of one person.

    Attributes:
        page: its one page.
        faults: what went wrong in it.
    """

    def __init__(self, context: BrowserContext, door: Door) -> None:
        self.context = context
        self.page = context.new_page()
        self.faults = Faults(self.page, harmless=[_OF_SPARK_3_5])
        self._door = door
        self.page.on("dialog", lambda dialog: dialog.accept())

    def log_in(self, account: str) -> None:
        """Paste a token of an account where the door asks for one."""
        self.page.goto(f"{self._door.url}/")
        self.page.get_by_label("token").fill(self._door.token(account))
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self._door.url}/")

    def walks(self, ui: str, tabs: Sequence[str], executors: int) -> None:
        """Look at tabs of an application; what their scripts fetch is there."""
        for tab in tabs:
            self.page.goto(f"{ui}/{tab}/")
            # Some tables are made of what a script fetches.
            expect(self.page.locator("table tbody tr"), f"{tab} is empty").not_to_have_count(0)
        self.page.goto(f"{ui}/executors/")
        expect(self.page.locator("#active-executors-table tbody tr")).to_have_count(executors)
        self.page.goto(f"{ui}/stages/stage/?id=0&attempt=0")
        expect(self.page.locator("#active-tasks-table tbody tr").first).to_be_visible()

    def kills(self, ui: str) -> None:
        """Click on the "kill" of the running job, and confirm."""
        self.page.goto(f"{ui}/jobs/")
        self.page.get_by_text("(kill)").first.click()
        self.page.wait_for_load_state()
