"""spark-ui-proxy's decider beside a real API server: who sees and ends what, with the rights of spark-namespace."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from grants import bind, grant, service_account, wait_until_granted
from ui_proxy import HOST, PROXIES, Decider, SparkPods, account_token, bearer, running_decider

from chartproof.apiserver import ApiServer
from kindling_dev.guides import commands
from kindling_dev.scenarios import CHARTS

Start = Callable[..., Decider]
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HTML = {"Accept": "text/html"}
_PEOPLE = "people"
_SECRET = "of the authenticating ingress"


@dataclass(frozen=True)
class Team:
    """A namespace made by spark-namespace: `anna` submits there, `vera` views; both are accounts of another."""

    server: ApiServer
    name: str

    @property
    def pods(self) -> SparkPods:
        """Its pods."""
        return SparkPods(self.server, self.name)

    def token(self, person: str) -> str:
        """A person's token."""
        return account_token(self.server, _PEOPLE, person)

    def path(self, app_id: str = "spark-1", rest: str = "/") -> str:
        """Of a driver's UI."""
        return f"/{self.name}/proxy/{app_id}{rest}"


def make_team(server: ApiServer, kind: str = "team") -> Team:
    """A new one, whose pods the proxy may watch."""
    name = f"{kind}-{uuid4().hex[:8]}"
    values = {
        "namespace": {"name": name},
        "access": {
            "submitters": {"serviceAccounts": [{"namespace": _PEOPLE, "name": "anna"}], "users": ["ada"]},
            "viewers": {"serviceAccounts": [{"namespace": _PEOPLE, "name": "vera"}], "groups": ["on-call"]},
        },
        "global": {"uiProxy": {"namespace": PROXIES}},
    }
    install = ["install", name, str(CHARTS / "spark-namespace"), "--namespace=kindling-system", "--create-namespace"]
    server.helm().run([*install, "--values=-"], json.dumps(values))
    people = [service_account(_PEOPLE, person) for person in ("anna", "vera")]
    wait_until_granted(server.cluster, name, people, "get applications.kindling.local")
    return Team(server, name)


@pytest.fixture(scope="module")
def newest(apiserver: Callable[[str], ApiServer]) -> ApiServer:
    """The cluster's version of Kubernetes."""
    return apiserver("1.34")


@pytest.fixture(scope="module")
def team(newest: ApiServer) -> Team:
    """One with a running driver, `spark-1`."""
    team = make_team(newest)
    team.pods.driver("spark-1")
    return team


