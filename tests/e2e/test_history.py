"""The history server where Spark runs: what a namespace's applications did, when they have ended."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from door import new_door
from history import SERVER, History
from jws import signed
from object_store import BUCKET, REGION, ObjectStore, object_store
from team import Team

from kindling_dev.settings import ADMIN_NAMESPACE
from kindling_dev.spark_image import LINES
from kindling_dev.ui_proxy_image import published

OTHER_USER: dict[str, Any] = {
    "driver": {"podTemplate": {"spec": {"securityContext": {"runAsUser": 10001}}}, "requestCores": "50m"}
}
LOOK_FOR = """
import io, json, sys, urllib.request, zipfile
application, *words = sys.argv[1:]
ask = lambda path: urllib.request.urlopen("http://127.0.0.1:18080" + path, timeout=30).read()
said = [ask(f"/api/v1/applications/{application}/environment"), ask(f"/history/{application}/environment/")]
packed = zipfile.ZipFile(io.BytesIO(ask(f"/api/v1/applications/{application}/logs")))
said += [packed.read(name) for name in packed.namelist()]
print(json.dumps([word for word in words if any(word.encode() in one for one in said)]))
"""
"""What the server tells of an application, and its event log itself: which of some words stand in it."""
MANY = 10_000
COPY = """
import pathlib, sys
folder = pathlib.Path("/var/spark/events")
real, number = sys.argv[1], int(sys.argv[2])
(events,) = [path.read_bytes() for path in folder.glob(f"eventlog_v2_{real}/events_1_*")]
for copy in range(number):
    (folder / f"copy-{copy}").write_bytes(events.replace(real.encode(), f"copy-{copy}".encode()))
"""
"""One real log, many times, with other ids."""
COST = """
import pathlib, time, urllib.request
for path in ("/", "/api/v1/applications?limit=20000", "/history/copy-5000/jobs/"):
    start = time.monotonic()
    answer = urllib.request.urlopen("http://127.0.0.1:18080" + path, timeout=60)
    print(f"{path}: {len(answer.read()) / 1e6:.1f} MB in {time.monotonic() - start:.1f} s")
resident = [line for line in pathlib.Path("/proc/1/status").read_text().splitlines() if line.startswith("VmRSS")]
print(*resident)
"""
"""What the list, its data and a UI take, and the server's memory."""
STATUS = """
import sys, urllib.error, urllib.request
address, credentials = sys.argv[1:]
headers = {"Authorization": credentials} if credentials else {}
asked = urllib.request.Request(f"http://{address}/api/v1/applications", headers=headers)
try:
    print(urllib.request.urlopen(asked, timeout=30).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError:
    print(0)
"""
"""The status of the answer at an address to who brings some credentials; 0: there is none."""
NGINX = """
echo 'anna:{PLAIN}open sesame' >/tmp/users
cat >/tmp/nginx.conf <<'EOF'
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi; scgi_temp_path /tmp/scgi; uwsgi_temp_path /tmp/uwsgi;
  server {
    listen 4180;
    location / { auth_basic history; auth_basic_user_file /tmp/users; proxy_pass http://127.0.0.1:18080; }
  }
}
EOF
exec nginx -c /tmp/nginx.conf -g 'daemon off;'
"""
"""An authenticating proxy."""
SPOIL = """
import os, pathlib, sys
application = sys.argv[1]
folder = pathlib.Path("/var/spark/events")
(real,) = folder.glob(f"eventlog_v2_{application}/events_1_*")
*lines, last, end = real.read_bytes().splitlines(keepends=True)
torn = b"".join(lines) + last[: len(last) // 2]
whole = torn + last[len(last) // 2 :] + end
def put(name, content):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content.replace(application.encode(), f"application-{name.partition('/')[0]}".encode()))
put("empty", b"")
put("garbage", os.urandom(5000))
put("garbage.zstd", os.urandom(5000))
put("torn", torn)
put("no-start", whole[1000:])
put("runs.inprogress", torn)
(folder / "eventlog_v2_nothing").mkdir()
put("eventlog_v2_later/events_2_later", whole)
put("eventlog_v2_later/appstatus_later", b"")
put("eventlog_v2_torn/events_1_torn", torn)
put("eventlog_v2_torn/appstatus_torn", b"")
put("forbidden", whole)
(folder / "forbidden").chmod(0)
(folder / "lost+found").mkdir(mode=0)
"""
"""Logs as crashes and full disks leave them."""


@pytest.fixture
def history(team: Team) -> History:
    """A server whose logs are on a claim."""
    return History(team, {"store": "claim"})


