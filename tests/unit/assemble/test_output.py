import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from packager.assemble.output import atomic_output
from packager.errors import CannotBuild
from packager.leftovers import temporary_mark

PIECE = bytes(range(256)) * 1024


class BoomError(Exception):
    pass


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_bytes_digest_and_offset(tmp_path: Path) -> None:
    with atomic_output(tmp_path / "out" / "deep" / "a.zip") as output:
        assert output.offset == 0
        output.write(b"PK")
        assert output.offset == 2
        for _ in range(12):
            output.write(PIECE)
        output.write(b"")
        output.write(b"end")
        assert output.offset == 5 + 12 * len(PIECE)
        output.mark()
        output.write(b"more")
        both = [b"PK" + PIECE * 12 + b"end", b"PK" + PIECE * 12 + b"endmore"]
        assert output.hexdigests() == [hashlib.sha256(data).hexdigest() for data in both]
    assert listing(tmp_path / "out" / "deep") == {"a.zip": both[1]}


def test_the_name_appears_only_when_all_is_written(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    target.write_bytes(b"old")
    with atomic_output(target) as output:
        output.write(PIECE * 8)
        output.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == PIECE * 8


@pytest.mark.parametrize("error", [BoomError, KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("before", [b"old", None])
def test_an_exception_leaves_what_was_there(
    tmp_path: Path, error: type[BaseException], before: bytes | None
) -> None:
    target = tmp_path / "a.zip"
    if before is not None:
        target.write_bytes(before)

    def write() -> None:
        with atomic_output(target) as output:
            output.write(PIECE * 8)
            raise error

    with pytest.raises(error):
        write()
    assert listing(tmp_path) == ({} if before is None else {"a.zip": before})


def test_a_temporary_of_a_killed_run_goes(tmp_path: Path) -> None:
    leave = "from packager.leftovers import temporary_mark; print(temporary_mark())"
    done = subprocess.run([sys.executable, "-c", leave], capture_output=True, text=True, check=True)
    (tmp_path / f".a.zip.{done.stdout.strip()}.part").write_bytes(b"half")
    with atomic_output(tmp_path / "a.zip") as output:
        output.write(b"new")
    assert listing(tmp_path) == {"a.zip": b"new"}


def refused(target: Path, data: bytes = b"x") -> CannotBuild:
    with pytest.raises(CannotBuild) as caught, atomic_output(target) as output:
        output.write(data)
    return caught.value


def test_the_destination_is_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    target.mkdir()
    assert refused(target).message == f"cannot write `{target}`: a folder has this name"
    assert list(tmp_path.rglob("*")) == [target]


def test_a_parent_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "dist").write_bytes(b"mine")
    error = refused(tmp_path / "dist" / "a.zip")
    assert error.message.startswith(f"cannot write `{tmp_path}/dist/a.zip`: ")
    assert "--target-dir" in (error.hint or "")
    assert listing(tmp_path) == {"dist": b"mine"}


def test_a_parent_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    assert "Not a directory" in refused(tmp_path / "file" / "deep" / "a.zip").message


def test_a_folder_that_takes_no_files() -> None:
    assert refused(Path("/proc/self/a.zip")).message.startswith("cannot write `/proc/self/a.zip`: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    folder.mkdir(mode=0o500)
    assert "Permission denied" in refused(folder / "a.zip").message
    assert list(folder.iterdir()) == []


def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    link = tmp_path / "a.zip"
    link.symlink_to("kept")
    with atomic_output(link) as output:
        output.write(b"new")
    assert not link.is_symlink()
    assert listing(tmp_path) == {"kept": b"kept", "a.zip": b"new"}


def test_a_link_planted_at_the_temporary_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.urandom", bytes)
    (tmp_path / "victim").write_bytes(b"victim")
    (tmp_path / f".a.zip.{temporary_mark()}.part").symlink_to("victim")
    assert "cannot write" in refused(tmp_path / "a.zip").message
    assert (tmp_path / "victim").read_bytes() == b"victim"


def test_a_dangling_link_to_a_folder_is_not_needed(tmp_path: Path) -> None:
    link = tmp_path / "a.zip"
    link.symlink_to(tmp_path / "nowhere")
    with atomic_output(link) as output:
        output.write(b"new")
    assert link.read_bytes() == b"new"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("needs a mount of its own: not root, or not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    target = small_disk / "a.zip"
    target.write_bytes(b"old")
    error = refused(target, PIECE * 16)
    assert error.message == f"cannot write `{target}`: No space left on device"
    assert "free some space" in (error.hint or "")
    assert listing(small_disk) == {"a.zip": b"old"}


def test_a_disk_without_room_for_one_block() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        from packager.assemble.output import Output  # noqa: PLC0415 -- this test alone

        output = Output(Path("/dev/full"), descriptor)
        output.write(b"x")
        with pytest.raises(OSError, match="No space left"):
            output.flush()
    finally:
        os.close(descriptor)