@pytest.fixture(scope="module")
def cluster_rights(newest: ApiServer) -> str:
    """The token of a service account that may watch all pods and ask all reviews."""
    token = account_token(newest, PROXIES, "cluster-wide")
    subject = service_account(PROXIES, "cluster-wide")
    for name in ("view", "system:auth-delegator"):
        newest.cluster.rbac.create_cluster_role_binding(
            {
                "metadata": {"generateName": "cluster-wide-"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
                "subjects": [subject],
            }
        )
    wait_until_granted(newest.cluster, "", [subject], "list pods", "create tokenreviews.authentication.k8s.io")
    return token


@pytest.fixture
def start(newest: ApiServer, tmp_path: Path) -> Iterator[Start]:
    """Starts a decider that ends with the test."""
    with ExitStack() as until_the_end:
        count = 0

        def start(config: Mapping[str, Any], **given: Any) -> Decider:
            nonlocal count
            count += 1
            return until_the_end.enter_context(running_decider(newest, tmp_path / f"d{count}", config, **given))

        yield start


def only(team: Team, **more: Any) -> dict[str, Any]:
    """The configuration for one team, with Roles alone."""
    return {"namespaces": {"names": [team.name]}, **more}


def test_with_roles_alone_a_viewer_sees_and_a_submitter_ends_jobs(server: ApiServer, tmp_path: Path) -> None:
    team = make_team(server)
    with running_decider(server, tmp_path / "d", only(team)) as decider:
        vera, anna, carla = (bearer(team.token(person)) for person in ("vera", "anna", "carla"))
        team.pods.driver("spark-1", ip="127.0.0.2")
        after = decider.wait(lambda: decider.authz(team.path(), vera).status == 200, "the driver has a route")
        print(f"Kubernetes {server.version}: a driver has a route {after:.2f} s after its pod runs")
        seen = decider.authz(team.path(rest="/jobs/?id=1&doAs=root"), vera)
        assert {
            name: seen.headers[f"x-{name}"] for name in ("upstream", "upstream-path", "context", "application")
        } == {
            "upstream": "127.0.0.2:4040",
            "upstream-path": "/jobs/?id=1",
            "context": team.path(rest=""),
            "application": f"{team.name}/spark-1",
        }
        kill = team.path(rest="/jobs/job/kill/?id=1")
        assert decider.authz(kill, vera, method="POST").reason == "kill-forbidden"
        assert decider.authz(kill, vera).reason == "kill-forbidden"
        assert decider.authz(kill, anna, method="POST").status == 200
        # An ingress adds the token to whatever the browser was led to send.
        elsewhere = {**anna, "Sec-Fetch-Site": "cross-site"}
        assert decider.authz(kill, elsewhere, method="POST").reason == "cross-site"
        assert decider.answer(team.path(rest=""), vera).headers["location"] == team.path()
        assert decider.authz(team.path(), carla).reason == "forbidden"
        assert decider.authz(team.path(), bearer("nonsense")).status == 401
        assert decider.authz(team.path()).status == 401
        audit = decider.logged("audit")
        assert [line["decision"] for line in audit] == [
            *("kill-forbidden", "kill-forbidden", "ok", "cross-site", "forbidden")
        ]
        assert {"namespace": team.name, "application": "spark-1", "method": "POST"}.items() <= audit[2].items()
        assert audit[2]["path"] == kill.partition("?")[0]


def test_reviews_of_the_cluster_decide_the_same(team: Team, start: Start, cluster_rights: str) -> None:
    decider = start(only(team, permission={"reviews": "cluster"}), token=cluster_rights)
    kill = team.path(rest="/jobs/job/kill/")
    for person, view, end in (
        ("vera", "ok", "kill-forbidden"),
        ("anna", "ok", "ok"),
        ("carla", "forbidden", "forbidden"),
    ):
        token = bearer(team.token(person))
        assert decider.authz(team.path(), token).reason == view
        assert decider.authz(kill, token, method="POST").reason == end
    assert decider.logged("audit")[0]["user"] == f"system:serviceaccount:{_PEOPLE}:vera"


def test_pods_proxy_is_the_right_where_a_site_says_so(team: Team, start: Start) -> None:
    decider = start(only(team, permission={"resource": "pods/proxy"}))
    assert decider.authz(team.path(), bearer(team.token("vera"))).reason == "forbidden"
    rule = {"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get"]}
    grant(team.server.cluster, team.name, [service_account(_PEOPLE, "paul")], [rule])
    paul = bearer(team.token("paul"))
    assert decider.authz(team.path(), paul).status == 200
    assert decider.authz(team.path(rest="/jobs/job/kill/"), paul, method="POST").reason == "kill-forbidden"


def test_people_log_in_with_a_token_and_out(team: Team, start: Start) -> None:
    decider = start(only(team, basePath="/spark"))
    path = f"/spark{team.path()}"
    asked = decider.answer(f"{path}?a=b", HTML)
    assert (asked.status, asked.headers["location"]) == (302, f"/spark/-/login?to={path}%3Fa%3Db")
    form = decider.request("GET", asked.headers["location"])
    assert f'name="to" value="{path}?a=b"' in form.text
    assert "default-src 'self'" in form.headers["content-security-policy"]
    done = decider.log_in(f" {team.token('vera')}\n", f"{path}?a=b", base="/spark")
    assert (done.status, done.headers["location"]) == (303, f"{path}?a=b")
    cookie = {"Cookie": f"other=1; {done.cookie}"}
    assert decider.authz(path, cookie).status == 200
    assert decider.authz(path, cookie, host="other.example.com").reason == "login"
    kill = f"/spark{team.path(rest='/jobs/job/kill/')}"
    submitter = decider.log_in(team.token("anna"), base="/spark").cookie
    for headers, reason in (
        ({}, "cross-site"),
        ({"Sec-Fetch-Site": "cross-site"}, "cross-site"),
        ({"Sec-Fetch-Site": "same-site"}, "cross-site"),
        ({"Origin": "https://evil.example.com"}, "cross-site"),
        (SAME_ORIGIN, "ok"),
        ({"Origin": f"https://{HOST}"}, "ok"),
    ):
        for method in ("GET", "POST"):
            assert decider.authz(kill, {"Cookie": submitter, **headers}, method=method).reason == reason
    out = decider.request("POST", "/spark/-/logout", SAME_ORIGIN)
    assert (out.status, out.headers["location"]) == (303, "/spark/-/login")
    assert "Max-Age=0" in out.headers["set-cookie"]


