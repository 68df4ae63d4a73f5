"""`lpack build --check` passes what was built, in every form, and names every file that is not."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import forms_world
from support.golden import check_golden, normalize
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner
from support.store_poison import poison

EXPECTED = Path(__file__).parents[1] / "cases" / "build-check"
Entries = list[tuple[zipfile.ZipInfo, bytes]]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    folder = tmp_path_factory.mktemp("wheels")
    forms_world.make_wheels(folder)
    with IndexServer([folder]) as server:
        yield server


@pytest.fixture(scope="module")
def built(index: IndexServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project that was built whole, and the home with its store: to be copied."""
    folder = tmp_path_factory.mktemp("built")
    project = forms_world.write_project(folder / "project")
    LpackRunner(home=folder / "home").ok("build", "--index-url", index.url, cwd=project)
    return project, folder / "home"


class World:
    """A copy of the built project with a store of its own."""

    def __init__(self, folder: Path, built: tuple[Path, Path], index: IndexServer) -> None:
        self.project = folder / "project"
        self._index = index
        shutil.copytree(built[0], self.project)
        shutil.copytree(built[1], folder / "home")
        self.lpack = LpackRunner(home=folder / "home")

    def run(self, *arguments: str) -> Finished:
        return self.lpack.run("build", "--index-url", self._index.url, *arguments, cwd=self.project)

    def edit(self, name: str, change: Callable[[Entries], Entries], **options: int) -> None:
        """Write a zip of dist anew with the entries that `change` returns."""
        path = self.project / "dist" / name
        with zipfile.ZipFile(path) as archive:
            entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
        path.unlink()
        with zipfile.ZipFile(path, "w") as archive:
            for entry, data in change(entries):
                archive.writestr(entry, data, **options)


@pytest.fixture
def world(built: tuple[Path, Path], index: IndexServer, tmp_path: Path) -> World:
    return World(tmp_path, built, index)


def _hold(name: str, done: Finished, world: World, *, update: bool) -> None:
    """Compare what was said about the check with the golden text `name`."""
    begun = done.stdout.find("ok   dist/")
    failed = done.stdout.find("FAIL dist/")
    first = min(place for place in (begun, failed) if place >= 0)
    text = f"{done.stdout[first:]}{done.stderr}exit code {done.exit_code}\n"
    said = normalize(text, names={str(world.project): "<PROJECT>"}, sizes=True)
    check_golden(EXPECTED / f"{name}.txt", said, update=update)


def test_every_form_is_as_the_slow_way_makes_it(world: World) -> None:
    done = world.run("--check", "--output-format", "json")
    assert done.exit_code == 0, done.explain()
    document = json.loads(done.stdout)
    assert len(document["manifests"]) == len(forms_world.FUNCTIONS)
    checked = {Path(each["path"]).name: each for each in document["checked"]}
    outputs = {path.name for path in (world.project / "dist").iterdir()} - {"fetched.offload"}
    assert checked.keys() == outputs | {"tree-1.0.zip"}
    assert not any(each["differences"] for each in checked.values())
    for name, each in checked.items():
        if name.endswith(".zip") and name != "tree-1.0.zip":
            with zipfile.ZipFile(world.project / "dist" / name) as archive:
                assert each["files"] == len(archive.namelist()), name


def test_every_edited_file_of_a_zip_is_named(world: World, update_golden: bool) -> None:
    def change(entries: Entries) -> Entries:
        kept = [(entry, data) for entry, data in entries if entry.filename != "leaf.py"]
        by_name = {entry.filename: entry for entry, _ in kept}
        by_name["tree/run"].external_attr = 0o100644 << 16
        kept = [
            (entry, b"VALUE = 2\n" if entry.filename == "tree/__init__.py" else data)
            for entry, data in kept
        ]
        return [*kept, (zipfile.ZipInfo("evil.py"), b"EVIL = 1\n")]

    world.edit("plain.zip", change)
    before = (world.project / "dist/plain.zip").read_bytes()
    done = world.run("plain", "--check")
    assert done.exit_code == 1, done.explain()
    _hold("edited-zip", done, world, update=update_golden)
    assert (world.project / "dist/plain.zip").read_bytes() == before
    (world.project / "dist/plain.zip").unlink()
    done = world.run("plain", "--check")
    assert done.exit_code == 0, done.explain()
    _hold("as-built", done, world, update=update_golden)


@pytest.mark.parametrize(
    ("change", "options", "text"),
    [
        (lambda entries: entries[::-1], {}, "another order"),
        (lambda entries: entries, {"compress_type": zipfile.ZIP_STORED}, "headers or compression"),
        (lambda entries: [*entries, entries[0]], {}, "is there more than once"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_of_the_right_files_that_is_another(
    world: World, change: Callable[[Entries], Entries], options: dict[str, int], text: str
) -> None:
    world.edit("plain.zip", change, **options)
    done = world.run("plain", "--check")
    assert done.exit_code == 1, done.explain()
    assert text in done.stdout


def test_edited_layers_archives_images_and_manifests(world: World, update_golden: bool) -> None:
    dist = world.project / "dist"
    extra = (zipfile.ZipInfo("python/evil.py"), b"")
    world.edit("first.layer.zip", lambda entries: [*entries, extra])
    (dist / "fetched.offload/tree-1.0.zip").write_bytes(b"")
    blob = max((dist / "image.oci/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    (dist / "packed.zip").write_bytes((dist / "packed.zip").read_bytes()[:-30])
    manifest = dist / "nested.lpack.json"
    manifest.write_text(manifest.read_text().replace('"version":"2.5"', '"version":"2.6"'))
    world.edit("nested.zip", lambda entries: entries)
    done = world.run("layered", "nested", "packed", "fetched", "image", "--check")
    assert done.exit_code == 1, done.explain()
    _hold("edited", done, world, update=update_golden)


def test_a_payload_that_was_poisoned_with_all_that_is_said_of_it(world: World) -> None:
    assert poison(world.lpack.store / "v1", member="leaf.py", old=b"LEAF = 1", new=b"LEAF = 6")
    shutil.rmtree(world.project / "dist")
    done = world.run("plain")
    assert done.exit_code == 0, done.explain()
    with zipfile.ZipFile(world.project / "dist/plain.zip") as archive:
        assert archive.read("leaf.py") == b"LEAF = 6\n", "the poison did not get through"
    done = world.run("plain", "--check")
    assert done.exit_code == 1, done.explain()
    assert "leaf.py has other bytes" in done.stdout
    assert 'rm -r "$(lpack cache path)" && lpack build' in done.stderr
    shutil.rmtree(world.lpack.run("cache", "path", cwd=world.project).stdout.strip())
    done = world.run("plain", "--check")
    assert done.exit_code == 0, done.explain()


def test_a_damaged_wheel_is_fetched_again(world: World) -> None:
    for wheel in (world.lpack.store / "v1/wheels").glob("*/*.whl"):
        wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    done = world.run("plain", "--check")
    assert done.exit_code == 0, done.explain()
