"""Nothing changed: the last answer again. Anything changed: a build."""

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.build_world import SETTLING_SECONDS, BuildWorld

from packager.cli.unchanged import identity_of, is_settled


@pytest.fixture
def settled(world: BuildWorld) -> BuildWorld:
    # With the output folder there, the first build leaves the project's folder alone.
    (world.project / "dist").mkdir()
    world.settle()
    return world


def replayed(world: BuildWorld, *arguments: str, **options: object) -> bool:
    """Run once more and tell whether the zip stayed the very same file."""
    before = world.output() if world.zip.exists() else None
    done = world.run(*arguments, **options)
    assert done.exit_code == 0, done.explain()
    return world.output() == before


def in_zip(world: BuildWorld, name: str) -> bytes | None:
    with zipfile.ZipFile(world.zip) as archive:
        return archive.read(name) if name in archive.namelist() else None


def test_the_same_answer_again(world: BuildWorld) -> None:
    first = world.run()
    last = world.settle()
    again = world.run()
    assert (again.exit_code, again.stdout) == (last.exit_code, last.stdout)
    assert again.stdout == first.stdout
    assert again.stderr == ""
    assert replayed(world)


def edit_secretly(path: Path, old: str, new: str) -> None:
    """Edit in place, keep the size and set the date back, as build tools and archives do."""
    assert len(old) == len(new)
    status = path.stat()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert path.stat().st_size == status.st_size


def test_a_handler_edited_with_size_and_date_kept(settled: BuildWorld) -> None:
    edit_secretly(settled.project / "app.py", "return 1", "return 2")
    assert not replayed(settled)
    assert b"return 2" in (in_zip(settled, "app.py") or b"")


def test_a_handler_replaced_by_an_older_file(settled: BuildWorld) -> None:
    other = settled.write("other", "def handler(event, context):\n    return 3\n")
    os.utime(other, (1, 1))
    other.replace(settled.project / "app.py")
    assert not replayed(settled)
    assert b"return 3" in (in_zip(settled, "app.py") or b"")


def test_a_file_added_to_a_package(settled: BuildWorld) -> None:
    settled.write("pkg/new.py", "NEW = 1\n")
    assert not replayed(settled)
    assert in_zip(settled, "pkg/new.py") == b"NEW = 1\n"


def test_a_file_added_to_a_new_folder(settled: BuildWorld) -> None:
    settled.write("pkg/deep/er/new.py", "NEW = 1\n")
    assert not replayed(settled)
    assert in_zip(settled, "pkg/deep/er/new.py") == b"NEW = 1\n"


def test_a_file_removed(settled: BuildWorld) -> None:
    (settled.project / "pkg/helper.py").unlink()
    assert not replayed(settled)
    assert in_zip(settled, "pkg/helper.py") is None


def test_a_file_renamed(settled: BuildWorld) -> None:
    (settled.project / "pkg/helper.py").rename(settled.project / "pkg/helped.py")
    assert not replayed(settled)
    assert in_zip(settled, "pkg/helper.py") is None
    assert in_zip(settled, "pkg/helped.py") == b"HELP = 1\n"


def test_a_file_made_executable(settled: BuildWorld) -> None:
    (settled.project / "pkg/helper.py").chmod(0o755)
    assert not replayed(settled)
    with zipfile.ZipFile(settled.zip) as archive:
        assert archive.getinfo("pkg/helper.py").external_attr >> 16 == 0o100755


def test_requirements_edited(settled: BuildWorld) -> None:
    settled.write("requirements.txt", "beta\n")
    assert not replayed(settled)
    assert in_zip(settled, "alpha/__init__.py") is None
    assert in_zip(settled, "beta.py") is not None


def test_requirements_edited_with_size_and_date_kept(settled: BuildWorld) -> None:
    settled.write("requirements.txt", "gamma\n")
    settled.settle()
    edit_secretly(settled.project / "requirements.txt", "gamma\n", "six  \n")
    assert not replayed(settled)
    assert {d["name"] for d in settled.manifest["distributions"]} == {"six"}


def test_settings_edited(settled: BuildWorld) -> None:
    path = settled.project / "pyproject.toml"
    path.write_text(path.read_text().replace("x86_64", "arm64"))
    assert not replayed(settled)
    assert settled.manifest["target"]["architecture"] == "arm64"


def test_a_configuration_where_none_was(world: BuildWorld) -> None:
    shutil.rmtree(world.project / "pkg")
    text = world.project.joinpath("pyproject.toml").read_text().replace(', "pkg"', "")
    (world.project / "pyproject.toml").unlink()
    (world.project / "dist").mkdir()
    guessed = world.project / "dist" / f"{world.project.name}.zip"
    said = []
    for _ in range(3):
        time.sleep(SETTLING_SECONDS)
        said.append(world.build("--runtime", "python3.13").stderr)
    assert said[-1] == "", "the answer is never remembered"
    guessed.unlink()
    world.write("pyproject.toml", text.replace("x86_64", "arm64"))
    world.build("--runtime", "python3.13")
    assert not guessed.exists()
    assert world.manifest["target"]["architecture"] == "arm64"


