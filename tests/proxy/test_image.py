"""The image, as a pod runs it: two containers without rights, a read-only file system, a volume in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from ephemeral_port_reserve import reserve
from hostile import listening
from proxy_world import World
from waiting import wait_until

from kindling_dev.command import run
from kindling_dev.images import image_megabytes
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings
from kindling_dev.ui_proxy_image import ensure_ui_proxy_image

_OPTIONS = ("--network=host", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=10001:10001")
_LARGEST_MEGABYTES = 200


@pytest.fixture(scope="module")
def image() -> str:
    """Of this tree."""
    return ensure_ui_proxy_image(Settings.from_environment(), Progress())


def _status(port: int, path: str, token: str = "") -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@pytest.fixture
def pod(world: World, image: str, tmp_path: Path) -> Iterator[tuple[str, str, int]]:
    """Decider and gateway, beside this machine's API server: their containers' names, and nginx's port."""
    port = reserve()
    config = {
        "namespaces": {"all": True},
        "permission": {"reviews": "cluster"},
        # Pods of these tests have addresses of this machine.
        "limits": {"podNetworks": ["127.0.0.0/8"]},
        "login": {"mode": "header", "header": {"secretFile": "/etc/proxy/key"}},
        "apiServer": world.server.cluster.api_client.configuration.host,
        "tokenFile": "/etc/proxy/token",
        "caFile": "/etc/proxy/ca.crt",
        "listenPort": port,
        "operationsPort": reserve(),
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "key").write_text("of a test, and long enough for a secret")
    (tmp_path / "token").write_text(world.token)
    (tmp_path / "ca.crt").write_bytes((world.server.folder / "ca.crt").read_bytes())
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o755)
    name = f"kindling-test-{uuid4().hex[:12]}"
    volume = ["docker", "volume", "create", "--driver=local", "--opt=type=tmpfs", "--opt=device=tmpfs"]
    run([*volume, "--opt=o=uid=10001,gid=10001,mode=0700", name])
    mounts = (f"--volume={name}:/run/spark-ui-proxy", f"--volume={tmp_path}:/etc/proxy:ro")
    start = ["docker", "run", "--detach", *_OPTIONS, *mounts]
    file = "--config=/etc/proxy/config.yaml"
    names = (f"{name}-decider", f"{name}-gateway")
    try:
        run([*start, f"--name={names[0]}", image, "serve", file])
        run([*start, f"--name={names[1]}", image, "gateway", file, "--folder=/run/spark-ui-proxy/nginx"])
        yield *names, port
    finally:
        subprocess.run(["docker", "rm", "--force", *names], check=False, capture_output=True)
        run(["docker", "volume", "rm", name])


def test_the_image_serves_an_application_and_drains(
    world: World, pod: tuple[str, str, int], address: Callable[[], str]
) -> None:
    decider, gateway, port = pod
    team = world.team()
    token = team.viewer
    with listening(address()) as driver:
        path = f"/{team.name}/proxy/{team.driver(driver.address, port=driver.port)}/jobs/"
        wait_until(
            lambda: _status(port, path, token) == 200,
            lambda: "\n".join(subprocess.getoutput(f"docker logs {name}") for name in (decider, gateway)),
        )
        assert _status(port, path) == 401
    for name in (gateway, decider):
        assert run(["docker", "exec", name, "id", "-u"]).strip() == "10001"
        # It ends by itself at the word of the kubelet.
        run(["docker", "stop", "--time=20", name])
        assert run(["docker", "inspect", "--format={{.State.ExitCode}}", name]).strip() == "0"


def test_the_image_is_small(image: str) -> None:
    assert image_megabytes(image) < _LARGEST_MEGABYTES
