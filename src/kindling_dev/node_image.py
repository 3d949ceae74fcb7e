"""The image of kind's node: the published one, or Kubernetes built from its Go modules; Spark's images baked in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kindling_dev import images
from kindling_dev.command import run
from kindling_dev.fingerprint import fingerprint
from kindling_dev.golang import GoModule, build, module_folder, required_version
from kindling_dev.host import BOUNDED_RUNC, ensure_build_programs
from kindling_dev.progress import Progress
from kindling_dev.settings import REPO, Settings
from kindling_dev.tools import ETCD, KUBERNETES, TOOLS

_FOLDER = images.images_folder("kind-node")
_SUITE = "bookworm"  # the last Debian whose systemd runs on cgroup v1
_KUBERNETES_VERSION = KUBERNETES.version("k8s.io/kubernetes")
PUBLISHED = f"kindest/node:{_KUBERNETES_VERSION}"

_CONTAINERD = GoModule(
    folder="images/kind-node/go/containerd",
    programs={
        name: f"github.com/containerd/containerd/v2/cmd/{name}"
        for name in ("containerd", "ctr", "containerd-shim-runc-v2")
    },
    stamps={
        "github.com/containerd/containerd/v2/version.Version": required_version(
            REPO / "images/kind-node/go/containerd/go.mod", "github.com/containerd/containerd/v2"
        ).removeprefix("v")
    },
    tags="no_aufs no_zfs no_btrfs no_devmapper",
)
_COREDNS = GoModule("images/kind-node/go/coredns", {"coredns": "github.com/coredns/coredns"})
_PROVISIONER = GoModule(
    "images/kind-node/go/local-path-provisioner",
    {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
)
_CALICO_MODULE = "github.com/projectcalico/calico"
_CALICO = GoModule(
    "images/kind-node/go/calico",
    {"calico": f"{_CALICO_MODULE}/cni-plugin/cmd/calico", "calico-felix": f"{_CALICO_MODULE}/felix/cmd/calico-felix"},
)
_MODULES = (KUBERNETES, _CONTAINERD, ETCD, _COREDNS, _PROVISIONER, _CALICO)
_NODE_PROGRAMS = ("kubeadm", "kubectl", "calico-felix", *_CONTAINERD.programs)
_IMAGE_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_KUBE_PROXY_IMAGE = f"registry.k8s.io/kube-proxy:{_KUBERNETES_VERSION}"
_PROVISIONER_IMAGE = "docker.io/kindling/local-path-provisioner:" + _PROVISIONER.version(
    "github.com/rancher/local-path-provisioner"
)
_CONTAINERD_DEADLINE_S = 30


def ensure_node_image(settings: Settings, progress: Progress) -> str:
    """Return the reference of a node image that the engine has."""
    return images.choose(
        published=PUBLISHED,
        built=built(),
        build=lambda: _build(built(), settings, progress),
        setting=settings.node_image,
        settings=settings,
        progress=progress,
    )


def is_ours(reference: str) -> bool:
    """Whether a node image was built here: it brings its own network configuration instead of kind's default."""
    label, value = images.MADE_LABEL.split("=")
    labels = json.loads(run(["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", reference]))
    return bool(labels) and labels.get(label) == value


def bake(node: str, contents: dict[str, str], settings: Settings, progress: Progress) -> str:
    """Return a node image that holds other images too, so that a new cluster has them at once.

    Args:
        node: the node image.
        contents: reference that pods name -> reference in the engine.
        settings: where logs and temporary files go.
        progress: told what is done.
    """
    pairs = sorted((name, images.image_id(reference)) for name, reference in contents.items())
    baked = f"kindling/node-with-spark:{fingerprint(images.image_id(node), *(f'{n}={i}' for n, i in pairs))}"
    if images.in_engine(baked):
        return baked
    with progress.step(f"baking {', '.join(contents)} into the node image"):
        with _containerd_in(node) as container:
            for name, reference in contents.items():
                _import(container, reference, name, settings)
        _commit(container, baked)
    return baked


def load(cluster_node: str, name: str, reference: str, settings: Settings) -> None:
    """Give a running node one more image under the name that pods use."""
    _import(cluster_node, reference, name, settings)


def has_image(cluster_node: str, name: str, reference: str) -> bool:
    """Whether a running node has an image of the engine under the name that pods use."""
    table = run(["docker", "exec", cluster_node, "ctr", "--namespace=k8s.io", "images", "list"])
    digests = {row[0]: row[2] for row in (line.split() for line in table.splitlines()[1:])}
    return qualified(name) in digests and digests[qualified(name)] == digests.get(qualified(reference))


