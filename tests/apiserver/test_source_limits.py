"""How large a source may be: what Helm's record and a client-side apply hold, as the guide and the values say."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from chartproof import Helm, HelmError
from chartproof.apiserver import ApiServer

Kubectl = Callable[..., str]
CODE = "".join(f"def f{number}(a, b):\n    return a + b * {number}\n\n\n" for number in range(30_000))


def data(size: int) -> str:
    """A source that does not compress."""
    text = base64.b64encode(random.Random(0).randbytes(size)).decode()
    return f'DATA = """{text[: size - 20]}"""\n'


@pytest.fixture
def install(newest_namespace: tuple[ApiServer, str], charts: Path, tmp_path: Path) -> Callable[..., str]:
    """Install spark-job with a source; it returns the refusal, or nothing."""
    server, namespace = newest_namespace

    def install(source: str, driver: str = "") -> str:
        file = tmp_path / "job.py"
        file.write_text(source)
        try:
            Helm(kubeconfig=server.kubeconfig, driver=driver).run(
                [
                    "install",
                    "job",
                    str(charts / "spark-job"),
                    f"--namespace={namespace}",
                    f"--set-file=app.source={file}",
                ]
            )
        except HelmError as error:
            return str(error)
        return ""

    return install


@pytest.mark.parametrize("driver", ["", "configmap"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        (CODE[:990_000], ""),
        (data(380_000), ""),
        (data(700_000), "Too long: may not be more than 1048576 bytes"),
        (CODE + CODE, "and a ConfigMap holds 1000000: put the file where Spark can fetch it and set app.file"),
    ],
    ids=["code", "data", "more data", "more code"],
)
def test_helms_record_holds_a_source(install: Callable[..., str], source: str, said: str, driver: str) -> None:
    answer = install(source, driver)
    assert said in answer
    assert bool(said) == bool(answer)


def test_a_client_side_apply_takes_200_kb(
    newest_namespace: tuple[ApiServer, str],
    kubectl: Kubectl,
    charts: Path,
    tmp_path: Path,
) -> None:
    server, namespace = newest_namespace

    def apply(size: int, *argv: str) -> str:
        (tmp_path / "job.py").write_text(CODE[:size])
        manifest = server.helm().run(
            [
                *("template", "job", str(charts / "spark-job"), f"--namespace={namespace}"),
                *(f"--set-file=app.source={tmp_path / 'job.py'}", "--show-only=templates/configmap.yaml"),
            ]
        )
        return kubectl(server, "apply", *argv, "--filename=-", f"--namespace={namespace}", stdin=manifest)

    assert "created" in apply(190_000)
    assert "Too long: may not be more than 262144 bytes" in apply(262_000)
    assert "serverside-applied" in apply(262_000, "--server-side")