@pytest.mark.parametrize("name", ["api.zip", "api.lpack.json"])
@pytest.mark.parametrize("how", ["deleted", "overwritten", "overwritten secretly", "truncated"])
def test_a_spoilt_output_is_written_again(settled: BuildWorld, name: str, how: str) -> None:
    path = settled.project / "dist" / name
    good = path.read_bytes()
    status = path.stat()
    match how:
        case "deleted":
            path.unlink()
        case "truncated":
            path.write_bytes(good[:-1])
        case "overwritten":
            path.write_bytes(b"mine")
        case _:
            with path.open("r+b") as file:
                file.write(b"?")
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not replayed(settled)
    assert path.read_bytes() == good


def test_other_arguments(settled: BuildWorld) -> None:
    assert not replayed(settled, "--upload", "s3")
    assert settled.manifest["function"]["upload"] == "s3"
    # The outputs are those of the other command line now.
    assert not replayed(settled)
    assert settled.manifest["function"]["upload"] == "direct"


@pytest.mark.parametrize(
    "environment",
    [{"LPACK_BUILD_UPLOAD": "s3"}, {"SOURCE_DATE_EPOCH": "1700000000"}, {"PIP_NO_INPUT": "1"}],
)
def test_another_environment(settled: BuildWorld, environment: dict[str, str]) -> None:
    assert not replayed(settled, env=environment)
    changed = (
        settled.manifest["function"]["upload"] == "s3",
        settled.manifest["artifact"]["stamp"] != 2162688,
    )
    assert changed == ("LPACK_BUILD_UPLOAD" in environment, "SOURCE_DATE_EPOCH" in environment)


@pytest.mark.parametrize("name", ["TZ", "LANG", "UNRELATED"])
def test_an_environment_that_does_not_matter(settled: BuildWorld, name: str) -> None:
    assert replayed(settled, env={name: "C"})


def test_json_and_text_are_kept_apart(settled: BuildWorld) -> None:
    text = settled.build().stdout
    document = settled.settle("--output-format", "json").stdout
    assert document.startswith('{"schema_version":1')
    assert settled.build("--output-format", "json").stdout == document
    assert settled.settle().stdout == text


def test_a_failed_limit_is_said_again(settled: BuildWorld) -> None:
    with (settled.project / "pkg/model.bin").open("wb") as file:
        file.truncate(262_144_000)
    last = settled.settle(exit_code=1)
    before = settled.output()
    again = settled.run()
    assert settled.output() == before
    assert (again.exit_code, again.stdout) == (1, last.stdout)
    assert "passes AWS's limit for unzipped" in again.stderr
    assert last.stderr.endswith(again.stderr)
    styled = settled.run(env={"NO_COLOR": "", "FORCE_COLOR": "1"})
    assert "\x1b[" in styled.stderr
    assert "\x1b[" not in settled.run().stderr


@pytest.mark.parametrize("kept", [True, False], ids=["replayed", "built"])
def test_a_reader_that_hangs_up(settled: BuildWorld, kept: bool) -> None:
    if not kept:
        settled.zip.unlink()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "packager", "build", "--index-url", settled.index_url],
            cwd=settled.project,
            env=settled.lpack.environment(),
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_store_that_cannot_be_read_only_costs_time(settled: BuildWorld, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = settled.run(env={"LPACK_CACHE_DIR": str(tmp_path / "file")})
    assert done.exit_code == 3, done.explain()
    assert "Traceback" not in done.stderr


# The rule for files that were written just now


def touched(path: Path, when_ns: int) -> Path:
    path.write_text("x")
    os.utime(path, ns=(when_ns, when_ns))
    return path


def test_a_file_written_just_before_the_start_is_not_settled(tmp_path: Path) -> None:
    path = str(touched(tmp_path / "f", 1))
    changed = os.stat(path).st_ctime_ns  # noqa: PTH116 -- the clock in question
    assert not is_settled([path], changed)
    assert not is_settled([path], changed + 49_999_999)
    assert is_settled([path], changed + 50_000_001)
    assert is_settled([str(tmp_path / "absent")], changed)
    assert is_settled([], changed)


def replace_by_another(path: Path) -> None:
    path.unlink()
    path.with_name("in the way").write_text("")
    path.write_text("x")


CHANGES: dict[str, Callable[[Path], object]] = {
    "size": lambda path: path.write_text("longer"),
    "date": lambda path: os.utime(path, (5, 5)),
    "mode": lambda path: path.chmod(0o755),
    "another file": replace_by_another,
    "gone": Path.unlink,
}


@pytest.mark.parametrize("change", CHANGES)
def test_identity_tells(tmp_path: Path, change: str) -> None:
    path = touched(tmp_path / "f", 1)
    before = identity_of(str(path))
    assert before == identity_of(str(path))
    time.sleep(0.01)
    CHANGES[change](path)
    assert identity_of(str(path)) != before
