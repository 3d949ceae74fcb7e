"""What the scripts are made of, as far as it needs neither engine nor cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kindling_dev.cluster import kind_config
from kindling_dev.command import Failure, run
from kindling_dev.fingerprint import fingerprint
from kindling_dev.host import Host
from kindling_dev.node_image import qualified
from kindling_dev.settings import REPO, Settings
from kindling_dev.spark_image import is_foreign_library


def test_a_fingerprint_follows_content_name_and_mode(tmp_path: Path) -> None:
    file = tmp_path / "a"
    seen = set()
    file.write_text("one")
    seen.add(fingerprint(tmp_path))
    file.write_text("two")
    seen.add(fingerprint(tmp_path))
    file.chmod(0o755)
    seen.add(fingerprint(tmp_path))
    file.rename(tmp_path / "b")
    seen.add(fingerprint(tmp_path))
    assert len(seen) == 4
    assert fingerprint("ab", "c") != fingerprint("a", "bc")


@pytest.mark.parametrize(
    ("name", "foreign"),
    [
        ("a.jar/org/apache/spark/Main.class", False),
        ("rocksdbjni.jar/librocksdbjni-linux-s390x.so", True),
        ("rocksdbjni.jar/librocksdbjni-linux32.so", True),
        ("rocksdbjni.jar/librocksdbjni-osx-arm64.jnilib", True),
        ("snappy.jar/org/xerial/snappy/native/Windows/x86_64/snappyjava.dll", True),
        ("snappy.jar/org/xerial/snappy/native/Linux/x86_64-musl/libsnappyjava.so", True),
    ],
)
def test_native_libraries_of_other_systems_are_foreign(name: str, foreign: bool) -> None:
    assert is_foreign_library(name) is foreign


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("x86_64", "rocksdbjni.jar/librocksdbjni-linux64.so"),
        ("x86_64", "zstd.jar/linux/amd64/libzstd-jni-1.5.7-7.so"),
        ("x86_64", "snappy.jar/org/xerial/snappy/native/Linux/x86_64/libsnappyjava.so"),
        ("x86_64", "netty-linux-x86_64.jar/META-INF/native/libnetty_transport_native_epoll_x86_64.so"),
        ("aarch64", "rocksdbjni.jar/librocksdbjni-linux-aarch64.so"),
        ("aarch64", "netty-linux-aarch_64.jar/META-INF/native/libnetty_tcnative_linux_aarch_64.so"),
    ],
)
def test_native_libraries_of_this_machine_stay(machine: str, name: str) -> None:
    assert not is_foreign_library(name, machine)


def test_an_ordinary_host_gets_no_special_handling() -> None:
    ordinary = Host(all_capabilities=True, cgroup_v1=False)
    assert ordinary.kind_patches() == {}
    ordinary.check_kubernetes("1.36.0")


def test_kubernetes_that_cannot_run_on_cgroup_v1_is_refused() -> None:
    old = Host(all_capabilities=True, cgroup_v1=True)
    old.check_kubernetes("1.34.0")
    with pytest.raises(Failure, match=r"cgroup v1, where Kubernetes 1\.35\.0 does not run"):
        old.check_kubernetes("1.35.0")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("apache/spark:1", "docker.io/apache/spark:1"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost:5000/a:1", "localhost:5000/a:1"),
    ],
)
def test_image_names_are_qualified_as_containerd_keeps_them(name: str, full: str) -> None:
    assert qualified(name) == full


def test_a_failed_command_says_what_it_was_for_and_shows_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(Failure, match=r"could not bake a cake: exit code 3; log: .*log\n    no flour"):
        run(["sh", "-c", "echo no flour; exit 3"], log=log, what="bake a cake")


def test_a_missing_program_is_named() -> None:
    with pytest.raises(Failure, match="no-such-program is not installed"):
        run(["no-such-program"])


def test_an_unknown_argument_of_up_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kindling_dev", "up", "--quick"],
        cwd=REPO / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown argument: --quick" in done.stderr


@pytest.mark.parametrize(("cluster", "ports"), [("kindling", [30080, 30443]), ("second", [0, 0])])
def test_a_second_cluster_takes_ports_that_are_free(
    monkeypatch: pytest.MonkeyPatch, cluster: str, ports: list[int]
) -> None:
    monkeypatch.setenv("KINDLING_CLUSTER", cluster)
    config = kind_config(Settings.from_environment(), Host.detect(), own_network=False)
    assert [mapping["hostPort"] for node in config["nodes"] for mapping in node["extraPortMappings"]] == ports