def test_no_other_site_logs_anybody_in_or_out(team: Team, start: Start) -> None:
    decider = start(only(team))
    fields = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"token={team.token('vera')}&to=/"
    for headers in ({}, {"Origin": "https://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = decider.request("POST", "/-/login", {**fields, **headers}, body)
        assert (refused.status, "set-cookie" in refused.headers) == (403, False)
        assert decider.request("POST", "/-/logout", headers).status == 403
    wrong = decider.log_in("nonsense")
    assert (wrong.status, "set-cookie" in wrong.headers) == (401, False)
    assert "does not accept this token" in wrong.text


@pytest.mark.parametrize(
    "to", ["https://evil.example.com/", "//evil.example.com/", "/\\evil.example.com", "/a\r\nX: y", "x"]
)
def test_a_login_leads_nowhere_else(team: Team, start: Start, to: str) -> None:
    decider = start(only(team))
    assert decider.log_in(team.token("vera"), to).headers["location"] == "/"


def test_a_session_ends_with_its_token(team: Team, start: Start) -> None:
    decider = start(only(team))
    life = re.search(
        r"Max-Age=(\d+)", decider.log_in(account_token(team.server, _PEOPLE, "vera", 600)).headers["set-cookie"]
    )
    assert life
    assert 500 < int(life[1]) <= 600
    short = start(only(team, login={"sessionSeconds": 60}))
    life = re.search(r"Max-Age=(\d+)", short.log_in(team.token("vera")).headers["set-cookie"])
    assert life
    assert 50 < int(life[1]) <= 60


def test_an_ingress_that_proves_itself_says_who_asks(team: Team, start: Start, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(_SECRET)
    header = {"secretFile": str(tmp_path / "secret")}
    decider = start(only(team, login={"mode": "header", "header": header}))
    proof = {"X-Spark-UI-Proxy-Secret": _SECRET}
    ada, member = {"X-Forwarded-User": "ada"}, {"X-Forwarded-User": "mona", "X-Forwarded-Groups": "x,on-call"}
    kill = team.path(rest="/jobs/job/kill/")
    assert decider.authz(team.path(), {**proof, **ada}).status == 200
    assert decider.authz(kill, {**proof, **ada}, method="POST").reason == "cross-site"
    assert decider.authz(kill, {**proof, **ada, **SAME_ORIGIN}, method="POST").status == 200
    assert decider.authz(team.path(), {**proof, **member}).status == 200
    assert decider.authz(kill, {**proof, **member, **SAME_ORIGIN}, method="POST").reason == "kill-forbidden"
    assert decider.authz(team.path(), {**proof, "X-Forwarded-User": "mona"}).reason == "forbidden"
    assert decider.authz(team.path(), ada).reason == "login"
    assert decider.authz(team.path(), {**ada, "X-Spark-UI-Proxy-Secret": "x"}).reason == "login"
    assert decider.authz(team.path(), {**proof, "X-Forwarded-User": "system:admin"}).reason == "bad-identity"
    masters = {**proof, **ada, "X-Forwarded-Groups": "system:masters"}
    assert decider.authz(team.path(), masters).reason == "bad-identity"
    assert decider.authz(team.path(), bearer(team.token("vera"))).status == 200
    assert decider.answer(team.path(), HTML).status == 401
    assert decider.request("GET", "/-/login").status == 404


def test_prefixes_make_the_names_that_rbac_knows(team: Team, start: Start, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(_SECRET)
    header = {"secretFile": str(tmp_path / "secret"), "userPrefix": "oidc:", "groupPrefix": "oidc:"}
    decider = start(only(team, login={"mode": "header", "header": header}))
    ada = {"X-Spark-UI-Proxy-Secret": _SECRET, "X-Forwarded-User": "ada", "X-Forwarded-Groups": "on-call"}
    assert decider.authz(team.path(), ada).reason == "forbidden"


def test_nobody_is_anonymous_unless_rbac_lets_them(team: Team, start: Start) -> None:
    decider = start(only(team, login={"mode": "anonymous"}))
    assert decider.authz(team.path()).reason == "forbidden"
    open_team = make_team(team.server)
    open_team.pods.driver("spark-1")
    everybody = {"kind": "User", "name": "system:anonymous"}
    bind(team.server.cluster, open_team.name, [everybody], "Role/access-viewers", "get applications.kindling.local")
    decider = start(only(open_team, login={"mode": "anonymous"}))
    assert decider.authz(open_team.path()).status == 200


def test_where_somebody_may_see_nothing_all_is_answered_alike(team: Team, start: Start) -> None:
    decider = start(only(team))
    carla = {**bearer(team.token("carla")), **HTML}
    answers = [
        decider.answer(path, carla)
        for path in (
            team.path(),
            team.path("gone"),
            f"/{team.name}/shs/",
            "/never-made/proxy/spark-1/",
            "/kube-system/shs/",
            "/shs/",
        )
    ]
    assert {answer.status for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


def test_what_ended_is_in_its_history(newest: ApiServer, start: Start) -> None:
    team = make_team(newest)
    decider = start(only(team, basePath="/spark"))
    vera = {**bearer(team.token("vera")), **HTML}
    team.pods.driver("spark-1")
    page = f"/spark{team.path(rest='/stages/stage/?id=1&attempt=0')}"
    decider.wait(lambda: decider.authz(page, vera).status == 200, "runs")
    team.pods.set_status("spark-1", "Succeeded")
    decider.wait(lambda: decider.authz(page, vera).status == 403, "ended")
    without = decider.answer(page, vera)
    assert (without.status, "has ended" in without.text) == (404, True)
    team.pods.history_server(ip="127.0.0.3")
    decider.wait(lambda: decider.authz(f"/spark/{team.name}/shs/", vera).status == 200, "the history")
    assert decider.authz(f"/spark/{team.name}/shs/", vera).headers["x-upstream"] == "127.0.0.3:18080"
    assert decider.answer(f"/spark/{team.name}/shs", vera).headers["location"] == f"/spark/{team.name}/shs/"
    moved = decider.answer(page, vera)
    history = f"/spark/{team.name}/shs/history"
    assert (moved.status, moved.headers["location"]) == (302, f"{history}/spark-1/stages/stage/?id=1&attempt=0")
    assert decider.answer(f"/spark{team.path('never-seen')}", vera).headers["location"] == f"{history}/never-seen/jobs/"
    assert decider.authz(f"/spark/{team.name}/shs/", vera, method="POST").reason == "bad-method"
    team.pods.set_status("history", "Running", "127.0.0.3", ready=False)
    decider.wait(lambda: decider.authz(f"/spark/{team.name}/shs/", vera).reason == "no-history", "the history is away")
    away = decider.answer(f"/spark/{team.name}/shs/", vera)
    assert (away.status, away.headers["retry-after"]) == (503, "3")
    assert '<meta http-equiv="refresh" content="3">' in away.text


@pytest.mark.parametrize("listed", [False, True], ids=["for itself", "beside an ordinary namespace"])
def test_the_shared_history_is_for_those_who_see_all(newest: ApiServer, start: Start, listed: bool) -> None:
    one, two, common = (make_team(newest, kind) for kind in ("one", "two", "common"))
    common.pods.history_server(ip="127.0.0.4")
    newest.cluster.rbac.delete_namespaced_role_binding("access-viewers", two.name)
    names = [one.name, two.name, *([common.name] if listed else [])]
    config = {"namespaces": {"names": names}, "sharedHistory": common.name}
    decider = start(config)
    vera, anna = bearer(one.token("vera")), bearer(one.token("anna"))
    assert decider.authz("/shs/", anna).headers["x-upstream"] == "127.0.0.4:18080"
    assert decider.authz("/shs/", vera).reason == "forbidden"
    # Vera may see the applications of the namespace that it stands in, but not those of all.
    assert decider.authz(f"/{common.name}/shs/", vera).reason == "forbidden"
    gone = one.path("gone", "/jobs/")
    assert decider.answer(gone, anna).headers["location"] == "/shs/history/gone/jobs/"
    assert decider.authz(gone, vera).reason == "not-found"


def test_in_host_mode_each_namespace_has_its_host_and_its_session(team: Team, start: Start) -> None:
    decider = start(only(team, hosts={"mode": "namespace", "domain": HOST}))
    own = f"{team.name}.{HOST}"
    done = decider.log_in(team.token("vera"), team.path(), host=own)
    assert done.headers["location"] == team.path()
    cookie = {"Cookie": done.cookie}
    assert cookie["Cookie"].startswith("__Host-")
    assert decider.authz(team.path(), cookie, host=own).status == 200
    for host in (HOST, f"other.{HOST}", "127.0.0.1", f"{own}.evil.com"):
        assert decider.authz(team.path(), cookie, host=host).reason == "bad-request"
    assert decider.authz("/other/proxy/spark-1/", cookie, host=f"other.{HOST}").reason == "login"


def test_the_page_of_a_namespaces_host_tells_of_no_other(team: Team, start: Start) -> None:
    other = make_team(team.server)
    other.pods.driver("spark-2")
    config = {"namespaces": {"names": [team.name, other.name]}, "hosts": {"mode": "namespace", "domain": HOST}}
    decider = start(config)
    vera = bearer(team.token("vera"))

    def listed(host: str) -> set[str]:
        answer = decider.request("GET", "/-/api/v1/applications", {**vera, "Host": host})
        return {item["id"] for item in answer.json["items"]}

    assert listed(HOST) == {"spark-1", "spark-2"}
    assert listed(f"{team.name}.{HOST}") == {"spark-1"}
    assert decider.request("GET", "/-/api/v1/applications", {**vera, "Host": "evil.example.com"}).status == 400


def test_replicas_share_sessions(team: Team, start: Start, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"k" * 32)
    one, two = (start(only(team, login={"sessionKeyFile": str(tmp_path / "key")})) for _ in range(2))
    cookie = one.log_in(team.token("vera")).cookie
    assert two.authz(team.path(), {"Cookie": cookie}).status == 200
    assert start(only(team)).authz(team.path(), {"Cookie": cookie}).reason == "login"


def test_a_new_key_comes_as_the_guide_says_and_nobody_logs_in_again(
    team: Team, newest: ApiServer, start: Start, tmp_path: Path
) -> None:
    core, name = newest.cluster.core, "spark-ui-proxy-session"
    where = {"name": name, "namespace": "kindling-system"}
    body = {"metadata": {"name": name}, "stringData": {"key": "k" * 32}}
    core.create_namespaced_secret(where["namespace"], body)

    def mount(folder: Path) -> None:
        """As a kubelet does some time after a change."""
        data = core.read_namespaced_secret(**where).data
        folder.mkdir(exist_ok=True)
        for file in {"key", "previous"} - data.keys():
            (folder / file).unlink(missing_ok=True)
        for file, encoded in data.items():
            (folder / "new").write_bytes(base64.b64decode(encoded))
            (folder / "new").rename(folder / file)

    folders = [tmp_path / "first", tmp_path / "last"]
    for folder in folders:
        mount(folder)
    first, last = (start(only(team, login={"sessionKeyFile": str(folder / "key")})) for folder in folders)
    old = {"Cookie": first.log_in(team.token("vera")).cookie}
    steps = commands("see-applications", "Keep it well")
    assert steps.count("sleep 120 ") == 1
    environment = {**os.environ, "KUBECONFIG": str(newest.kubeconfig)}
    learn, _, rest = steps.partition("sleep 120 ")
    write, end = rest.partition("\n")[2].split("kubectl patch secret ")
    learnt, go_on = tmp_path / "learnt", tmp_path / "go-on"
    script = f"{learn}\ntouch {learnt}\nuntil test -e {go_on}; do sleep 0.1; done\n{write}"
    with subprocess.Popen(["sh", "-euc", script], env=environment) as steps_in_order:
        first.wait(learnt.exists, "the pods may learn the new key")
        for folder in folders:
            mount(folder)
        go_on.touch()
    assert steps_in_order.returncode == 0
    mount(folders[0])
    new = {"Cookie": first.log_in(team.token("vera")).cookie}
    assert [decider.authz(team.path(), cookie).status for decider in (first, last) for cookie in (old, new)] == [
        200
    ] * 4
    mount(folders[1])
    assert [last.authz(team.path(), cookie).status for cookie in (old, new)] == [200, 200]
    subprocess.run(["sh", "-euc", f"kubectl patch secret {end}"], env=environment, check=True, capture_output=True)
    for folder in folders:
        mount(folder)
    for decider in (first, last):
        assert decider.authz(team.path(), old).reason == "login"
        assert decider.authz(team.path(), new).status == 200


def test_kubectl_lists_the_right_to_see(team: Team, newest: ApiServer) -> None:
    argv = ["kubectl", f"--kubeconfig={newest.kubeconfig}", "auth", "can-i", "--list", f"--namespace={team.name}"]
    for person, verbs in (("vera", "get"), ("anna", "get update")):
        as_person = f"--as=system:serviceaccount:{_PEOPLE}:{person}"
        done = subprocess.run([*argv, as_person], capture_output=True, text=True, check=True)
        assert re.search(rf"^applications\.kindling\.local .*\[{verbs}\]$", done.stdout, re.MULTILINE)


def test_a_token_for_another_audience_is_nobodys(team: Team, start: Start, cluster_rights: str) -> None:
    login = {"audiences": ["spark-ui"]}
    decider = start(only(team, permission={"reviews": "cluster"}, login=login), token=cluster_rights)
    own, others = (account_token(team.server, _PEOPLE, "vera", audiences=[name]) for name in ("spark-ui", "vault"))
    assert decider.authz(team.path(), bearer(own)).status == 200
    assert decider.authz(team.path(), bearer(others)).reason == "login"
    assert decider.authz(team.path(), bearer(team.token("vera"))).reason == "login"


@pytest.mark.parametrize(
    ("method", "headers", "reason"),
    [
        *(
            (method, {}, "bad-method")
            for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "")
        ),
        ("GET", {"Service-Worker": "script"}, "bad-request"),
    ],
)
def test_what_no_page_of_spark_needs_is_refused(
    team: Team, start: Start, method: str, headers: dict[str, str], reason: str
) -> None:
    decider = start(only(team))
    vera = bearer(team.token("vera"))
    assert decider.authz(team.path(), {**vera, **headers}, method=method).reason == reason
    assert decider.answer(team.path(), {**vera, **headers}, method=method).status == (
        405 if reason == "bad-method" else 400
    )


def test_page_and_api_show_what_somebody_may_see(team: Team, start: Start) -> None:
    other = make_team(team.server)
    other.pods.driver("spark-2")
    team.server.cluster.rbac.delete_namespaced_role_binding("access-viewers", other.name)
    decider = start({"basePath": "/spark", "namespaces": {"names": [team.name, other.name, "never-made"]}})
    vera, anna = bearer(team.token("vera")), bearer(team.token("anna"))
    for person, seen in ((vera, {"spark-1"}), (anna, {"spark-1", "spark-2"}), (bearer(team.token("carla")), set())):
        listed = decider.request("GET", "/spark/-/api/v1/applications", person).json
        assert {item["id"] for item in listed["items"]} == seen
        page = decider.request("GET", "/spark/", {**person, **HTML})
        assert page.status == 200
        assert set(re.findall(r"spark-[12]", page.text)) == seen
    assert decider.request("GET", "/spark/-/api/v1/applications").status == 401
    assert decider.request("GET", "/spark/", HTML).headers["location"] == "/spark/-/login?to=/spark/"
    assert decider.request("GET", "/spark").headers["location"] == "/spark/"


def test_a_list_on_a_screen_asks_about_few_refusals_at_a_time(team: Team, start: Start) -> None:
    other, refused = make_team(team.server), 60
    bindings = team.server.cluster.rbac
    binding = bindings.read_namespaced_role_binding("access-viewers", other.name)
    bindings.delete_namespaced_role_binding("access-viewers", other.name)
    names = [team.name, other.name, *(f"never-made-{number}" for number in range(refused - 1))]
    decider = start({"namespaces": {"names": names}, "permission": {"denySeconds": 0.2}})
    vera = bearer(team.token("vera"))

    def seen(**headers: str) -> set[str]:
        listed = decider.request("GET", "/-/api/v1/namespaces", {**vera, **headers})
        return {item["name"] for item in json.loads(listed.body)["items"]}

    def asked() -> float:
        return decider.metric('spark_ui_proxy_reviews_total{about="permission",answered_from="api_server"}')

    again = {"If-None-Match": "an earlier answer"}
    assert seen() == {team.name}
    assert asked() == refused + 1
    polls = 10
    for _ in range(polls):
        time.sleep(0.3)
        assert seen(**again) == {team.name}
    assert refused + 1 < asked() <= refused + 1 + 2 * polls
    binding.metadata.resource_version = binding.metadata.uid = None
    bindings.create_namespaced_role_binding(other.name, binding)
    decider.wait(lambda: seen(**again) == {team.name, other.name}, "every namespace has its turn")
    # Who asks anew, or for an application, is told what holds.
    bindings.delete_namespaced_role_binding("access-viewers", other.name)
    time.sleep(0.3)
    before = asked()
    seen()
    assert asked() - before == refused - 1


def test_a_site_may_forbid_killing(team: Team, start: Start) -> None:
    decider = start(only(team, kill=False))
    anna = bearer(team.token("anna"))
    assert decider.authz(team.path(rest="/jobs/job/kill/"), anna, method="POST").reason == "kill-disabled"
    assert decider.authz(team.path(), anna).status == 200


def test_pods_that_may_be_no_target_are_said_so(newest: ApiServer, start: Start) -> None:
    team = make_team(newest)
    decider = start(only(team))
    vera = {**bearer(team.token("vera")), **HTML}
    team.pods.driver("spark-odd", port=10250)
    team.pods.driver("spark-new", phase="Pending")
    decider.wait(lambda: decider.authz(team.path("spark-odd"), vera).reason == "unsupported", "the odd one")
    assert "its port" in decider.answer(team.path("spark-odd"), vera).text.lower()
    decider.wait(lambda: decider.authz(team.path("spark-new"), vera).reason == "not-ready", "the new one")
    assert decider.answer(team.path("spark-new"), vera).status == 503


def test_it_drains_before_it_ends(team: Team, start: Start) -> None:
    decider = start(only(team, drainSeconds=2))
    assert decider.operations("/healthz") == (200, "ok\n")
    decider.process.send_signal(signal.SIGTERM)
    decider.wait(lambda: decider.operations("/readyz") == (503, "it is being stopped\n"), "no longer ready")
    assert decider.authz(team.path(), bearer(team.token("vera"))).status == 200
    assert decider.process.wait(30) == 0


def test_metrics_count_decisions_and_logs_hold_no_secret(team: Team, start: Start) -> None:
    decider = start(only(team))
    token = team.token("vera")
    cookie = decider.log_in(token).cookie
    for _ in range(3):
        decider.authz(team.path(rest="/jobs/?password=hidden"), {"Cookie": cookie})
    decider.authz("/unknown-namespace/proxy/spark-1/?password=hidden", bearer(token))
    name = "spark_ui_proxy_decisions_total"
    assert decider.metric(f'{name}{{namespace="{team.name}",reason="ok"}}') == 3
    assert decider.metric(f'{name}{{namespace="",reason="forbidden"}}') == 1
    assert decider.metric(f'spark_ui_proxy_applications{{namespace="{team.name}",state="running"}}') == 1
    assert decider.metric('spark_ui_proxy_reviews_total{about="permission",answered_from="memory"}') >= 2
    assert decider.metric(f'spark_ui_proxy_watch_synced{{scope="{team.name}"}}') == 1
    log = (decider.folder / "decider.log").read_text()
    assert "unknown-namespace" in log
    for secret in (token, cookie.partition("=")[2], "hidden"):
        assert secret not in log


def test_without_a_key_it_says_so_and_ends(newest: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("short")
    for file, said in (("missing", "No such file"), ("short", "32 random ones")):
        config = {"namespaces": {"names": ["a"]}, "login": {"sessionKeyFile": str(tmp_path / file)}}
        with pytest.raises(AssertionError, match=said), running_decider(newest, tmp_path / f"d-{file}", config):
            pass
    header = {
        "namespaces": {"names": ["a"]},
        "login": {"mode": "header", "header": {"secretFile": str(tmp_path / "short")}},
    }
    with pytest.raises(AssertionError, match="16 are needed"), running_decider(newest, tmp_path / "d-header", header):
        pass
