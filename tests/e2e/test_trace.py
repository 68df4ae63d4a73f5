"""`lpack trace`, a traced build, a miss, and the trace again: with the real command."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import sandbox_world
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner

pytestmark = pytest.mark.index

TARGET = sandbox_world.TARGET
APP = """
import idna

def handler(event, context):
    if "fail" in event:
        raise ValueError(event["fail"])
    return idna.encode(event["text"], uts46=event.get("uts46", False)).decode()
"""
PLAIN, MISSING = '{"text": "abc"}', '{"text": "Bücher", "uts46": true}'


class World:
    """One project with a dependency of which most is rarely used."""

    def __init__(self, folder: Path, lpack: LpackRunner, index: IndexServer) -> None:
        runtime, architecture = TARGET.split("-")
        files = {
            "lpack.toml": f'runtime = "{runtime}"\narchitecture = "{architecture}"\n'
            '[functions.api]\nhandler = "app.handler"\n',
            "requirements.txt": "idna\n",
            "app.py": APP,
        }
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        self.folder, self.lpack, self.index = folder, lpack, index

    def run(self, *arguments: str, code: int = 0, after: tuple[str, ...] = ()) -> Finished:
        done = self.lpack.run(
            *(arguments[0], "--index-url", self.index.url, *arguments[1:], *after),
            cwd=self.folder,
        )
        assert done.exit_code == code, done.explain()
        assert "this is a bug in lpack" not in done.stderr, done.explain()
        return done

    def trace(self) -> dict[str, Any]:
        text = (self.folder / ".lpack-trace.json").read_text()
        assert str(self.folder) not in text
        found: dict[str, Any] = json.loads(text)
        return found

    def files(self) -> list[str]:
        [idna] = self.trace()["distributions"]
        found: list[str] = idna["files"]
        return found

    def size(self) -> int:
        return (self.folder / "dist" / "api.zip").stat().st_size


@pytest.fixture
def world(
    tmp_path: Path, shared_lpack: LpackRunner, real_index: Callable[[str], IndexServer]
) -> World:
    sandbox_world.interpreter()
    world = World(tmp_path / "project", shared_lpack, real_index(TARGET))
    world.run("build")
    return world


def test_traced_missed_and_traced_again(world: World) -> None:
    whole = world.size()
    done = world.run("trace", "--event", PLAIN)
    assert "MiB  idna " in done.stdout
    assert world.trace()["runs"] == 1
    assert "idna/core.py" in world.files()
    assert "idna/uts46data.py" not in world.files()

    world.run("build", "--slim", "traced")
    assert world.size() < whole
    world.run("verify")
    for event, answer, lines in (
        (PLAIN, "abc", 0),
        (MISSING, "xn--bcher-kva", 1),
    ):
        done = world.run("invoke", event)
        assert json.loads(done.stdout) == answer
        assert done.stderr.count("lpack: restored idna ") == lines
    assert "because idna.uts46data was imported; run lpack trace again" in done.stderr

    world.run("trace", "--event", MISSING)
    assert world.trace()["runs"] == 2
    assert {"idna/core.py", "idna/uts46data.py"} <= set(world.files())
    world.run("build", "--slim", "traced")
    done = world.run("invoke", MISSING)
    assert json.loads(done.stdout) == "xn--bcher-kva"
    assert "lpack: restored" not in done.stderr


def test_several_events_are_one_trace_and_replace_begins_anew(world: World) -> None:
    world.run("trace", "--event", PLAIN, "--event", MISSING)
    assert world.trace()["runs"] == 2
    assert "idna/uts46data.py" in world.files()
    world.run("trace", "--event", PLAIN, "--replace")
    assert world.trace()["runs"] == 1
    assert "idna/uts46data.py" not in world.files()


def test_a_test_command_is_traced(world: World) -> None:
    python = sandbox_world.interpreter().executable
    code = "import idna; print(idna.__file__); idna.encode('Bücher', uts46=True)"
    done = world.run("trace", after=("--", python, "-c", code))
    assert "/task/idna/__init__.py" in done.stderr
    assert "idna/uts46data.py" in world.files()


def test_what_failed_is_not_written_unless_asked_for(world: World) -> None:
    path = world.folder / ".lpack-trace.json"
    done = world.run("trace", "--event", '{"fail": "no luck"}', code=1)
    assert "event 1 failed" in done.stderr
    assert "no luck" in done.stderr
    assert not path.exists()
    world.run("trace", "--event", '{"fail": "no luck"}', "--allow-failure", code=1)
    assert path.exists()
    path.unlink()
    python = sandbox_world.interpreter().executable
    done = world.run("trace", after=("--", python, "-c", "raise SystemExit(3)"), code=1)
    assert "ended with 3" in done.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("trace",), "nothing is to be traced"),
        (("trace", "--event", "{no"), "`{no` is neither JSON nor a file"),
        (("trace", "--", "/bin/true"), "ran no Python that reads PYTHONPATH"),
    ],
)
def test_usage(world: World, arguments: tuple[str, ...], said: str) -> None:
    done = world.lpack.run(
        *("trace", "--index-url", world.index.url, *arguments[1:]), cwd=world.folder
    )
    assert done.exit_code == 2, done.explain()
    assert said in done.stderr
    assert not os.path.lexists(world.folder / ".lpack-trace.json")


def test_another_file_is_not_overwritten(world: World) -> None:
    path = world.folder / ".lpack-trace.json"
    for text in ("not JSON", "{}", '{"schema_version": 1}'):
        path.write_text(text)
        done = world.run("trace", "--event", PLAIN, code=2)
        assert "cannot read `.lpack-trace.json`" in done.stderr
        assert "hint: lpack trace --replace" in done.stderr
        assert path.read_text() == text


def test_what_is_in_layers_is_not_traced(world: World) -> None:
    (world.folder / "lpack.toml").write_text(
        (world.folder / "lpack.toml").read_text() + '[layers.deps]\ndistributions = ["idna"]\n'
    )
    world.run("build")
    done = world.run("trace", "--event", PLAIN, code=2)
    assert "`api` has all its distributions in layers or archives" in done.stderr
    assert "hint: set `layers = []`" in done.stderr
    assert not (world.folder / ".lpack-trace.json").exists()
