"""What the runtime has itself, as a folder in the store: from hashed wheels, verifiable."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.index_server import IndexServer
from support.wheel_builder import build_wheel

from packager.model.progress import NullReporter
from packager.model.requirement import IndexSettings
from packager.pipeline.runtime import SandboxOptions, runtime_folder
from packager.runtime.targets import load_target
from packager.verify.interpreter import Interpreter
from packager.wheels.store import Store
from packager.wheels.store_keeping import prune_store, verify_store

OWN = Interpreter(executable=sys.executable, version="3")
CAPTURE = {
    "format": "lpack-runtime-catalog",
    "version": 1,
    "runtime": "python3.13",
    "architecture": "x86_64",
    "captured": "2026-11-01",
    "packages": [{"name": "six", "version": "1.16.0", "requires": []}],
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    folder = tmp_path_factory.mktemp("index")
    client = build_wheel(folder, "awslambdaric", "3.0", files={"awslambdaric.py": b"A = 1\n"})
    six = build_wheel(folder, "six", "1.16.0", files={"six.py": b"S = 1\n"})
    with IndexServer([client, six]) as server:
        yield server


def made(store: Store, index: IndexServer, folder: Path) -> Path:
    catalog = folder / "capture.json"
    catalog.write_text(json.dumps(CAPTURE), encoding="utf-8")
    return runtime_folder(
        {"distributions": []},
        load_target("python3.13", "x86_64"),
        OWN,
        store=Store(store.root),
        options=SandboxOptions(requested=IndexSettings(index_url=index.url), catalog=catalog),
        reporter=NullReporter(),
    )


def test_the_folder_is_verifiable_repairable_and_prunable(
    index: IndexServer, tmp_path: Path
) -> None:
    store = Store(tmp_path / "v1")
    folder = made(store, index, tmp_path)
    assert {path.name for path in folder.glob("*.py")} == {"awslambdaric.py", "six.py"}
    assert verify_store(store).damaged == ()
    (folder / "six.py").write_bytes(b"S = 2\n")
    assert [each.path for each in verify_store(store, repair=True).damaged] == [folder]
    assert not folder.exists()
    assert (made(store, index, tmp_path) / "six.py").read_bytes() == b"S = 1\n"
    assert verify_store(store).damaged == ()
    (folder / "more.py").write_bytes(b"")
    assert [each.path for each in verify_store(store).damaged] == [folder]
    assert folder in [each.path for each in prune_store(store, keep_bytes=0, spare_seconds=0)]
    assert list((store.root / "tmp").iterdir()) == []


def test_a_wheel_that_the_disk_altered_is_not_installed(index: IndexServer, tmp_path: Path) -> None:
    store = Store(tmp_path / "v1")
    folder = made(store, index, tmp_path)
    wheels = list(store.root.glob("wheels/*/*.whl"))
    assert len(wheels) == 2
    sound = {wheel: wheel.read_bytes() for wheel in wheels}
    for wheel in wheels:
        wheel.write_bytes(sound[wheel][:-1] + b"!")
    shutil.rmtree(folder)
    assert (made(store, index, tmp_path) / "six.py").read_bytes() == b"S = 1\n"
    assert {wheel: wheel.read_bytes() for wheel in wheels} == sound