def test_an_application_of_another_user_is_shown_when_it_has_ended(history: History) -> None:
    history.install()
    application = history.run("other", **OTHER_USER)
    (attempt,) = history.application(application)["attempts"]
    assert attempt["sparkUser"] == "spark-10001"
    (query,) = history.ask(f"applications/{application}/sql")
    assert query["status"] == "COMPLETED"


@pytest.mark.long
def test_users_lines_and_modes_share_a_claim_which_outlives_the_release(history: History) -> None:
    history.install()
    applications = [
        history.run("client", **OTHER_USER),
        history.run("cluster", mode="cluster"),
        history.run("old", line=LINES["3.5"], **OTHER_USER),
        history.run("old-cluster", line=LINES["3.5"], mode="cluster"),
    ]
    for application in applications:
        history.application(application)
    history.test()
    history.team.uninstall(SERVER)
    history.install()
    for application in applications:
        history.application(application)


@pytest.mark.long
def test_a_server_of_the_old_line_shows_what_its_line_wrote(history: History) -> None:
    history.install(line=LINES["3.5"])
    history.application(history.run("old", line=LINES["3.5"], **OTHER_USER))
    history.test()


def keep_logs(team: Team, store: ObjectStore) -> History:
    """Have a team keep its logs in an object store, in a folder of its own; its history server, not yet installed."""
    team.cluster.core.create_namespaced_secret(
        team.name, {"metadata": {"name": "event-log-store"}, "stringData": {"aws": store.credentials_file}}
    )
    team.cluster.core.create_namespaced_config_map(
        team.name, {"metadata": {"name": "company-ca"}, "data": {"ca.crt": store.ca}}
    )
    log = {
        "store": "s3",
        "url": f"s3a://{BUCKET}/{team.name}",
        "secret": {"name": "event-log-store", "key": "aws"},
        "ca": {"configMap": "company-ca"},
        "s3": {"endpoint": store.endpoint, "region": REGION, "pathStyle": True},
    }
    team.set_namespace(**{"global": {"eventLog": log}})
    return History(team, log)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_logs_in_an_object_store_have_no_secret_of_it(
    team: Team, new_namespace: Callable[..., str], of_s3: dict[str, str], mode: str
) -> None:
    store = object_store(team.cluster, new_namespace("store"))
    history = keep_logs(team, store)
    history.install(image=of_s3)
    application = history.run("count", image=of_s3, mode=mode, packed=False)
    history.application(application)
    words = (store.access_key, store.secret_key)
    found = json.loads(history.python(LOOK_FOR, application, *words, "SparkListenerEnvironmentUpdate"))
    assert found == ["SparkListenerEnvironmentUpdate"]
    objects = team.kubectl("get", "pods,jobs,configmaps,deployments,events", "--output=yaml")
    logs = team.kubectl("logs", f"deployment/{SERVER}", "--all-containers") + team.log_of(team.end_of("count"))
    assert application in logs
    assert not [word for word in words if word in objects + logs]
    history.test()


@pytest.mark.long
def test_a_shared_server_of_several_folders_is_for_those_who_may_see_every_namespace(
    new_team: Callable[[], Team], new_namespace: Callable[..., str], of_s3: dict[str, str]
) -> None:
    shared, *teams = (new_team() for _ in range(3))
    store = object_store(shared.cluster, new_namespace("store"))
    server = keep_logs(shared, store)
    theirs = [keep_logs(team, store) for team in teams]
    with new_door(teams[0]) as door:
        door.install(namespaces={"names": [team.name for team in teams]}, history={"shared": shared.name})
        door.let_in(shared)
        for team in teams:
            door.let_in(team, door.viewer)
        facts = {"eventLog": server.event_log, "uiProxy": {"namespace": ADMIN_NAMESPACE}}
        folders = [history.event_log["url"] for history in theirs]
        values: dict[str, Any] = {"moreFolders": folders, "global": facts}
        server.install(image=of_s3, **values)
        ran = {history.team.name: history.run("count", image=of_s3, packed=False) for history in theirs}
        for application in ran.values():
            server.application(application)
        assert {one["id"] for one in door.rest("shs", "applications")} == set(ran.values())
        listed = json.loads(door.ask("/-/api/v1/applications?namespace=shs").text)["items"]
        assert {one["id"] for one in listed} <= set(ran.values())
        for namespace, application in ran.items():
            finished = f"/shs/history/{application}/jobs/"
            assert door.ask(f"/{namespace}/proxy/{application}/jobs/").location == finished
        of_one = teams[0].engineer
        assert door.ask(f"/{teams[0].name}/proxy/{ran[teams[0].name]}/jobs/", of_one).status == 404
        for path in ("/shs/", f"/{shared.name}/shs/", f"/shs/history/{ran[teams[0].name]}/jobs/"):
            assert door.ask(path, of_one).status == 403, path