def qualified(name: str) -> str:
    """An image's name as containerd keeps it: with registry and, for Docker Hub, owner."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def built() -> str:
    """The name of the image that is built: the same for the same sources, and for the same Kubernetes."""
    kind_version = TOOLS.version("sigs.k8s.io/kind")
    pins = [path for module in _MODULES for path in (module.path / "go.mod", module.path / "go.sum")]
    files = [path for path in sorted(_FOLDER.iterdir()) if path.is_file()]
    key = fingerprint(Path(__file__), kind_version, _SUITE, *images.SLIM_HOOKS, *files, *pins)
    return f"kindling/node:{_KUBERNETES_VERSION}-{key}"


def _build(reference: str, settings: Settings, progress: Progress) -> None:
    ensure_build_programs(settings, progress)
    log = settings.logs / "kind-node.log"
    with progress.step(f"making the node's Debian {_SUITE} root file system"):
        packages = tuple(
            line for line in (_FOLDER / "packages.txt").read_text().split("\n") if line and not line.startswith("#")
        )
        base = images.debian_base("kind-node", _SUITE, packages, settings)
    programs = {
        name: folder / name for m in _MODULES for folder in [build(m, settings, progress)] for name in m.programs
    }
    with progress.step("assembling the node image"), images.scratch_folder(settings) as scratch:
        _assemble_context(scratch / "node", programs, settings)
        bare = f"{reference}-bare"
        images.docker_build(scratch / "node", bare, log, base=base, kubernetes_version=_KUBERNETES_VERSION)
        archives = _component_images(scratch, base, programs, log)
        with _containerd_in(bare) as container:
            for name in archives:
                _import(container, name, name, settings)
        _commit(container, reference)
        run(["docker", "image", "rm", bare, *archives], what="drop intermediate images")


def _assemble_context(context: Path, programs: dict[str, Path], settings: Settings) -> None:
    base_files = module_folder(TOOLS, "sigs.k8s.io/kind", settings) / "images/base/files"
    # Only content is copied: modules are kept read-only.
    shutil.copytree(base_files, context / "kind", copy_function=shutil.copyfile)
    images.copy_into(context / "bin", *(programs[name] for name in _NODE_PROGRAMS))
    (context / "usr-bin").mkdir()
    images.copy_into(context / "usr-bin", programs["kubelet"])
    images.copy_into(context / "cni", programs["calico"])
    kinds = module_folder(_CALICO, _CALICO_MODULE, settings) / "libcalico-go/config/crd"
    shutil.copytree(kinds, context / "network", copy_function=shutil.copyfile)
    images.copy_into(context / "network", _FOLDER / "network.yaml")
    own = ("Dockerfile", "cni.conflist", "felix.service")
    images.copy_into(context, *(_FOLDER / name for name in own), BOUNDED_RUNC)
    storage = (_FOLDER / "storage.yaml").read_text()
    # local-path-provisioner's helper needs a shell: of the images in the node, kube-proxy's has one.
    storage = storage.replace("@HELPER_IMAGE@", _KUBE_PROXY_IMAGE).replace("@PROVISIONER_IMAGE@", _PROVISIONER_IMAGE)
    (context / "storage.yaml").write_text(storage)


def _component_images(scratch: Path, base: str, programs: dict[str, Path], log: Path) -> list[str]:
    """Build what kubeadm and the storage manifest ask for; return the references."""
    pause = scratch / "pause"
    run(["gcc", "-Os", "-static", "-o", pause, _FOLDER / "pause.c"], what="compile pause")
    wanted = {f"registry.k8s.io/{name}:{_KUBERNETES_VERSION}": ("scratch", programs[name]) for name in _IMAGE_PROGRAMS}
    wanted[_KUBE_PROXY_IMAGE] = (base, programs["kube-proxy"])
    wanted[_PROVISIONER_IMAGE] = ("scratch", programs["local-path-provisioner"])
    for line in run(
        [programs["kubeadm"], "config", "images", "list", "--kubernetes-version", _KUBERNETES_VERSION]
    ).split():
        for name in ("etcd", "coredns"):
            if f"/{name}:" in line:
                wanted[line] = ("scratch", programs[name])
        if "/pause:" in line:
            wanted[line] = ("scratch", pause)
    # kind's containerd configuration names this one.
    wanted["registry.k8s.io/pause:3.10"] = ("scratch", pause)
    for number, (reference, (image_base, program)) in enumerate(wanted.items()):
        context = scratch / f"component-{number}"
        images.copy_into(context, program)
        # Docker expands no argument in an ENTRYPOINT: the line is added here.
        dockerfile = scratch / f"component-{number}.Dockerfile"
        text = (_FOLDER / "component.Dockerfile").read_text()
        dockerfile.write_text(f'{text}ENTRYPOINT ["/usr/local/bin/{program.name}"]\n')
        images.docker_build(context, reference, log, dockerfile, base=image_base)
    return list(wanted)


@contextmanager
def _containerd_in(node: str) -> Iterator[str]:
    """A container of a node image in which containerd answers; afterwards it is stopped but still there."""
    # containerd is the container's first process: stopping the container lets it close its store properly.
    argv = ["docker", "run", "--detach", "--privileged", "--security-opt=seccomp=unconfined", "--entrypoint=containerd"]
    container = run([*argv, node], what="start containerd in the node image").strip()
    try:
        tries = f"for i in $(seq {_CONTAINERD_DEADLINE_S * 5}); do"
        wait = f"{tries} ctr version >/dev/null 2>&1 && exit; sleep 0.2; done; exit 1"
        run(["docker", "exec", container, "sh", "-c", wait], what="reach containerd in the node image")
        yield container
        run(["docker", "stop", container], what="stop containerd in the node image")
    except BaseException:
        run(["docker", "rm", "--force", "--volumes", container])
        raise


def _commit(container: str, reference: str) -> None:
    changes = ['ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]', "CMD []", f"LABEL {images.MADE_LABEL}"]
    argv = ["docker", "commit", *(word for change in changes for word in ("--change", change)), container, reference]
    run(argv, what=f"commit {reference}")
    run(["docker", "rm", "--force", "--volumes", container])


def _import(container: str, reference: str, name: str, settings: Settings) -> None:
    """Copy an image from the engine into a node's containerd, under the name that pods use."""
    with images.scratch_folder(settings) as scratch:
        archive = scratch / "image.tar"
        run(["docker", "save", "--output", archive, reference], what=f"save {reference}")
        ctr = ["docker", "exec", "--interactive", container, "ctr", "--namespace=k8s.io", "images"]
        with archive.open("rb") as stream:
            run([*ctr, "import", "--no-unpack", "-"], stdin=stream, what=f"import {reference} into the node")
    if qualified(name) != qualified(reference):
        run([*ctr, "tag", "--force", qualified(reference), qualified(name)], what=f"name {reference} {name}")
