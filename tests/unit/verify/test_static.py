"""The whole static check: deliberately wrong bundles, and real ones that must stay silent."""

import io
import platform
from pathlib import Path

import pytest
from support.bundles import bundle, compile_library, system_of, wheels_view
from support.fixture_wheels import TARGETS, WORKLOADS, wheels_for, workload_requirements

from packager.verify.libraries import read_libraries
from packager.verify.static import static_findings

HERE = "x86_64" if platform.machine() == "x86_64" else "arm64"


def wheel(target: str, name: str) -> Path:
    (found,) = [path for path in wheels_for(target) if path.name.startswith(name)]
    return found


@pytest.mark.index
@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("target", TARGETS)
def test_no_false_alarm(target: str, workload: str) -> None:
    wheels = wheels_for(target, requirements=workload_requirements(workload, target))
    with wheels_view(wheels) as view:
        assert len(view) > 100
        assert static_findings(view, system_of(target.replace("-", "/"))) == ()


@pytest.mark.index
@pytest.mark.parametrize(
    ("built_for", "name", "runtime", "sentence"),
    [
        ("python3.13-x86_64", "opencv_", "python3.11/x86_64", "needs glibc 2.2"),
        (
            "python3.13-x86_64",
            "numpy-",
            "python3.14/x86_64",
            "is built for Python 3.13: python3.14",
        ),
        ("python3.11-x86_64", "psycopg2_", "python3.13/x86_64", "is built for Python 3.11"),
        ("python3.13-arm64", "pydantic_core", "python3.13/x86_64", "is for aarch64 (64 bit)"),
        ("python3.13-x86_64", "pyarrow", "python3.13/arm64", "is for x86_64 (64 bit)"),
    ],
)
def test_a_wrong_wheel_is_caught(built_for: str, name: str, runtime: str, sentence: str) -> None:
    with wheels_view([wheel(built_for, name)]) as view:
        findings = static_findings(view, system_of(runtime))
    assert findings[0].level == "error"
    assert any(sentence in finding.message for finding in findings), findings
    # Whole packages are wrong here; a user reads of it in a handful of sentences.
    assert len(findings) <= 6


def test_a_missing_libgl_is_caught(tmp_path: Path) -> None:
    stub = tmp_path / "libGL.so.1"
    compile_library(stub, "-Wl,-soname,libGL.so.1")
    data = compile_library(tmp_path / "cv2.abi3.so", "-Wl,--no-as-needed", str(stub))
    files = {"cv2/cv2.abi3.so": data, "app.py": b""}
    (finding,) = static_findings(bundle(files), system_of(f"python3.13/{HERE}"), handler="app.run")
    assert finding.code == "missing-library"
    assert finding.hint == "require opencv-python-headless in place of opencv-python"


def test_the_worst_comes_first() -> None:
    files = bundle(
        {"secrets.py": b"", "a-nspkg.pth": b"import sys\n", "m.cpython-39-x86_64-linux-gnu.so": b""}
    )
    findings = static_findings(files, system_of("python3.13/x86_64"), handler="gone.handler")
    assert [finding.level for finding in findings] == ["error", "error", "warning", "note"]
    assert static_findings(files, system_of("python3.13/x86_64"))[0].code == "wrong-python-abi"


def test_damaged_files_are_findings(tmp_path: Path) -> None:
    def unreadable(_limit: int = -1) -> bytes:
        raise OSError("Bad CRC-32")

    whole = compile_library(tmp_path / "whole.so")
    files = [
        *bundle({"cut.so": whole[:80], "whole.so": whole, "text.so": b"INPUT(libm.so)"}),
        bundle(["bad.so"])[0]._replace(read=unreadable),
    ]
    findings = static_findings(files, system_of(f"python3.13/{HERE}"))
    assert [(f.code, f.path) for f in findings] == [
        ("broken-library", "cut.so"),
        ("unreadable-file", "bad.so"),
    ]


def test_code_for_other_processors_and_objects_are_passed_over(tmp_path: Path) -> None:
    data = bytearray(compile_library(tmp_path / "a.so"))
    data[18:20] = (247).to_bytes(2, "little")
    assert io.BytesIO(data).read(4) == b"\x7fELF"
    assert read_libraries(bundle({"filter.bpf.o": bytes(data)})) == ([], [])
    object_file = compile_library(tmp_path / "b.o", "-c", "-fno-lto")
    assert read_libraries(bundle({"b.o": object_file})) == ([], [])