@pytest.mark.long
def test_logs_that_are_broken_stop_nothing_and_a_new_pod_knows_what_the_last_one_read(history: History) -> None:
    history.install(state={"size": "512Mi", "claim": True})
    first = history.run("first", packed=False)
    history.application(first)
    history.python(SPOIL, first)
    second = history.run("second", packed=False)
    history.application(second)
    listed = {one["id"]: one["attempts"][0]["completed"] for one in history.ask("applications")}
    assert (listed[first], listed[second], listed["application-runs.inprogress"]) == (True, True, False)
    (pod,) = history.pods()
    assert pod.status.container_statuses[0].restart_count == 0
    history.team.kubectl("delete", "pod", pod.metadata.name)
    history.team.kubectl("rollout", "status", f"deployment/{SERVER}", "--timeout=180s")
    history.application(first)
    history.application(second)
    told = history.team.kubectl("logs", f"deployment/{SERVER}")
    assert "HistoryServer" in told
    assert not [line for line in told.splitlines() if "for listing data" in line and (first in line or second in line)]


@pytest.mark.long
def test_only_who_has_a_signed_token_is_answered_and_probes_work(history: History) -> None:
    key = uuid4().hex.encode()
    data = {"stringData": {"key": base64.urlsafe_b64encode(key).decode()}, "metadata": {"name": "database"}}
    history.team.cluster.core.create_namespaced_secret(history.team.name, data)
    history.install(auth={"mode": "jws", "jws": {"secret": {"name": "database"}}})
    history.test()
    tokens = {"none": "", "good": signed(key, {"sub": "anna"}), "another's": signed(b"x" * 32, {"sub": "anna"})}
    tokens["unsigned"] = signed(key, {"sub": "anna"}, "none").rpartition(".")[0] + "."
    statuses = {
        name: history.python(STATUS, "127.0.0.1:18080", token and f"Bearer {token}").strip()
        for name, token in tokens.items()
    }
    assert statuses == {"none": "403", "good": "200", "another's": "403", "unsigned": "403"}
    objects = history.team.kubectl("get", "pods,configmaps,deployments", "--output=yaml")
    running = history.python(
        "import pathlib; print(*[p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/cmdline')])"
    )
    logs = history.team.kubectl("logs", f"deployment/{SERVER}")
    assert data["stringData"]["key"] not in objects + running + logs
    (pod,) = history.pods()
    assert pod.status.container_statuses[0].ready
    assert pod.status.container_statuses[0].restart_count == 0


@pytest.mark.long
def test_nobody_gets_past_an_authenticating_proxy(history: History) -> None:
    proxy = {
        "name": "nginx",
        "image": published(),  # it has Debian's nginx
        "command": ["sh", "-c", NGINX],
        "ports": [{"containerPort": 4180}],
        "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "64Mi"}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    history.install(auth={"mode": "proxy"}, sidecars=[proxy])
    login = base64.b64encode(b"anna:open sesame").decode()
    (pod,) = history.pods()
    asked = {
        "nobody": ("127.0.0.1:4180", ""),
        "anna": ("127.0.0.1:4180", f"Basic {login}"),
        "past the proxy": (f"{pod.status.pod_ip}:18080", f"Basic {login}"),
    }
    statuses = {who: history.python(STATUS, *of).strip() for who, of in asked.items()}
    assert statuses == {"nobody": "401", "anna": "200", "past the proxy": "0"}
    history.test()


@pytest.mark.long
def test_ten_thousand_applications_are_listed_and_not_read_again_by_a_new_pod(history: History) -> None:
    history.install(
        memory="2g", claim={"accessMode": "ReadWriteOnce", "size": "4Gi"}, state={"size": "1Gi", "claim": True}
    )
    real = history.run("real", packed=False)
    history.application(real)
    history.python(COPY, real, str(MANY))
    start = time.monotonic()
    history.number(MANY + 1, deadline_s=600)
    print(f"{MANY} applications are listed after {time.monotonic() - start:.0f} s")
    print(history.python(COST))
    (pod,) = history.pods()
    assert pod.status.container_statuses[0].restart_count == 0
    start = time.monotonic()
    history.team.kubectl("delete", "pod", pod.metadata.name)
    history.team.kubectl("rollout", "status", f"deployment/{SERVER}", "--timeout=300s")
    history.number(MANY + 1, deadline_s=300)
    print(f"a new pod has them after {time.monotonic() - start:.0f} s")
    told = history.team.kubectl("logs", f"deployment/{SERVER}")
    assert "HistoryServer" in told
    assert "for listing data" not in told
