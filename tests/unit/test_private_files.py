"""Files with credentials that ``kindling`` writes and reads in folders where others may do so too.

What others plant there is planted by another user: these tests need to be root, to become somebody, or are skipped.
"""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kindling import kubeconfig, tokens
from kindling.errors import KindlingError
from kindling.files import read_private, remove_private, write_private
from kindling_dev.settings import REPO

NOBODY, ME = 65534, 12345
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder as /tmp is: everybody's, and sticky."""
    with TemporaryDirectory() as name:
        os.chmod(name, 0o1777)  # noqa: PTH101 - as the parts of a path below
        yield Path(name)


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """Be another user for a while."""
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def planted(plant: Callable[[], object]) -> None:
    """Have another user do something."""
    with acting_as(NOBODY):
        plant()


def mode(path: Path) -> int:
    """Of what the path leads to."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "new/folder/file", "secret")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new/folder/file") == 0o600
    assert mode(tmp_path / "new/folder") == 0o700
    assert (tmp_path / "new/folder/file").read_text() == "secret"
    assert [path.name for path in (tmp_path / "new/folder").iterdir()] == ["file"]


def test_a_file_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(0o644)
    with file.open() as reader:
        write_private(file, "secret")
        assert reader.read() == "old", "who had it open reads no secret"
    assert mode(file) == 0o600


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file, seen, over = tmp_path / "file", set(), threading.Event()
    write_private(file, "a" * 100_000)

    def read() -> None:
        while not over.is_set():
            seen.add((mode(file), frozenset(file.read_text()), file.stat().st_size))

    reader = threading.Thread(target=read)
    reader.start()
    for letter in "bcdefghij":
        write_private(file, letter * 100_000)
    over.set()
    reader.join()
    assert {(mode, size) for mode, _, size in seen} == {(0o600, 100_000)}
    assert all(len(letters) == 1 for _, letters, _ in seen)


def test_a_link_of_ones_own_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "config").symlink_to("dotfiles/../dotfiles/config")
    write_private(tmp_path / "config", "secret")
    assert (tmp_path / "config").is_symlink()
    assert (tmp_path / "dotfiles/config").read_text() == "secret"
    assert read_private(tmp_path / "config") == "secret"


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(KindlingError, match="symbolic links"):
        write_private(tmp_path / "a", "secret")


@pytest.mark.parametrize("path", ["/", "/dev/null/file", "{tmp}/nowhere/../.."])
def test_what_is_no_place_for_a_file_is_told_in_a_line(path: str, tmp_path: Path) -> None:
    with pytest.raises(KindlingError, match="cannot write"):
        write_private(Path(path.format(tmp=tmp_path)), "secret")


@AS_ROOT
@pytest.mark.parametrize("me", [0, ME])
@pytest.mark.parametrize("name", ["file", "folder/file"])
def test_a_link_that_another_planted_is_not_followed(shared: Path, me: int, name: str) -> None:
    with TemporaryDirectory() as elsewhere:
        target = Path(elsewhere)
        os.chown(target, me, me)
        (shared / name.split("/")[0]).symlink_to(target if "/" in name else target / "file")
        os.chown(shared / name.split("/")[0], NOBODY, NOBODY, follow_symlinks=False)
        with acting_as(me), pytest.raises(KindlingError, match="link of another user"):
            write_private(shared / name, "secret")
        with acting_as(me), pytest.raises(KindlingError, match="link of another user"):
            read_private(shared / name)
        assert not list(target.iterdir())


@AS_ROOT
@pytest.mark.parametrize("plant", ["file", "open file", "hard link", "fifo"])
def test_root_writes_into_nothing_that_was_planted(shared: Path, plant: str) -> None:
    file, own = shared / "token", shared / "nobodys"
    with acting_as(NOBODY):
        own.touch(mode=0o666)
        if plant == "fifo":
            os.mkfifo(file, 0o666)
        elif plant == "hard link":
            file.hardlink_to(own)
        else:
            file.touch(mode=0o666)
        reader = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_private(file, "secret")
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)
    assert own.read_text() == ""
    assert (file.stat().st_uid, mode(file), file.read_text()) == (0, 0o600, "secret")


@AS_ROOT
@pytest.mark.parametrize("plant", ["file", "fifo"])
def test_what_another_planted_in_a_shared_folder_is_no_place(shared: Path, plant: str) -> None:
    file = shared / "token"
    planted(lambda: os.mkfifo(file, 0o666) if plant == "fifo" else file.touch(mode=0o666))
    with acting_as(ME), pytest.raises(KindlingError, match="cannot write"):
        write_private(file, "secret")
    assert [path.name for path in shared.iterdir()] == ["token"], "no scratch file stays"


@AS_ROOT
@pytest.mark.parametrize(
    ("owner", "bits", "why"),
    [(NOBODY, 0o777, "folder of another user"), (NOBODY, 0o1777, "folder of another user"),
     (0, 0o777, "everybody may write"), (ME, 0o777, "everybody may write")],
)  # fmt: skip
def test_a_folder_where_others_may_replace_it_is_refused(shared: Path, owner: int, bits: int, why: str) -> None:
    folder = shared / "folder"
    folder.mkdir()
    folder.chmod(bits)
    os.chown(folder, owner, owner)
    with acting_as(ME), pytest.raises(KindlingError, match=why) as told:
        write_private(folder / "token", "secret")
    assert "\n" not in str(told.value)
    assert not list(folder.iterdir())


@AS_ROOT
def test_a_folder_that_one_may_enter_and_not_list_is_passed(shared: Path) -> None:
    home = shared / "home"
    (home / "me").mkdir(parents=True)
    home.chmod(0o711)
    os.chown(home / "me", ME, ME)
    with acting_as(ME):
        write_private(home / "me/token", "secret")
        assert read_private(home / "me/token") == "secret"


@AS_ROOT
@pytest.mark.parametrize("plant", ["file", "fifo", "folder"])
def test_a_token_that_another_planted_is_not_taken(shared: Path, plant: str) -> None:
    file = shared / "token"
    if plant == "fifo":
        planted(lambda: os.mkfifo(file, 0o666))
    elif plant == "file":
        planted(lambda: file.write_text("a.b.c"))
    else:
        planted(lambda: file.mkdir())
    with acting_as(ME):
        assert tokens.kept(file, "system:serviceaccount:team-a:alice") is None
        with pytest.raises(KindlingError):
            read_private(file)


@AS_ROOT
def test_a_kubeconfig_that_another_planted_is_not_added_to(shared: Path) -> None:
    file = shared / "team-a.kubeconfig"
    planted(lambda: file.write_text("current-context: evil\ncontexts: []\n"))
    entries = kubeconfig.Entries("mine", {}, {}, {"mine": {"cluster": "mine", "user": "mine"}})
    with acting_as(ME), pytest.raises(KindlingError, match="another user's"):
        kubeconfig.write(entries, file)
    assert "evil" in file.read_text()


def test_a_dangling_link_is_no_free_place(tmp_path: Path) -> None:
    (tmp_path / "config").symlink_to("nowhere")
    with pytest.raises(KindlingError, match="exists"):
        kubeconfig.check_free(tmp_path / "config", merge=False)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * 1_100_000])
def test_what_is_no_credential_is_told_in_a_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(KindlingError, match="no text, or more than a megabyte"):
        read_private(tmp_path / "file")


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_private(tmp_path / "file") is None
    assert read_private(tmp_path / "folder/file") is None


@AS_ROOT
@pytest.mark.parametrize(("owner", "bits"), [(NOBODY, 0o755), (0, 0o777), (0, 0o1777)])
def test_programs_of_a_cache_that_others_write_are_not_run(shared: Path, owner: int, bits: int) -> None:
    cache = shared / "cache"
    cache.mkdir()
    cache.chmod(bits)
    os.chown(cache, owner, owner)
    env = {**os.environ, "KINDLING_CACHE": str(cache)}
    done = subprocess.run([REPO / "scripts/bootstrap", "this"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"others may write to the cache folder {cache}" in done.stderr
    assert not list(cache.iterdir())


def test_a_key_that_is_not_needed_is_removed(tmp_path: Path) -> None:
    key, link = tmp_path / "key", tmp_path / "link"
    write_private(key, "secret")
    link.symlink_to(key)
    remove_private(key)
    remove_private(key)
    assert not key.exists(), "and once more is nothing"
    remove_private(tmp_path / "no-folder" / "key")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(KindlingError, match="remove it by hand: it has a key"):
        remove_private(folder)
