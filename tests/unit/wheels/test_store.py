"""The store against a real disk, real processes and a real full file system."""

import errno
import hashlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from packager.errors import CannotBuild
from packager.leftovers import temporary_mark
from packager.wheels.store import Store

ROOT = os.name == "posix" and os.geteuid() == 0
BODY = b"wheel bytes " * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store" / "v1")


def put_wheel(store: Store, body: bytes = BODY) -> str:
    digest = hashlib.sha256(body).hexdigest()
    with store.writing("wheels", digest, ".whl") as temporary:
        temporary.write_bytes(body)
    return digest


def temporaries(store: Store) -> list[str]:
    folder = store.root / "tmp"
    return [p.name for p in folder.iterdir()] if folder.exists() else []


def test_nothing_is_created_before_the_first_write(store: Store) -> None:
    assert not store.has_wheel(DIGEST)
    assert store.read_document("locks", "abcd") is None
    store.discard("wheels", DIGEST, ".whl")
    assert not store.root.exists()


def test_the_first_write_makes_a_private_folder_that_explains_itself(store: Store) -> None:
    put_wheel(store)
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert "lpack" in (store.root / "README").read_text()
    assert (store.root / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172")


def test_a_wheel_is_found_by_its_digest(store: Store) -> None:
    digest = put_wheel(store)
    assert store.wheel_path(digest) == store.root / "wheels" / digest[:2] / f"{digest}.whl"
    assert store.wheel_path(digest).read_bytes() == BODY
    assert store.has_wheel(digest)
    assert store.has_wheel(digest, len(BODY))
    assert not store.has_wheel(digest, len(BODY) - 1)
    assert store.wheel_is_intact(digest)
    assert temporaries(store) == []


def test_a_flipped_bit_is_found_and_can_be_discarded(store: Store) -> None:
    digest = put_wheel(store)
    damaged = bytearray(BODY)
    damaged[500] ^= 1
    store.wheel_path(digest).write_bytes(damaged)
    assert not store.wheel_is_intact(digest)
    store.discard("wheels", digest, ".whl")
    assert not store.has_wheel(digest)
    assert not store.wheel_is_intact(digest)


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), ConnectionResetError(104)])
def test_an_exception_leaves_the_old_entry_and_no_temporary(
    store: Store, error: BaseException
) -> None:
    digest = put_wheel(store)

    def fail() -> None:
        with store.writing("wheels", digest, ".whl") as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)) as caught:
        fail()
    assert caught.value is error
    assert store.wheel_path(digest).read_bytes() == BODY
    assert temporaries(store) == []


def test_errors_about_files_elsewhere_are_not_blamed_on_the_store(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError), store.writing("wheels", DIGEST, ".whl"):
        (tmp_path / "absent").read_bytes()
    assert temporaries(store) == []


def test_many_threads_may_write_one_key(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: put_wheel(store), range(40)))
    assert digests == {DIGEST}
    assert store.wheel_is_intact(DIGEST)
    assert temporaries(store) == []


WRITER = """
import sys
from pathlib import Path
from packager.wheels.store import Store
store = Store(Path(sys.argv[1]))
body = b"wheel bytes " * 1000
for _ in range(30):
    with store.writing("wheels", sys.argv[2], ".whl") as temporary:
        temporary.write_bytes(body)
    store.write_document("locks", "shared", {"n": [1, 2, 3]})
    assert store.read_document("locks", "shared") == {"n": [1, 2, 3]}
"""


def test_many_processes_may_write_one_key(store: Store) -> None:
    command = [sys.executable, "-c", WRITER, str(store.root), DIGEST]
    writers = [subprocess.Popen(command) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    assert store.wheel_is_intact(DIGEST)
    assert temporaries(store) == []


def test_the_store_may_be_deleted_while_it_is_in_use(store: Store) -> None:
    put_wheel(store)
    subprocess.run(["rm", "-rf", str(store.root)], check=True)
    put_wheel(store)
    assert store.wheel_is_intact(DIGEST)


@pytest.mark.parametrize("key", ["", "a", "../x", "ab/cd", "ab.cd", "ab\0", "äöü"])
def test_a_key_cannot_lead_out_of_the_store(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.file("wheels", key, ".whl")
    with pytest.raises(ValueError, match="not a key"):
        store.file("../x", "abcd", ".whl")


DOCUMENT = {"a": [1, 2.5, None, "ä\ud800"], "b": {"c": "x" * 300}}


def test_a_document_comes_back_as_it_was_written(store: Store) -> None:
    store.write_document("locks", "abc-1_2", DOCUMENT)
    assert store.read_document("locks", "abc-1_2") == DOCUMENT
    store.write_document("locks", "abc-1_2", {})
    assert store.read_document("locks", "abc-1_2") == {}


def test_no_damage_to_a_document_goes_unnoticed(store: Store) -> None:
    store.write_document("locks", "abcd", {"a": "xyz"})
    place = store.file("locks", "abcd", ".json")
    good = place.read_bytes()
    torn = [good[:cut] for cut in range(len(good))]
    flipped = [
        good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1 :]
        for at in range(len(good))
        for bit in range(8)
    ]
    for bad in [*torn, *flipped, good + b" ", good + good, b"\0" * len(good)]:
        place.write_bytes(bad)
        assert store.read_document("locks", "abcd") is None, bad
        assert not place.exists()


def test_swapped_documents_are_noticed(store: Store) -> None:
    store.write_document("locks", "one1", {"a": 1})
    store.write_document("locks", "two2", {"a": 2})
    store.file("locks", "one1", ".json").replace(store.file("locks", "two2", ".json"))
    assert store.read_document("locks", "two2") is None


def leave_temporary(store: Store, mark: str, age_seconds: float) -> str:
    path = store.root / "tmp" / f"{mark}.whl"
    path.write_bytes(b"left over")
    then = time.time() - age_seconds
    os.utime(path, (then, then))
    return path.name


def mark_of_a_dead_process() -> str:
    code = "from packager.leftovers import temporary_mark; print(temporary_mark())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("who", "age_seconds", "swept"),
    [
        ("dead", 0, True),
        ("alive", 3700, False),
        ("alive", 90_000, True),
        ("this", 90_000, False),
        ("another system", 3700, False),
        ("another system", 90_000, True),
    ],
)
def test_only_what_nobody_writes_any_more_is_swept(
    store: Store, who: str, age_seconds: float, swept: bool
) -> None:
    put_wheel(store)
    mark = mark_of_a_dead_process() if who in ("dead", "another system") else temporary_mark()
    if who == "alive":
        mark = mark.replace(f"-{os.getpid()}-", f"-{os.getppid()}-")
    if who == "another system":
        mark = "0123abcd" + mark[8:]
    name = leave_temporary(store, mark, age_seconds)
    put_wheel(Store(store.root))
    assert (name not in temporaries(store)) == swept


