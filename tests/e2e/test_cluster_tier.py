"""chartproof in a cluster: releases that come and go with a test, asked what a render is asked; a kind cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from team import Team

from chartproof import Cluster, Helm, HelmError, Install, Manifest
from chartproof.checks import Rendered, Rule
from kindling_dev.command import run
from kindling_dev.host import Host
from kindling_dev.node_image import ensure_node_image, is_ours
from kindling_dev.progress import Progress
from kindling_dev.settings import Settings

# A run that is not due while a test lasts.
ONCE_A_YEAR = {"app": {"file": "local:///app.py"}, "schedule": {"cron": "0 0 1 1 *"}}
GONE_DEADLINE_S = 60
HELLO = {
    "configmap.yaml": "data: { hello: {{ .Values.hello | quote }} }",
    "clusterrole.yaml": "rules: [{ apiGroups: [''], resources: [namespaces], verbs: [get] }]",
}


def write_chart(folder: Path, templates: dict[str, str]) -> Path:
    """A chart of objects that are named after release and namespace; their kinds are the files' names."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {folder.name}\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("hello: world\n")
    heads = {
        "configmap.yaml": "apiVersion: v1\nkind: ConfigMap",
        "clusterrole.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole",
        "service.yaml": "apiVersion: v1\nkind: Service",
    }
    name = "metadata: { name: '{{ .Release.Name }}-{{ .Release.Namespace }}' }"
    for file, body in templates.items():
        (folder / "templates" / file).write_text(f"{heads[file]}\n{name}\n{body}\n")
    return folder


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A chart of a ConfigMap and a ClusterRole, named after release and namespace."""
    return write_chart(tmp_path / "hello", HELLO)


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite of its own, with the chart "hello", that knows of no cluster."""
    write_chart(pytester.path / "charts/hello", HELLO)
    pytester.makeini("[pytest]\naddopts = -p chartproof.plugin\n")
    monkeypatch.delenv("KUBECONFIG")
    return pytester


def test_what_is_live_is_asked_what_the_render_is_asked(
    release: Install, team: Team, helm: Helm, charts: Path, rules: Sequence[Rule]
) -> None:
    nightly = release("spark-job", ONCE_A_YEAR, name="nightly", namespace=team.name)
    rendered = helm.template(charts / "spark-job", release="nightly", namespace=team.name, values=ONCE_A_YEAR)
    live = nightly.live
    # A hook that waits for "helm test".
    assert live.names() == rendered.names() - {("Pod", "nightly-test")}

    def facts(manifest: Manifest) -> tuple[object, ...]:
        job = manifest.one("CronJob", "nightly")
        driver = job.container("driver")
        return (
            job.labels.items() >= {"app.kubernetes.io/instance": "nightly"}.items(),
            driver.args,
            driver.env,
            driver.mounts,
        )

    assert facts(live) == facts(rendered)
    found = Rendered(live, charts / "spark-job", "nightly", team.name, values=ONCE_A_YEAR)
    assert [violation for rule in rules for violation in rule(found)] == []


def test_a_rule_finds_what_someone_changed_in_the_cluster(
    release: Install, team: Team, charts: Path, rules: Sequence[Rule]
) -> None:
    nightly = release("spark-job", ONCE_A_YEAR, name="nightly", namespace=team.name)
    patch = '{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"serviceAccountName":"nobody"}}}}}}'
    team.kubectl("patch", "cronjob", "nightly", f"--patch={patch}")
    found = Rendered(nightly.live, charts / "spark-job", "nightly", team.name, values=ONCE_A_YEAR)
    (violation,) = [violation for rule in rules for violation in rule(found)]
    assert (violation.rule, violation.about) == ("references", "CronJob/nightly")
    assert "nobody" in violation.message


def test_a_release_is_upgraded_with_the_values_that_are_given_and_no_earlier_ones(
    release: Install, hello: Path, tmp_path: Path
) -> None:
    given = tmp_path / "values.yaml"
    given.write_text("hello: file\n")
    mine = release(hello, {"hello": "moon"}, name="mine")
    heard = [mine.live.one("ConfigMap").body["data"]["hello"]]
    for values, files in (({"hello": "sun"}, []), (None, [given]), (None, [])):
        mine.upgrade(values, files)
        heard.append(mine.live.one("ConfigMap").body["data"]["hello"])
    assert heard == ["moon", "sun", "file", "world"]


def test_two_releases_of_one_name_live_side_by_side(release: Install, hello: Path, cluster: Cluster) -> None:
    one, other = release(hello, {"hello": "one"}), release(hello, {"hello": "other"}, labels={"team": "b"})
    assert one.name == other.name == "hello"
    assert one.namespace != other.namespace
    assert cluster.core.read_namespace(other.namespace).metadata.labels["team"] == "b"
    one.uninstall()
    assert f"ConfigMap/hello-{one.namespace}" not in cluster.inventory(one.namespace)
    assert other.live.names() == {(kind, f"hello-{other.namespace}") for kind in ("ConfigMap", "ClusterRole")}
    everything = cluster.manifest(other.namespace)
    assert everything.one("ConfigMap", f"hello-{other.namespace}") == other.live.one("ConfigMap")


