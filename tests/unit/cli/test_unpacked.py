"""`lpack build --unpacked`: the zip's files as a folder, and never on top of something."""

import stat
import zipfile
from pathlib import Path

import pytest
from support.build_world import BuildWorld


def test_the_folder_has_exactly_the_zips_files(world: BuildWorld) -> None:
    done = world.build("--unpacked", "out/tree")
    tree = world.project / "out" / "tree"
    with zipfile.ZipFile(world.zip) as archive:
        for info in archive.infolist():
            path = tree / info.filename
            assert path.read_bytes() == archive.read(info)
            mode = stat.S_IMODE(path.stat().st_mode)
            assert bool(mode & 0o111) == bool(info.external_attr >> 16 & 0o111)
        names = {info.filename for info in archive.infolist()}
    assert names == {p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file()}
    assert f"{len(names)} files of `api.zip` are in `out/tree`" in done.stderr


def test_it_is_written_although_nothing_changed(world: BuildWorld) -> None:
    world.settle()
    world.build("--unpacked", "first")
    world.build("--unpacked", "second")
    assert (world.project / "second" / "app.py").is_file()


def test_a_folder_that_is_not_empty_is_refused(world: BuildWorld) -> None:
    old = world.write("out/old.py", "x = 1\n")
    done = world.run("--unpacked", "out")
    assert done.exit_code == 2, done.explain()
    assert "error: `out` is not empty\nhint: rm -r out" in done.stderr
    assert old.read_text() == "x = 1\n"
    assert not world.zip.exists()


@pytest.mark.parametrize(
    ("folder", "said"), [("app.py", "cannot unpack into `app.py`"), ("app.py/x", "cannot ")]
)
def test_a_file_in_the_way(world: BuildWorld, folder: str, said: str) -> None:
    done = world.run("--unpacked", folder)
    assert done.exit_code in {2, 3}, done.explain()
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_several_functions_do_not_fit_into_one_folder(world: BuildWorld) -> None:
    text = (world.project / "pyproject.toml").read_text()
    world.write(
        "pyproject.toml", text + '\n[tool.lpack.functions.worker]\nhandler = "app.handler"\n'
    )
    done = world.run("--unpacked", "out")
    assert done.exit_code == 2, done.explain()
    assert "hint: lpack build api --unpacked out" in done.stderr
    assert not Path(world.project / "out").exists()