def test_a_folder_that_was_being_removed_is_swept(store: Store) -> None:
    """`lpack cache prune` was killed between its rename and the last file."""
    store.write_document("kind", "key", {})
    aside = store.root / "tmp" / mark_of_a_dead_process()
    (aside / "deep").mkdir(parents=True)
    (aside / "deep" / "file").write_text("x", encoding="utf-8")
    Store(store.root).write_document("kind", "key", {})
    assert not aside.exists()


@pytest.mark.parametrize("name", [".swept", "notes.txt", "x-1-y.whl", "0123abcd-1-short.whl"])
def test_files_of_others_are_never_swept(store: Store, name: str) -> None:
    put_wheel(store)
    leave_temporary(store, name, 900_000)
    put_wheel(Store(store.root))
    assert temporaries(store) == [f"{name}.whl"]


def test_the_environment_chooses_the_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LPACK_CACHE_DIR", str(tmp_path / "here"))
    assert Store.default().root == tmp_path / "here" / "v1"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LPACK_CACHE_DIR", "relative")
    assert Store.default().root == tmp_path / "relative" / "v1"
    monkeypatch.setenv("LPACK_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert Store.default().root.name == "v1"
    assert "lpack" in str(Store.default().root)


def test_a_folder_others_can_write_is_refused(store: Store) -> None:
    store.root.mkdir(parents=True)
    store.root.chmod(0o777)
    with pytest.raises(CannotBuild, match="written by other users") as caught:
        put_wheel(store)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("chmod go-w")


def test_nothing_is_read_where_others_can_write(store: Store) -> None:
    """A build of which everything is remembered writes nothing before the artifact."""
    store.write_document("things", "ab12", {"known": True})
    store.root.chmod(0o770)
    with pytest.raises(CannotBuild, match="written by other users"):
        Store(store.root).read_document("things", "ab12")
    store.root.chmod(0o700)
    assert Store(store.root).read_document("things", "ab12") == {"known": True}


def test_folders_inside_are_the_users_own_whatever_the_umask(store: Store) -> None:
    """The store's own folder may have been made by the user, for all to look into."""
    store.root.mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        store.write_document("things", "ab12", {"known": True})
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in store.root.rglob("*") if path.is_dir()}
    assert set(modes.values()) == {0o700}, modes


@pytest.mark.skipif(not ROOT, reason="only root can give files away")
def test_a_folder_of_another_user_is_refused(store: Store) -> None:
    store.root.mkdir(parents=True, mode=0o700)
    os.chown(store.root, 65534, 65534)
    with pytest.raises(CannotBuild, match="belongs to another user"):
        put_wheel(store)


def test_a_file_in_place_of_the_store_is_a_clear_error(store: Store) -> None:
    store.root.parent.mkdir(parents=True)
    store.root.write_text("in the way")
    with pytest.raises(CannotBuild, match=re.escape(str(store.root))) as caught:
        put_wheel(store)
    assert "LPACK_CACHE_DIR" in str(caught.value.hint)


ATTEMPT = """
import os, sys
from pathlib import Path
from packager.errors import CannotBuild
from packager.wheels.store import Store
if len(sys.argv) > 2:
    os.setuid(int(sys.argv[2]))
try:
    with Store(Path(sys.argv[1])).writing("wheels", "abcd", ".whl") as temporary:
        with open(temporary, "wb") as file:
            file.write(b"x" * 1_000_000)
except CannotBuild as error:
    print(error.message, error.hint, sep="|")
"""


@pytest.mark.skipif(not ROOT, reason="needs another user")
def test_a_forbidden_folder_is_a_clear_error(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPT, str(closed / "v1"), "65534"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "cannot write the store" in done.stdout
    assert "Permission denied|" in done.stdout
    assert list(closed.iterdir()) == []


@pytest.mark.skipif(not ROOT, reason="needs to mount")
def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "none", str(disk)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        done = subprocess.run(
            [sys.executable, "-c", ATTEMPT, str(disk / "v1")],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert done.stdout.startswith("no space left on the disk of the store")
        assert "LPACK_CACHE_DIR" in done.stdout
        assert temporaries(Store(disk / "v1")) == []
        assert not Store(disk / "v1").file("wheels", "abcd", ".whl").exists()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        done = subprocess.run(
            [sys.executable, "-c", ATTEMPT, str(disk / "v1")],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert os.strerror(errno.EROFS) in done.stdout
    finally:
        subprocess.run(["umount", str(disk)], check=True)