@pytest.mark.parametrize(("policy", "kinds"), [("before-hook-creation", {"ConfigMap"}), ("hook-succeeded", set())])
def test_a_hooks_object_is_live_as_long_as_it_is_there(
    release: Install, tmp_path: Path, policy: str, kinds: set[str]
) -> None:
    hooked = write_chart(tmp_path / "hooked", {})
    body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook\n  annotations:\n"
    annotations = f"    helm.sh/hook: post-install\n    helm.sh/hook-delete-policy: {policy}\n"
    (hooked / "templates/hook.yaml").write_text(body + annotations)
    assert {resource.kind for resource in release(hooked).live} == kinds


def test_labels_of_a_namespace_that_is_there_are_refused(release: Install, hello: Path) -> None:
    with pytest.raises(ValueError, match="namespace default is there already: labels are for one that is made"):
        release(hello, namespace="default", labels={"team": "b"})


def test_a_failed_install_is_bundled_and_leaves_nothing(suite: pytest.Pytester, cluster: Cluster) -> None:
    # A Service comes last, and the API server wants its ports.
    write_chart(suite.path / "charts/broken", {**HELLO, "service.yaml": "spec: { selector: { app: none } }"})
    suite.makepyfile("def test_it(release):\n    release('hello')\n    release('broken')\n")
    result = suite.runpytest_subprocess(f"--kubeconfig={cluster.kubeconfig}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*spec.ports: Required value", "*what the test left behind: *"])
    (bundle,) = (suite.path / "artifacts").iterdir()
    names = {file.name.removesuffix("-manifests.yaml") for file in bundle.glob("*-manifests.yaml")}
    assert len(names) == 2
    (broken,) = [name for name in names if f"name: broken-{name}" in (bundle / f"{name}-manifests.yaml").read_text()]
    assert_gone(cluster, names)
    rbac = Helm(kubeconfig=cluster.kubeconfig)
    with pytest.raises(HelmError, match="release: not found"):
        rbac.run(["status", "broken", f"--namespace={broken}"])
    assert not {role.metadata.name for role in cluster.rbac.list_cluster_role().items} & {
        f"{chart}-{name}" for chart in ("hello", "broken") for name in names
    }


def assert_gone(cluster: Cluster, namespaces: set[str]) -> None:
    """Wait until namespaces are gone."""
    for name in namespaces:
        listing, where = cluster.core.list_namespace, {"field_selector": f"metadata.name={name}"}
        cluster.wait_until_none(listing, f"the end of namespace {name}", GONE_DEADLINE_S, **where)


@pytest.fixture
def kind_settings(pytester: pytest.Pytester) -> Iterator[str]:
    """pytest's settings of a kind cluster that this machine can run; it is gone after the test."""
    settings, name = Settings.from_environment(), f"chartproof-{uuid4().hex[:8]}"
    node = ensure_node_image(settings, Progress())
    config = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", **Host.detect().kind_patches()}
    (pytester.path / "kind.yaml").write_text(
        yaml.safe_dump(config | {"networking": {"disableDefaultCNI": is_ours(node)}})
    )
    yield f"kind_cluster = {name}\nkind_config = kind.yaml\nkind_image = {node}\n"
    run(["kind", "delete", "cluster", "--name", name])


@pytest.mark.long
def test_a_kind_cluster_is_made_once_and_found_again(suite: pytest.Pytester, kind_settings: str) -> None:
    suite.makeini(f"[pytest]\naddopts = -p chartproof.plugin\n{kind_settings}")
    name = kind_settings.split()[2]
    test = "def test_it(release):\n    assert release('hello').live.one('ConfigMap')\n"
    suite.makepyfile(test_one=test, test_other=test)
    node, made = f"{name}-control-plane", set()
    for options in ([], ["--cache-clear"]):
        result = suite.runpytest_subprocess("-n", "2", *options)
        result.assert_outcomes(passed=2)
        stays = f"the kind cluster {name} stays for the next run; kind delete cluster --name {name} removes it"
        assert stays in result.stdout.str()
        made.add(run(["docker", "inspect", "--format={{.Id}}", node]))
    assert len(made) == 1
    assert not (Path.home() / ".kube/config").exists()
    cure = f"; remove it (kind delete cluster --name {name}) and run this again"
    run(["docker", "stop", node])
    assert _refusals(suite) == {f"the kind cluster {name} gives no answer in 15s{cure}"}
    with (suite.path / "kind.yaml").open("a") as config:
        config.write("nodes: [{ role: control-plane }]\n")
    assert _refusals(suite) == {f"the kind cluster {name} was made of another configuration{cure}"}


def _refusals(suite: pytest.Pytester) -> set[str]:
    """What each of two tests is told that cannot have their cluster."""
    result = suite.runpytest_subprocess()
    result.assert_outcomes(errors=2)
    return {line for line in result.outlines if line.startswith("the kind cluster")}
