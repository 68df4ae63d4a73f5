"""What others wrote is refused as no JSON or TOML, in whatever way a parser gives up on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click import Command, Context, Option
from support.functions import make_function

from packager.cli.baselines import read_saved
from packager.cli.completion import distributions, functions
from packager.cli.invoke import read_event
from packager.cli.manifests import read_manifest
from packager.cli.plan_settings import configuration_place
from packager.errors import CannotBuild, UsageError
from packager.inputs.attested import attested_as
from packager.inputs.documents import load_toml
from packager.inputs.layer_files import read_layer
from packager.lock.lockfile import parse_lock
from packager.model.layer import LayerReference
from packager.parsing import parse_json, parse_toml
from packager.pipeline.payloads import read_trace
from packager.pipeline.times import read_times
from packager.registry.access import word_of
from packager.registry.docker_config import find_login
from packager.registry.layout import read_layout
from packager.runtime.catalog import read_captured_catalog
from packager.verify.image_layout import open_layout

_DIGITS = "9" * 5000
JSON = {
    "cut": '{"a": ',
    "digits": f'{{"schema_version": {_DIGITS}}}',
    "nested": "[" * 100_000,
    "nested objects": '{"a":' * 100_000,
}
TOML = {"cut": "a = [", "digits": f"a = {_DIGITS}", "nested": "a = " + "[" * 5_000}


def _in(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _layer(folder: Path, text: str) -> object:
    reference = LayerReference("own", _in(folder, "own.lpack.json", text))
    return read_layer(reference, runtime="python3.13", architecture="x86_64")


def _registry_layout(folder: Path, text: str) -> object:
    _in(folder, "index.json", text)
    return read_layout(folder, architecture=None, tag=None, refusal=CannotBuild)


def _login(folder: Path, text: str) -> object:
    _in(folder, "docker/config.json", text)
    return find_login("registry.test")


REFUSING: dict[str, Callable[[Path, str], object]] = {
    "baseline": lambda folder, text: read_saved(_in(folder, "baseline.json", text)),
    "event": lambda folder, text: read_event(str(_in(folder, "event.json", text))),
    "manifest": lambda folder, text: read_manifest(_in(folder, "a.lpack.json", text)),
    "layer": _layer,
    "trace": lambda folder, text: read_trace(
        make_function(folder)._replace(trace=_in(folder, "trace.json", text))
    ),
    "docker's configuration": _login,
    "image layout": _registry_layout,
    "own image layout": lambda folder, text: open_layout(_in(folder, "index.json", text).parent),
    "catalog": lambda folder, text: read_captured_catalog(_in(folder, "catalog.json", text)),
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
@pytest.mark.parametrize("reader", REFUSING)
def test_a_broken_json_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, text: str
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with pytest.raises((UsageError, CannotBuild)) as caught:
        REFUSING[reader](tmp_path, text)
    assert "digits; use sys" not in caught.value.message


@pytest.mark.parametrize("text", TOML.values(), ids=TOML)
def test_broken_toml_is_refused(tmp_path: Path, text: str) -> None:
    path = _in(tmp_path, "pyproject.toml", text)
    with pytest.raises(UsageError, match="TOML"):
        load_toml(path, tmp_path)
    with pytest.raises(UsageError, match="TOML"):
        configuration_place(tmp_path, "api")
    with pytest.raises(UsageError, match="TOML"):
        parse_lock(text, origin="pylock.toml")


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
def test_what_only_helps_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _in(tmp_path, "dist/a.lpack.json", text)
    _in(tmp_path, "lpack.toml", TOML["nested"])
    monkeypatch.chdir(tmp_path)
    assert word_of(text.encode()) == ""
    assert read_times(text) is None
    context, parameter = Context(Command("why")), Option(["--function"])
    assert distributions(context, parameter, "") == []
    assert functions(context, parameter, "") == ["a"]
    with pytest.raises(ValueError, match="not JSON"):
        attested_as(text.encode(), filename="a-1-py3-none-any.whl", sha256="0" * 64)


def test_the_reasons_are_about_the_document() -> None:
    with pytest.raises(ValueError, match=r"^a number in it has thousands of digits$"):
        parse_json(JSON["digits"])
    with pytest.raises(ValueError, match=r"^it is nested too deeply$"):
        parse_json(JSON["nested"])
    with pytest.raises(ValueError, match=r"^a number in it has thousands of digits$"):
        parse_toml(TOML["digits"])
    with pytest.raises(ValueError, match=r"^it is nested too deeply$"):
        parse_toml(TOML["nested"])
    with pytest.raises(UnicodeDecodeError):
        parse_json(b"\xff\xff\xff")
