"""What a report finds, one case for each kind, with the bytes that are promised."""

import importlib.util
import io
import marshal
import struct
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.build_world import LIBRARY
from support.bundles import compile_library
from support.report_world import DATE, add
from support.wheel_builder import render_metadata, render_record_file

from packager.inspect.codes import load_codes
from packager.pipeline.report import ReportOptions, report_artifact

SOURCE = b"VALUE = 1\n"
X86_64, ARM = 62, 183
Findings = dict[str, list[dict[str, Any]]]


def installed(name: str, version: str, *requires: str, **files: bytes) -> dict[str, bytes]:
    """A distribution with one package; `files` are more of it, `_` stands for a dot."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    own = {f"{name.replace('-', '_')}/__init__.py": SOURCE, **files}
    own[f"{info}/METADATA"] = render_metadata(name, version, list(requires))
    return own | {f"{info}/RECORD": render_record_file(own, f"{info}/RECORD")}


def zip_of(folder: Path, *parts: Mapping[str, bytes]) -> Path:
    path = folder / "function.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in parts:
            for name, data in part.items():
                add(archive, name, data)
    return path


def findings(path: Path, *, deep: bool = False, runtime: str = "python3.13") -> Findings:
    options = ReportOptions(runtime=runtime, architecture="x86_64", deep=deep)
    found: Findings = {}
    for finding in report_artifact(path, options=options)["findings"]:
        found.setdefault(finding["code"], []).append(finding)
    return found


def contribution(name: str, data: bytes) -> int:
    """What a stored member adds: both headers, the name twice, the bytes."""
    return 30 + 46 + 2 * len(name.encode()) + len(data)


def test_every_code_says_what_it_means() -> None:
    names = [each.name for each in load_codes()]
    assert len(names) == len(set(names))
    assert all(each.meaning for each in load_codes())


def test_stubs_and_headers_leave_with_exact_bytes(tmp_path: Path) -> None:
    extra = {"demo/api.pyi": b"x: int\n", "demo/include/a.h": b"#define A\n" * 9}
    found = findings(zip_of(tmp_path, installed("demo", "1", **extra)))["LP502"]
    by_rule = {each["message"].partition(":")[0]: each for each in found}
    for rule, name in (("type-stubs", "demo/api.pyi"), ("headers", "demo/include/a.h")):
        assert by_rule[rule]["paths"] == [name]
        assert by_rule[rule]["saves_uncompressed_bytes"] == len(extra[name])
        assert by_rule[rule]["saves_compressed_bytes"] == contribution(name, extra[name])


def test_your_own_headers_and_stubs_are_yours(tmp_path: Path) -> None:
    assert findings(zip_of(tmp_path, {"app.py": b"", "own.pyi": b"x", "own.h": b"y"})) == {}


def bytecode(source: bytes, *, dated: int | None = None) -> bytes:
    """Bytecode of this Python: with a date, or hash-based and unchecked (PEP 552)."""
    code = marshal.dumps(compile(source, "x.py", "exec"))
    if dated is None:
        digest = importlib.util.source_hash(source)
        return importlib.util.MAGIC_NUMBER + struct.pack("<I", 1) + digest + code
    head = struct.pack("<3I", 0, dated, len(source))
    return importlib.util.MAGIC_NUMBER + head + code


def test_bytecode_is_dead_by_its_date_alone(tmp_path: Path) -> None:
    """zip has the date of DATE; bytecode of the same date, or by hash, is alive."""
    tag = f"cpython-{sys.version_info.major}{sys.version_info.minor}"
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    alive = 1_767_323_046  # 2026-01-02 03:04:06 UTC
    assert DATE == (2026, 1, 2, 3, 4, 6)
    for data, dead in (
        (bytecode(SOURCE), False),
        (bytecode(SOURCE, dated=alive), False),
        (bytecode(SOURCE, dated=alive + 1), False),  # zips count in steps of two seconds
        (bytecode(SOURCE, dated=alive + 2), True),
        (bytecode(SOURCE + b"\n", dated=alive), True),
    ):
        name = f"demo/__pycache__/__init__.{tag}.pyc"
        path = zip_of(tmp_path, installed("demo", "1", **{name: data}))
        found = findings(path, runtime=runtime)
        assert ([each["paths"] for each in found.get("LP504", ())] == [[name]]) is dead


def test_copies_and_twins(tmp_path: Path) -> None:
    data = bytes(range(256)) * 40
    path = zip_of(tmp_path, {"a.bin": data, "b/c.bin": data, "small1": b"x", "small2": b"x"},
                  installed("demo", "1"))  # fmt: skip
    copies = findings(path)["LP505"][0]
    assert copies["paths"] == ["b/c.bin"]
    assert copies["saves_compressed_bytes"] == contribution("b/c.bin", data)
    other = {f"python/{name}": data for name, data in installed("demo", "2").items()}
    twins = findings(zip_of(tmp_path, installed("demo", "1"), other))["LP703"][0]
    assert "demo 1 in `.`" in twins["message"]
    assert "demo 2 in `python/`" in twins["message"]


@pytest.mark.parametrize(
    ("requirement", "code"),
    [
        ("other>=2", "LP702"),
        ("other>=1", None),
        ("absent", "LP701"),
        ("boto3", None),  # the runtime has it
        ("absent; extra == 'more'", None),
        ("absent; sys_platform == 'win32'", None),
        ("absent; python_version < '3'", None),
        ("not a requirement", None),
    ],
)
def test_requirements_within_the_artifact(
    tmp_path: Path, requirement: str, code: str | None
) -> None:
    path = zip_of(tmp_path, installed("demo", "1", requirement), installed("other", "1.5"))
    found = {each for each in findings(path) if each.startswith("LP70")}
    assert found == ({code} if code else set())


def test_listed_but_absent(tmp_path: Path) -> None:
    files = installed("demo", "1", **{"demo/data.json": b"{}"})
    del files["demo/data.json"]
    found = findings(zip_of(tmp_path, files))["LP704"][0]
    assert "`demo/data.json`" in found["message"]


def test_the_sdk_leaves_unless_something_forbids_it(tmp_path: Path) -> None:
    sdk = [
        installed("boto3", "1.40.0", "botocore<1.41,>=1.40", "jmespath"),
        installed("botocore", "1.40.0", "jmespath", "urllib3<3"),
        installed("jmespath", "1.0.1"),
        installed("urllib3", "2.5.0"),
    ]
    found = findings(zip_of(tmp_path, *sdk))["LP501"][0]
    gone = {path.partition("/")[0].partition("-")[0] for path in found["paths"]}
    assert gone == {"boto3", "botocore", "jmespath", "urllib3"}
    pinned = installed("mine", "1", "boto3==1.40.0")
    kept = findings(zip_of(tmp_path, *sdk, pinned))
    assert all("boto3" not in path for each in kept.get("LP501", ()) for path in each["paths"])


def for_machine(library: bytes, machine: int) -> bytes:
    """Say that a library is for another processor (e_machine of the ELF header)."""
    return library[:18] + struct.pack("<H", machine) + library[20:]


def test_native_files(tmp_path: Path) -> None:
    library = compile_library(tmp_path / "built" / "m.so")
    files = {
        "ext.cpython-313-aarch64-linux-gnu.so": for_machine(library, ARM),
        "old.cpython-39-x86_64-linux-gnu.so": for_machine(library, X86_64),
        "broken.so": b"\x7fELF" + b"\xff" * 60,
    }
    found = findings(zip_of(tmp_path, files))
    assert [each["path"] for each in found["LP601"]] == ["ext.cpython-313-aarch64-linux-gnu.so"]
    assert [each["path"] for each in found["LP606"]] == ["old.cpython-39-x86_64-linux-gnu.so"]
    assert "LP607" in found
    assert "LP609" not in found


def test_many_libraries_are_looked_at_by_their_heads(tmp_path: Path) -> None:
    library = compile_library(tmp_path / "built" / "m.so")
    files = {f"pkg/m{number}.so": for_machine(library, X86_64) for number in range(70)}
    files["pkg/arm.so"] = for_machine(library, ARM)
    path = zip_of(tmp_path, files)
    found = findings(path)
    assert "71 native files" in found["LP609"][0]["message"]
    assert [each["path"] for each in found["LP601"]] == ["pkg/arm.so"]
    deep = findings(path, deep=True)
    assert "LP609" not in deep
    assert [each["path"] for each in deep["LP601"]] == ["pkg/arm.so"]


def test_deep_tells_symbols_and_services(tmp_path: Path) -> None:
    services = {
        f"botocore/data/{name}/2020-01-01/service-2.json.gz": bytes(1000)
        for name in ("s3", "sqs", "ec2")
    }
    files = installed("botocore", "1.40.0", **services)
    files["app.py"] = b"import boto3\nclient = boto3.client('s3')\n"
    files["native.so"] = LIBRARY
    path = zip_of(tmp_path, files)
    assert not {"LP506", "LP507"} & findings(path).keys()
    deep = findings(path, deep=True)
    # The symbols are three fifths of it; what stripping gives is the build's own strip.
    assert 0 < deep["LP506"][0]["saves_uncompressed_bytes"] < len(LIBRARY)
    unused = deep["LP507"][0]
    assert unused["hint"] == 'services = { botocore = ["s3"] }'
    assert {path.split("/")[2] for path in unused["paths"]} == {"sqs", "ec2"}


def test_what_could_leave_counts_each_file_once(tmp_path: Path) -> None:
    stub = b"x: int\n" * 900
    sdk = installed("six", "1.16.0", **{"six/api.pyi": stub})
    path = zip_of(tmp_path, sdk, installed("demo", "1", "six"))
    document = report_artifact(path, options=ReportOptions(runtime="python3.13"))
    names = {each["code"]: set(each["paths"]) for each in document["findings"]}
    assert "six/api.pyi" in names["LP501"] & names["LP502"]
    assert document["could_save"]["files"] == len(names["LP501"] | names["LP502"])
    assert document["could_save"]["uncompressed_bytes"] == sum(map(len, sdk.values()))


def test_names_of_secrets_in_your_code_only(tmp_path: Path) -> None:
    files = {".env": b"A=1", "keys/id_rsa": b"k", "app.py": b"", ".env.example": b""}
    certificates = installed("demo", "1", **{"demo/cacert.pem": b"-----BEGIN CERTIFICATE-----"})
    found = findings(zip_of(tmp_path, files, certificates))["LP718"]
    assert {each["path"] for each in found} == {".env", "keys/id_rsa"}


def test_modules_that_shadow_and_start_files(tmp_path: Path) -> None:
    files = {"json/__init__.py": b"", "app.py": b"", "evil.pth": b"import os; os.getcwd()\n"}
    found = findings(zip_of(tmp_path, files))
    assert {"LP710", "LP711"} & found.keys()
    assert "LP715" in found


def test_nested_archives_are_told(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        add(archive, "x.py", b"")
    found = findings(zip_of(tmp_path, {"lib.whl": inner.getvalue()}))
    assert [each["path"] for each in found["LP719"]] == ["lib.whl"]
