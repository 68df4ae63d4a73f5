"""`lpack explain` names the file, of real libraries in a real artifact, that causes a line."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import real_wheels
from support.build_world import PYPROJECT
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner
from support.wheel_builder import build_wheel

_SHARPYUV = "pillow.libs/libsharpyuv"
_OPENMP = "sklearn/utils/_openmp_helpers.cpython-313-x86_64-linux-gnu.so"
_SPEEDUPS = "markupsafe/_speedups"
_COMBINED = (
    "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
    "The actual size is 262200000 bytes"
)

_GLIBC = "version `GLIBC_2.27' not found (required by /var/task/x.so)"
_NO_GLIBC = "GLIBC_2.38 not found"
_MACHINE = "/var/task/natives/_fast.cpython-39-darwin.so: invalid ELF header"
_MISSING = "{}: cannot open shared object file: No such file or directory"
MODULES = [
    ("requests", "`requests` is neither in the zip nor in python3.11"),
    ("boto3.session", "was left to the runtime (boto3 1.30.5)"),
    ("natives", "`natives` is there, as `natives/__init__.py`"),
    ("natives._fast", "python3.11/x86_64 does not look for such a name"),
    ("app", "`app` is there, as `app.py`"),
    ("natives.other", "is not in natives 1.0, which has `natives`"),
]
TEXTS = [
    ("Unzipped size must be smaller than 262144000 bytes", "the largest are natives 1.0"),
    ("Zipped size must be smaller than 52428800 bytes", "the largest are natives 1.0"),
    (_COMBINED, "are in layers this build does not know of"),
    ("Cannot reference more than 5 layers", "is built for none"),
    ("INIT_REPORT Init Duration: 9999.79 ms Phase: init Status: timeout", "no bytecode"),
    ("No space left on device", "unpacks nothing to /tmp"),
    ("Handler 'go' missing on module 'app'", "was built for the handler `app.handler`"),
    ("PackageNotFoundError: boto3", "boto3 1.30.5 was left out"),
    ("PackageNotFoundError: natives", "it has natives 1.0 with its .dist-info"),
    ("PackageNotFoundError: attrs", "has no distribution `attrs`"),
    ("cannot import name 'A' from 'botocore.x' (/var/task)", "left to the runtime are boto3"),
    ("ImageLayerFailure", "is a zip, so the image is another build"),
    ("Could not unzip uploaded file", "is CodeSha256"),
    ("/var/task/natives/q.so: undefined symbol: PyUnicode_Nope", "it has no file"),
]
LINES = [
    _GLIBC,
    _NO_GLIBC,
    _MACHINE,
    _MISSING.format("libgomp-e985bcbb.so.1.0.0"),
    _MISSING.format("libz.so.1"),
    *(f"No module named '{module}'" for module, _ in MODULES),
    *(text for text, _ in TEXTS),
]


def _taken(target: str, wheel: str, start: str) -> tuple[str, bytes]:
    """One real library out of a fixture wheel, by the beginning of its name."""
    (path,) = [each for each in real_wheels(target) if each.name.startswith(wheel)]
    with zipfile.ZipFile(path) as archive:
        (name,) = [each for each in archive.namelist() if each.startswith(start) and ".so" in each]
        return name, archive.read(name)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, shared_lpack: LpackRunner) -> Path:
    """A python3.11 function (glibc 2.26) whose pure wheel holds what it should not."""
    folder = tmp_path_factory.mktemp("explained")
    natives = dict(
        [
            _taken("python3.13-x86_64", "pillow-", _SHARPYUV),
            _taken("python3.13-x86_64", "scikit_learn-", _OPENMP),
            _taken("python3.13-arm64", "markupsafe-", _SPEEDUPS),
        ]
    )
    wheel = build_wheel(
        folder,
        "natives",
        "1.0",
        requires=["boto3"],
        files={"natives/__init__.py": b"", "natives/_fast.cpython-39-darwin.so": b"x", **natives},
    )
    sdk = build_wheel(folder, "boto3", "1.30.5", files={"boto3/__init__.py": b""})
    project = folder / "project"
    project.mkdir()
    pyproject = PYPROJECT.replace("alpha", "natives").replace("python3.13", "python3.11")
    (project / "pyproject.toml").write_text(pyproject.replace(', "pkg"', ""), encoding="utf-8")
    (project / "requirements.txt").write_text("natives\n", encoding="utf-8")
    (project / "app.py").write_text("def handler(event, context):\n    return 1\n")
    with IndexServer([wheel, sdk]) as index:
        shared_lpack.ok("build", "--no-strip", "--index-url", index.url, cwd=project)
    return project


@pytest.fixture(scope="module")
def explain(project: Path, shared_lpack: LpackRunner) -> Callable[[str], dict[str, Any]]:
    """Look up what is said of a line; all lines of this module are explained in one run."""
    log = "".join(f"{line}\n" for line in LINES)
    done = _piped(project, shared_lpack, "--output-format", "json", text=log.encode())
    assert done.exit_code == 0, done.explain()
    told = {each["line"]: each for each in json.loads(done.stdout)["explained"]}
    return lambda line: dict(told[" ".join(line.split())])


def test_which_library_asks_for_a_newer_glibc(explain: Callable[[str], dict[str, Any]]) -> None:
    told = explain(_GLIBC)
    (cause,) = told["causes"]
    assert f"{_SHARPYUV}-" in cause
    assert cause.endswith("of natives 1.0 needs GLIBC_2.27; python3.11 has 2.26")
    assert "lpack build --runtime python3.11" in told["advice"][0]


def test_a_glibc_nothing_asks_for_is_not_blamed_on_it(
    explain: Callable[[str], dict[str, Any]], project: Path
) -> None:
    told = explain(_NO_GLIBC)
    assert "not to blame: no library in it needs GLIBC_2.38" in told["causes"][0]
    manifest = json.loads((project / "dist" / "api.lpack.json").read_text())
    assert manifest["artifact"]["code_sha256"] in told["advice"][0]


def test_which_library_is_for_another_machine(explain: Callable[[str], dict[str, Any]]) -> None:
    told = explain(_MACHINE)
    assert any(f"{_SPEEDUPS}." in cause and "aarch64" in cause for cause in told["causes"])
    assert any("_fast.cpython-39-darwin.so" in cause for cause in told["causes"])


def test_which_library_needs_one_that_is_missing(explain: Callable[[str], dict[str, Any]]) -> None:
    told = explain(_MISSING.format("libgomp-e985bcbb.so.1.0.0"))
    assert _OPENMP in told["causes"][0]
    assert "which neither the bundle nor python3.11/x86_64 has" in told["causes"][0]


def test_a_library_the_runtime_has(explain: Callable[[str], dict[str, Any]]) -> None:
    told = explain(_MISSING.format("libz.so.1"))
    assert "python3.11/x86_64 has `libz.so.1` itself" in told["causes"][0]


@pytest.mark.parametrize(("module", "cause"), MODULES)
def test_why_a_module_is_not_found(
    explain: Callable[[str], dict[str, Any]], module: str, cause: str
) -> None:
    assert cause in explain(f"No module named '{module}'")["causes"][0]


@pytest.mark.parametrize(("text", "cause"), TEXTS)
def test_what_in_the_artifact_causes_it(
    explain: Callable[[str], dict[str, Any]], text: str, cause: str
) -> None:
    assert any(cause in each for each in explain(text)["causes"])


def _piped(project: Path, lpack: LpackRunner, *argv: str, text: bytes) -> Finished:
    done = subprocess.run(
        [sys.executable, "-m", "packager", "explain", *argv],
        input=text,
        cwd=project,
        env=lpack.environment(),
        capture_output=True,
        check=False,
    )
    return Finished(
        argv=argv,
        exit_code=done.returncode,
        stdout=done.stdout.decode(),
        stderr=done.stderr.decode(),
        seconds=0,
    )


def test_a_log_on_standard_input(project: Path, shared_lpack: LpackRunner) -> None:
    log = b"START\n\xff\xfe\nUnable to import module 'app': No module named 'yaml'\n" * 3
    done = _piped(project, shared_lpack, text=log)
    assert done.exit_code == 0, done.explain()
    assert done.stdout.count("meaning") == 1
    assert "add `pyyaml` to the requirements" in done.stdout
    assert all(len(line) <= 100 or "`" in line for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("argv", "text", "exit_code", "said"),
    [
        ((), b"", 2, "standard input is empty"),
        ((), b"all is well\n", 1, "nothing in this line is an error lpack knows"),
        (("--artifact", "nowhere"), b"No module named 'x'", 2, "no manifest"),
        (("--artifact", "app.py"), b"No module named 'x'", 2, "is not a manifest"),
    ],
)
def test_what_cannot_be_explained(
    project: Path,
    shared_lpack: LpackRunner,
    argv: tuple[str, ...],
    text: bytes,
    exit_code: int,
    said: str,
) -> None:
    done = _piped(project, shared_lpack, *argv, text=text)
    assert done.exit_code == exit_code, done.explain()
    assert said in done.stderr
    assert "Traceback" not in done.stderr
