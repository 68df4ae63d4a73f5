import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.utils import NormalizedName, canonicalize_name
from support.wheel_builder import build_wheel

from packager.errors import CannotBuild
from packager.runtime.catalog import load_catalog
from packager.runtime.targets import runtime_names
from packager.verify.interpreter import Interpreter
from packager.verify.runtime_folder import install_runtime, runtime_requirements

OWN = Interpreter(executable=sys.executable, version="3")
SDK = ["boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six"]


def names(*given: str) -> set[NormalizedName]:
    return {canonicalize_name(name) for name in given}


@pytest.mark.parametrize("runtime", runtime_names())
def test_every_runtime_has_its_client_and_its_sdk(runtime: str) -> None:
    catalog = load_catalog(runtime)
    lines = {r.name: str(r.specifier) for r in runtime_requirements(catalog, bundled=())}
    assert {"awslambdaric", "simplejson", *SDK} <= lines.keys()
    assert not {"pip", "setuptools"} & lines.keys()
    for name in SDK:
        version = catalog.packages[canonicalize_name(name)].version
        assert lines[name] == (f"=={version}" if version else "")
    assert not lines["awslambdaric"].startswith("==")


def test_an_sdk_that_is_bundled_as_a_whole_is_not_wanted() -> None:
    catalog = load_catalog("python3.13")
    whole = {r.name for r in runtime_requirements(catalog, bundled=names(*SDK, "requests"))}
    assert whole == {"awslambdaric", "simplejson", "snapshot-restore-py"}
    partly = {r.name for r in runtime_requirements(catalog, bundled=names(*SDK[1:]))}
    assert set(SDK) <= partly


def test_the_folder_holds_what_the_wheels_ship(tmp_path: Path) -> None:
    wheel = build_wheel(
        tmp_path,
        "thing",
        "1.0",
        files={
            "thing/__init__.py": b"X = 1\n",
            "thing-1.0.data/purelib/more.py": b"",
            "thing-1.0.data/scripts/thing": b"#!python\n",
            "thing-1.0.data/headers/thing.h": b"",
            "thing/template.py": b"{{ no python }}\n",
        },
    )
    folder = tmp_path / "store" / "ab" / "abc"
    install_runtime([wheel], folder, interpreter=OWN)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    sources = {name for name in found if "__pycache__" not in name and ".dist-info" not in name}
    assert sources == {"thing/__init__.py", "more.py", "thing/template.py"}
    tag = sys.implementation.cache_tag
    assert {f"thing/__pycache__/__init__.{tag}.pyc", f"__pycache__/more.{tag}.pyc"} <= found
    # The flags of PEP 552 in the second word: unchecked hash.
    cached = (folder / f"thing/__pycache__/__init__.{tag}.pyc").read_bytes()
    assert int.from_bytes(cached[4:8], "little") == 1
    code = "import sys; sys.path.insert(0, sys.argv[1]); import thing; print(thing.X)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
    assert [path.name for path in folder.parent.iterdir()] == ["abc"]


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "abc"
    folder.mkdir()
    install_runtime([tmp_path / "not-there.whl"], folder, interpreter=OWN)
    assert list(folder.iterdir()) == []


def test_a_broken_wheel_leaves_nothing(tmp_path: Path) -> None:
    good = build_wheel(tmp_path, "good", "1.0")
    bad = tmp_path / "bad-1.0-py3-none-any.whl"
    bad.write_bytes(good.read_bytes()[:-30])
    folder = tmp_path / "store" / "abc"
    with pytest.raises(CannotBuild, match=r"bad-1\.0"):
        install_runtime([good, bad], folder, interpreter=OWN)
    assert list(folder.parent.iterdir()) == []


def test_several_at_once_agree(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "thing", "1.0")
    folder = tmp_path / "store" / "abc"
    with ThreadPoolExecutor(3) as threads:
        jobs = [threads.submit(install_runtime, [wheel], folder, interpreter=OWN) for _ in range(3)]
        for job in jobs:
            job.result()
    assert (folder / "thing.py").is_file()
    assert [path.name for path in folder.parent.iterdir()] == ["abc"]
