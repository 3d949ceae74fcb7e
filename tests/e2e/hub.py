"""A real JupyterHub in the cluster, as docs/guides/jupyterhub.md installs it, and people at it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import yaml
from as_written import done_as_written, write_values
from forwarding import forwarded
from notebook import Kernel, ask, new_kernel
from program_image import load
from team import QUICK, Team
from waiting import wait_until

from chartproof import Cluster
from kindling_dev.command import run
from kindling_dev.guides import commands, manifests
from kindling_dev.jupyterhub_image import load_jupyterhub_images
from kindling_dev.progress import Progress
from kindling_dev.python_image import ensure_python_image
from kindling_dev.settings import ADMIN_NAMESPACE, REPO, Settings
from kindling_dev.spark_image import DEFAULT_LINE, ensure_spark_image

SMALL: dict[str, Any] = {
    "driver": {"requestCores": "50m", "memory": "512m"},
    "executor": {"requestCores": "50m", "memory": "512m"},
    "kernels": 1,
    "home": {"size": "100Mi"},
    "sparkConf": QUICK,
}
_STARTS_S = 180


@dataclass(frozen=True)
class Hub:
    """The hub.

    Attributes:
        cluster: where it runs.
        namespace: in which.
        folder: with charts, examples and values, in which the guide's commands run.
        names: of the guide -> of this test.
    """

    cluster: Cluster
    namespace: str
    folder: Path
    names: Mapping[str, str]

    def sh(self, script: str) -> str:
        """Run a shell script in the folder as the cluster's admin."""
        return done_as_written(script, self.cluster, self.folder)

    def named(self, text: str) -> str:
        """A text of the guide or of the example with this test's names."""
        for written, name in self.names.items():
            text = re.sub(rf"(?<![-\w/.]){written}(?![-\w.:])", name, text)
        return text

    def kubectl(self, *argv: str) -> str:
        """Run kubectl in its namespace as the cluster's admin."""
        return run(["kubectl", f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.namespace}", *argv])

    def configure(self, line: str) -> None:
        """Add a line to its configuration, which its next pod reads."""
        file = self.folder / "examples/jupyterhub/jupyterhub_config.py"
        file.write_text(f"{file.read_text()}{line}\n")
        files = f"--from-file={file} --from-file=examples/jupyterhub/kindling_hub.py"
        made = f"kubectl create configmap hub {files} --dry-run=client --output=yaml"
        self.sh(f"{made} | kubectl replace --namespace={self.namespace} --filename=-")

    def restart(self, url: str) -> None:
        """Make its pod anew, and wait until the proxy reaches it."""
        self.kubectl("rollout", "restart", "deployment/hub")
        self.kubectl("rollout", "status", "deployment/hub", "--timeout=120s")
        wait_until(lambda: _answers(f"{url}/hub/health"), "the proxy reaches the hub", 60)

    @contextmanager
    def open(self) -> Iterator[str]:
        """The URL of its pages on this machine, while the context lasts."""
        with forwarded(self.cluster, self.namespace, "service/proxy-public", 80) as port:
            url = f"http://127.0.0.1:{port}"
            # A new pod behind a Service is reached a moment after it is ready.
            wait_until(lambda: _answers(f"{url}/hub/health"), "the proxy reaches the hub", 60)
            yield url

    @property
    def password(self) -> str:
        """The one of the example."""
        return self.kubectl("get", "secret", "hub", "--output=go-template={{ .data.password | base64decode }}")


@dataclass(frozen=True)
class Person:
    """A user who has logged in.

    Attributes:
        url: of the hub.
        name: of the user.
        token: of the hub's API, with all that the user may do.
    """

    url: str
    name: str
    token: str
    _browser: OpenerDirector

    @classmethod
    def logged_in(cls, hub: Hub, url: str, name: str) -> Person:
        """Log in at the page, and ask for a token as its page for tokens does."""
        jar = CookieJar()
        opener = build_opener(HTTPCookieProcessor(jar))
        _get(opener, f"{url}/hub/login")
        form = urlencode({"username": name, "password": hub.password, "_xsrf": _xsrf(jar)}).encode()
        with opener.open(Request(f"{url}/hub/login?next=/hub/token", form), timeout=30) as answer:
            assert answer.url == f"{url}/hub/token", answer.url
        headers = {"X-XSRFToken": _xsrf(jar), "Content-Type": "application/json"}
        asked = Request(f"{url}/hub/api/users/{name}/tokens", b"{}", headers, method="POST")
        with opener.open(asked, timeout=30) as answer:
            return cls(url, name, json.loads(answer.read())["token"], opener)

    def page(self, url: str) -> str:
        """A page of the hub, with the user's cookies, whatever its status."""
        try:
            with self._browser.open(url, timeout=30) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            return error.read().decode()

    @property
    def home(self) -> str:
        """The URL of the user's notebook."""
        return f"{self.url}/user/{self.name}"

    def ask(self, method: str, path: str = "") -> Any:
        """Ask the hub's API of this user."""
        text = ask(method, f"{self.url}/hub/api/users/{self.name}{path}", self.token)
        return json.loads(text) if text else None

    def is_served(self) -> bool:
        """Whether the hub says that the user's notebook is ready."""
        servers = self.ask("GET")["servers"]
        return bool(servers and servers[""]["ready"])

    def start(self) -> None:
        """Have the notebook started, and wait for it."""
        self.ask("POST", "/server")
        wait_until(self.is_served, f"the notebook of {self.name} is ready", _STARTS_S)

    def stop(self) -> None:
        """Have the notebook stopped."""
        self.ask("DELETE", "/server")

    @contextmanager
    def kernel(self) -> Iterator[Kernel]:
        """A new kernel, which is ended with the context."""
        kernel = new_kernel(self.home, self.token)
        try:
            yield kernel
        finally:
            ask("DELETE", f"{self.home}/api/kernels/{kernel.id}", self.token)


@contextmanager
def installed_hub(teams: Mapping[str, Team], folder: Path, **values: Any) -> Iterator[Hub]:
    """A hub and its teams, as the guide says; it is gone after the context, and what it made in the teams' namespaces.

    Args:
        teams: the guide's name, "team-a" -> the team that stands for it.
        folder: of the test's own.
        values: more for spark-notebook.
    """
    settings, progress = Settings.from_environment(), Progress()
    load_jupyterhub_images(settings, progress)
    # By the name of its content: another clone's tests may give the published name to an image of theirs.
    spark = ensure_spark_image(DEFAULT_LINE, settings, progress)
    reference = ensure_python_image("spark-notebook", DEFAULT_LINE, spark, settings, progress)
    load(reference)
    repository, _, tag = reference.partition(":")
    image = {"registry": "docker.io", "repository": repository, "tag": tag}
    (first, *_) = teams.values()
    namespace = f"hub-of-{first.name}"
    names = {
        "jupyterhub": namespace,
        "kindling-system": ADMIN_NAMESPACE,
        **{one: team.name for one, team in teams.items()},
    }
    hub = Hub(first.cluster, namespace, folder, names)
    (folder / "charts").symlink_to(REPO / "charts")
    (folder / "examples/jupyterhub").mkdir(parents=True)
    for file in (REPO / "examples/jupyterhub").iterdir():
        (folder / "examples/jupyterhub" / file.name).write_text(_for_the_test(hub, file))
    (listed,) = (block.text for block in manifests("jupyterhub") if block.heading == "")
    site = yaml.safe_dump({**SMALL, "image": image, **values})
    write_values(folder, {"spark-notebook.yaml": site, "spark-namespace.yaml": ""})
    for team in teams.values():
        own = json.loads(team.helm.run(["get", "values", team.name, f"--namespace={ADMIN_NAMESPACE}", "--output=json"]))
        own |= yaml.safe_load(hub.named(listed))
        files = {f"{team.name}/common.yaml": "", f"{team.name}/spark-namespace.yaml": yaml.safe_dump(own)}
        write_values(folder, files)
    try:
        hub.sh(hub.named(commands("jupyterhub", "")))
        yield hub
    finally:
        # Shown where the test failed.
        print(hub.kubectl("logs", "deployment/hub", "--tail=200"))
        hub.kubectl("delete", "namespace", namespace, "--ignore-not-found")


def _for_the_test(hub: Hub, file: Path) -> str:
    """A file of the example; what is configured there names the teams."""
    return hub.named(file.read_text()) if file.name == "jupyterhub_config.py" else file.read_text()


def _answers(url: str) -> bool:
    try:
        _get(build_opener(), url)
    except OSError:
        return False
    return True


def _get(opener: OpenerDirector, url: str) -> None:
    with opener.open(url, timeout=30) as answer:
        assert answer.status == 200


def _xsrf(jar: CookieJar) -> str:
    """The value that a form sends back; the hub's own cookie is that of the longest path."""
    found = [cookie for cookie in jar if cookie.name == "_xsrf"]
    return str(max(found, key=lambda cookie: len(cookie.path)).value)
