"""Packages signed with a key of GnuPG's, and verified by both Helms."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chartproof import Helm, HelmError
from kindling_dev.command import Failure, run
from kindling_dev.host import ensure_gpg
from kindling_dev.progress import Progress
from kindling_dev.release import Signer, application_charts, build_packages
from kindling_dev.settings import REPO, Settings

KEY = "releaser@example.com"


@dataclass(frozen=True)
class Signed:
    """Packages that were signed, and the public keys to verify them with."""

    packages: list[Path]
    keyring: Path


@pytest.fixture(scope="module")
def gnupg() -> Iterator[pytest.MonkeyPatch]:
    """A GnuPG with one key of the test's own, which a passphrase guards."""
    ensure_gpg(Settings.from_environment(), Progress())
    # A short path: the agent's socket is in it.
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNUPGHOME", home)
        passphrase = Path(home) / "passphrase"
        passphrase.write_text("open sesame\n")
        batch: list[str | Path] = ["gpg", "--batch", "--pinentry-mode=loopback", "--passphrase-file", passphrase]
        run([*batch, "--quick-generate-key", KEY, "rsa3072", "sign", "never"])
        yield patch
        run(["gpgconf", "--kill", "all"])


@pytest.fixture(scope="module")
def signer(gnupg: pytest.MonkeyPatch) -> Signer:
    """The owner of that key."""
    home = Path(run(["gpgconf", "--list-dirs", "homedir"]).strip())
    assert gnupg
    return Signer(KEY, home / "passphrase")


@pytest.fixture(scope="module")
def signed(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """Packages signed with it by scripts/release."""
    folder = tmp_path_factory.mktemp("signed")
    options = ["--sign", signer.key, "--passphrase-file", str(signer.passphrase)]
    run([REPO / "scripts/release", "--folder", folder, *options])
    keyring = folder / "public.gpg"
    run(["gpg", "--batch", "--output", keyring, "--export", signer.key])
    return Signed(sorted(folder.glob("*.tgz")), keyring)


@pytest.mark.check(30)
@pytest.mark.parametrize("program", ["helm", "helm4"])
def test_a_signed_package_is_verified(program: str, signed: Signed) -> None:
    assert len(signed.packages) == len(application_charts(REPO / "charts"))
    for package in signed.packages:
        Helm(program).run(["verify", str(package), "--keyring", str(signed.keyring)])


@pytest.mark.check(30)
@pytest.mark.parametrize("program", ["helm", "helm4"])
def test_a_package_that_was_changed_is_refused(program: str, signed: Signed, tmp_path: Path) -> None:
    package = Path(shutil.copy(signed.packages[0], tmp_path))
    shutil.copy(f"{signed.packages[0]}.prov", tmp_path)
    with package.open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(HelmError, match="sha256 sum does not match"):
        Helm(program).run(["verify", str(package), "--keyring", str(signed.keyring)])


def test_a_signature_leaves_the_package_as_it_is(signed: Signed, tmp_path: Path) -> None:
    unsigned = build_packages(REPO / "charts", tmp_path)
    assert [path.read_bytes() for path in sorted(unsigned)] == [path.read_bytes() for path in signed.packages]


def test_a_key_that_gnupg_does_not_have_is_refused(signer: Signer, tmp_path: Path) -> None:
    assert signer
    with pytest.raises(Failure, match=r"^GnuPG has no secret key of 'nobody@example\.com': gpg --list-secret-keys"):
        build_packages(REPO / "charts", tmp_path, Signer("nobody@example.com"))
