"""What is in artifacts that lpack never saw: owners, sizes and edges, against other readers."""

import importlib
import json
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
from support.fixture_wheels import CHECKOUT
from support.image_layout import layer_tar, write_docker_archive, write_layout
from support.wheel_builder import build_wheel, render_metadata, render_record_file

from packager.errors import UsageError
from packager.pipeline.inspection import inspect_artifact, inspecting


def installed(
    name: str,
    version: str,
    files: Mapping[str, bytes],
    requires: tuple[str, ...] = (),
    *,
    root: str = "",
    record: bool = True,
    asked_for: bool = False,
) -> dict[str, bytes]:
    """What an installer leaves behind of one distribution."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    found = {**files, f"{info}/METADATA": render_metadata(name, version, list(requires))}
    if record:
        found[f"{info}/RECORD"] = render_record_file(found, f"{info}/RECORD")
    if asked_for:
        found[f"{info}/REQUESTED"] = b""
    return {root + path: data for path, data in found.items()}


def zip_of(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


THREE = {
    **installed(
        "top", "1.0", {"top/__init__.py": b"import below\n" * 9}, ("below>=1", "not-there"),
        asked_for=True,
    ),
    **installed("below", "2.0", {"below/__init__.py": b"x = 1\n", "below/data.json": b"{}" * 500}),
    **installed("alone", "3.0", {"alone.py": b"y = 2\n"}, ('below; extra == "more"',)),
    "app.py": b"import top\n",
    "__pycache__/alone.cpython-313.pyc": b"pyc",
    "below/unlisted.txt": b"left behind by an installer\n",
}  # fmt: skip


def owners(path: Path) -> dict[str, set[str]]:
    manifest = inspect_artifact(path)
    found = {each["name"]: {row[0] for row in each["files"]} for each in manifest["distributions"]}
    return found | {"": {row[0] for row in manifest["code"]["files"]}}


def test_every_file_has_one_owner_and_every_byte_is_counted(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "f.zip", THREE)
    manifest = inspect_artifact(path)
    artifact, parts = manifest["artifact"], [*manifest["distributions"], manifest["code"]]
    assert sum(part["compressed_bytes"] for part in parts) + 22 == path.stat().st_size
    assert artifact["overhead_bytes"] == 22
    assert sum(part["entries"] for part in parts) == artifact["entries"] == len(THREE)
    with zipfile.ZipFile(path) as archive:
        stated = {i.filename: [i.file_size, i.compress_size, i.CRC] for i in archive.infolist()}
    assert {row[0]: row[1:4] for part in parts for row in part["files"]} == stated


def test_owners_are_those_of_the_metadata_and_of_the_package_around(tmp_path: Path) -> None:
    found = owners(zip_of(tmp_path / "f.zip", THREE))
    assert found[""] == {"app.py"}
    assert "below/unlisted.txt" in found["below"]
    assert "__pycache__/alone.cpython-313.pyc" in found["alone"]


def test_who_requires_whom_and_what_would_leave(tmp_path: Path) -> None:
    manifest = inspect_artifact(zip_of(tmp_path / "f.zip", THREE))
    by_name = {each["name"]: each for each in manifest["distributions"]}
    edges = {name: [e["parent"] for e in each["required_by"]] for name, each in by_name.items()}
    # An extra of `alone` asks for `below` too; `top` explains it already.
    assert edges == {"top": [""], "below": ["top"], "alone": [""]}
    assert by_name["below"]["required_by"][0]["requirement"] == "below>=1"
    whole = by_name["top"]["uncompressed_bytes"] + by_name["below"]["uncompressed_bytes"]
    assert by_name["top"]["retained_uncompressed_bytes"] == whole


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [("python/", "layer"), ("python/lib/python3.12/site-packages/", "layer"), ("", "zip")],
)
def test_layers_are_told_by_their_folders(tmp_path: Path, prefix: str, kind: str) -> None:
    files = {prefix + name: data for name, data in THREE.items()}
    manifest = inspect_artifact(zip_of(tmp_path / "l.zip", files))
    assert manifest["artifact"]["kind"] == kind
    assert [each["name"] for each in manifest["distributions"]] == ["alone", "below", "top"]
    if "3.12" in prefix:
        assert manifest["target"]["runtime"] == "python3.12"


def test_wheels_and_folders(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "demo", "1.0", files={"demo/__init__.py": b"x = 1\n"})
    manifest = inspect_artifact(wheel)
    assert manifest["artifact"]["kind"] == "wheel"
    assert [each["name"] for each in manifest["distributions"]] == ["demo"]
    assert manifest["code"]["files"] == []
    shutil.unpack_archive(wheel, tmp_path / "folder", "zip")
    folder = inspect_artifact(tmp_path / "folder")
    assert folder["artifact"]["kind"] == "folder"
    assert folder["artifact"]["compressed_bytes"] == 0
    sizes = [each["uncompressed_bytes"] for each in (manifest["artifact"], folder["artifact"])]
    assert sizes[0] == sizes[1] > 0


def test_without_metadata_names_are_guessed_and_said_to_be(tmp_path: Path) -> None:
    files = {
        "requests/__init__.py": b"from .__version__ import __version__\n",
        "requests/__version__.py": b'__version__ = "2.31.0"\n',
        "yaml/__init__.py": b"__version__ = '6.0.1'\n",
        "six.py": b"x = 1\n",
        "utils/__init__.py": b"",
        "certifi/cacert.pem": b"no code, so no package",
        "handler.py": b"import requests\n",
    }
    manifest = inspect_artifact(zip_of(tmp_path / "f.zip", files))
    found = {
        each["name"]: (each["version"], each["evidence"]) for each in manifest["distributions"]
    }
    assert found == {
        "pyyaml": ("6.0.1", "guess"), "requests": ("2.31.0", "guess"), "six": ("", "guess"),
    }  # fmt: skip
    code = {row[0] for row in manifest["code"]["files"]}
    assert code == {"utils/__init__.py", "certifi/cacert.pem", "handler.py"}


def test_egg_info_and_a_missing_record(tmp_path: Path) -> None:
    files = {
        "old/__init__.py": b"",
        "old-1.0-py3.11.egg-info/PKG-INFO": b"Metadata-Version: 1.0\nName: Old\nVersion: 1.0\n",
        "old-1.0-py3.11.egg-info/top_level.txt": b"old\n",
        **installed("bare", "1", {"bare/__init__.py": b"", "bare/sub/x.so": b"1"}, record=False),
    }
    found = owners(zip_of(tmp_path / "f.zip", files))
    assert "old/__init__.py" in found["old"]
    assert {"bare/__init__.py", "bare/sub/x.so"} <= found["bare"]


LAYERS = [
    layer_tar({"usr/lib64/libc.so.6": b"c" * 999, "var/task/gone.py": b"1", "var/task/d/e": b"2"}),
    layer_tar(
        installed("top", "1.0", {"top/__init__.py": b"x"}, root="opt/python/")
        | {"var/task/app.py": b"def f(): pass\n", "srv/app/own.py": b"12345"}
    ),
    layer_tar({"var/task/.wh.gone.py": b"", "var/task/d/.wh..wh..opq": b"", "var/task/d/f": b"3"}),
]


def test_image_layers_lie_on_each_other(tmp_path: Path) -> None:
    config = {"Cmd": ["app.f"], "Env": ["A=b"]}
    layout = write_layout(tmp_path / "layout", LAYERS, config=config)
    manifest = inspect_artifact(layout)
    assert {row[0] for row in manifest["code"]["files"]} == {"var/task/app.py", "var/task/d/f"}
    assert [each["name"] for each in manifest["distributions"]] == ["top"]
    assert manifest["function"]["handler"] == "app.f"
    assert manifest["target"]["architecture"] == "arm64"
    assert manifest["image"]["base_entries"] == 2
    assert manifest["image"]["base_uncompressed_bytes"] == 999 + 5
    assert manifest["limits"][0]["name"] == "image"
    blobs = sum(blob["compressed_bytes"] for blob in manifest["image"]["blobs"])
    assert blobs == manifest["artifact"]["compressed_bytes"]


def test_zstd_layers(tmp_path: Path) -> None:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    pack = importlib.import_module(name).compress
    packed = inspect_artifact(write_layout(tmp_path / "zstd", LAYERS, pack=pack))
    plain = inspect_artifact(write_layout(tmp_path / "plain", LAYERS, pack=lambda layer: layer))
    assert packed["code"]["files"][0][0] == plain["code"]["files"][0][0] == "var/task/app.py"
    for owner in ("code", "artifact"):
        sizes = [each[owner]["uncompressed_bytes"] for each in (packed, plain)]
        assert sizes[0] == sizes[1]


def test_docker_archives_and_the_working_directory(tmp_path: Path) -> None:
    manifest = inspect_artifact(write_docker_archive(tmp_path / "i.tar", LAYERS))
    code = {row[0] for row in manifest["code"]["files"]}
    assert code == {"var/task/app.py", "var/task/d/f", "srv/app/own.py"}
    assert manifest["target"]["architecture"] == "x86_64"


def test_files_of_an_image_can_be_read(tmp_path: Path) -> None:
    big = bytes(range(256)) * 4000
    tar = layer_tar({"var/task/big.bin": big, "var/task/app.py": b"1\n"})
    with inspecting(write_layout(tmp_path / "layout", [tar])) as inspection:
        files = {file.path: file for file in inspection.opened.found.files}
        assert inspection.opened.read(files["var/task/big.bin"], 8) == big[:8]
        with inspection.opened.spool(files["var/task/big.bin"]) as stream:
            assert stream.read() == big


def test_what_is_derived_has_the_keys_of_a_manifest(tmp_path: Path) -> None:
    manifest = inspect_artifact(zip_of(tmp_path / "f.zip", THREE))
    schema = json.loads((CHECKOUT / "packager/report/manifest.schema.json").read_text())
    assert set(schema["required"]) <= manifest.keys()
    limit = schema["properties"]["limits"]
    jsonschema.validate(manifest["limits"], {**limit, "$defs": schema["$defs"]})
    for name in ("function", "target"):
        jsonschema.validate(manifest[name], schema["properties"][name])


def test_runtime_and_architecture_can_be_told(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "f.zip", {"m.cpython-311-aarch64-linux-gnu.so": b""})
    guessed = inspect_artifact(path)
    assert guessed["target"]["runtime"] == "python3.11"
    assert guessed["target"]["architecture"] == "arm64"
    told = inspect_artifact(path, runtime="python3.13", architecture="x86_64")
    assert told["target"]["runtime"] == "python3.13"
    with pytest.raises(UsageError, match="unknown runtime"):
        inspect_artifact(path, runtime="python2.7")
