"""After a change of the user's code: the settings are not read again, and nothing is missed."""

import time
import zipfile
from pathlib import Path

import pytest
from support.build_world import SETTLING_SECONDS, BuildWorld

from packager.cli.packing import packed, unpacked
from packager.model.budget import Budgets
from packager.model.build import BuildOptions
from packager.model.project import Function, Guess

FUNCTION = Function(
    name="api",
    root=Path("/a"),
    handler="app.handler",
    runtime="python3.13",
    architecture="arm64",
    kind="lambda",
    sources=(Path("/a/app.py"),),
    requirements=("project",),
    services=(("botocore", ("s3", "sts")),),
    budgets=Budgets(zip=3),
    guesses=(Guess("source", ".", "because"),),
)
OTHER = 'handler = "other.handler"\nsource = ["other.py"]\n'


@pytest.fixture
def settled(world: BuildWorld) -> BuildWorld:
    (world.project / "dist").mkdir()
    world.settle()
    return world


@pytest.fixture
def settled_alone(lone_world: BuildWorld) -> BuildWorld:
    """The same over a store of its own, for tests that damage it."""
    (lone_world.project / "dist").mkdir()
    lone_world.settle()
    return lone_world


def modules_of(world: BuildWorld) -> set[str]:
    """Build once more and tell which modules that took."""
    done = world.build(env={"PYTHONPROFILEIMPORTTIME": "1"})
    lines = done.stderr.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def in_zip(world: BuildWorld, name: str) -> bytes:
    with zipfile.ZipFile(world.zip) as archive:
        assert archive.testzip() is None
        return archive.read(name)


def change(path: Path, text: str) -> None:
    """Edit a file and wait until its date tells the edit from the next one."""
    path.write_text(text)
    time.sleep(SETTLING_SECONDS)


def test_nouns_survive_packing() -> None:
    assert unpacked(packed(FUNCTION)) == FUNCTION
    assert unpacked(packed(BuildOptions(frozen=True))) == BuildOptions(frozen=True)
    with pytest.raises(TypeError):
        packed(object())
    with pytest.raises(ValueError, match="nouns"):
        unpacked({"noun": ["subprocess", "Popen"], "fields": ["true"]})


def test_the_users_code_alone_needs_no_configuration(settled: BuildWorld) -> None:
    change(settled.project / "app.py", "MORE = 1\ndef handler(event, context):\n    return 3\n")
    modules = modules_of(settled)
    assert "packager.cli.again" in modules
    assert modules.isdisjoint({"click", "tomllib", "packager.inputs.configuration"})
    assert b"return 3" in in_zip(settled, "app.py")


def test_an_editor_that_renames_is_no_new_file(settled: BuildWorld) -> None:
    other = settled.write("app.new", "def handler(event, context):\n    return 4\n")
    other.replace(settled.project / "app.py")
    time.sleep(SETTLING_SECONDS)
    assert "click" not in modules_of(settled)
    assert b"return 4" in in_zip(settled, "app.py")


def test_the_zip_is_that_of_a_whole_build(settled: BuildWorld) -> None:
    change(settled.project / "app.py", "def handler(event, context):\n    return 5\n")
    again = settled.build()
    data, manifest = settled.zip.read_bytes(), settled.manifest
    for path in settled.lpack.store.glob("v1/prefixes/*/*"):
        path.unlink()
    for path in settled.lpack.store.glob("v1/stamps/*/*"):
        path.unlink()
    whole = settled.build()
    assert (settled.zip.read_bytes(), settled.manifest) == (data, manifest)
    assert whole.stdout == again.stdout


def test_a_handler_that_went_away_is_noticed(settled: BuildWorld) -> None:
    change(settled.project / "app.py", "def other(event, context):\n    return 1\n")
    done = settled.run()
    assert done.exit_code == 2, done.explain()
    assert "has no `handler`" in done.stderr


def test_settings_and_requirements_are_noticed(settled: BuildWorld) -> None:
    change(settled.project / "app.py", "def handler(event, context):\n    return 6\n")
    change(settled.project / "requirements.txt", "beta\n")
    settled.build()
    assert {d["name"] for d in settled.manifest["distributions"]} == {"beta", "gamma"}
    path = settled.project / "pyproject.toml"
    change(path, path.read_text().replace("x86_64", "arm64"))
    settled.build()
    assert settled.manifest["target"]["architecture"] == "arm64"


def test_a_secret_written_into_a_known_file_is_noticed(settled: BuildWorld) -> None:
    key = "AKIA" + "QWERTYUIOPASDFGH"
    change(settled.project / "pkg" / "helper.py", f"KEY = {key!r}\n")
    done = settled.run()
    assert done.exit_code == 2, done.explain()
    assert "an AWS access key" in done.stderr


def test_a_damaged_payload_is_made_again(settled_alone: BuildWorld) -> None:
    good = settled_alone.zip.read_bytes()
    for path in settled_alone.lpack.store.glob("v1/payloads/*/*.zip"):
        data = bytearray(path.read_bytes())
        data[40] ^= 1
        path.write_bytes(data)
    settled_alone.zip.unlink()
    done = settled_alone.build()
    assert settled_alone.zip.read_bytes() == good
    assert "was damaged" in done.stderr


@pytest.mark.parametrize("how", ["bytes", "gone"])
def test_a_damaged_memory_costs_only_time(settled_alone: BuildWorld, how: str) -> None:
    good = settled_alone.zip.read_bytes()
    remembered = list(settled_alone.lpack.store.glob("v1/prefixes/*/*.bin"))
    assert remembered
    for path in remembered:
        if how == "gone":
            path.unlink()
        else:
            data = bytearray(path.read_bytes())
            data[-5] ^= 1
            path.write_bytes(data)
    settled_alone.zip.unlink()
    settled_alone.build()
    assert settled_alone.zip.read_bytes() == good


def test_two_functions_only_the_changed_one_is_built(world: BuildWorld) -> None:
    (world.project / "dist").mkdir()
    path = world.project / "pyproject.toml"
    text = path.read_text()
    world.write("other.py", "def handler(event, context):\n    return 1\n")
    path.write_text(f"{text}\n[tool.lpack.functions.other]\n{OTHER}")
    world.settle()
    other = world.project / "dist" / "other.zip"
    before = other.stat().st_ino, world.output()
    change(world.project / "other.py", "def handler(event, context):\n    return 2\n")
    done = world.build()
    assert "click" not in done.stderr
    assert world.output() == before[1]
    assert other.stat().st_ino != before[0]
    # The text is that of both, in their order.
    assert done.stdout.index("api.zip") < done.stdout.index("other.zip")
    assert world.build().stdout == done.stdout
