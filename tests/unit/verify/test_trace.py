"""Traces of real processes: the handler under AWS's client, and a test command."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.bundles import compile_library
from support.fixture_wheels import CHECKOUT
from support.sandbox_world import interpreter, subject, write_artifact
from support.traced_world import FILES, make_task

from packager.errors import UsageError
from packager.verify.miss_cost import measure_misses
from packager.verify.sandbox import open_sandbox
from packager.verify.trace import (
    TracedSandbox,
    keeps_access_times,
    touched_files,
    trace_command,
    trace_event,
    trace_of,
    traced,
)

pytestmark = pytest.mark.index

APP = """
import os, subprocess, sys
import demo
from demo import used

HERE = os.path.dirname(__file__)

def handler(event, context):
    if "open" in event:
        with open(os.path.join(HERE, event["open"]), "rb") as file:
            return len(file.read())
    if "list" in event:
        return sorted(os.listdir(os.path.join(HERE, event["list"])))
    if "sqlite" in event:
        import sqlite3
        return sqlite3.connect(f"file:{HERE}/{event['sqlite']}?mode=ro&immutable=1", uri=True)\\
            .execute("select 7").fetchone()[0] and _rows(event)
    if "load" in event:
        import ctypes
        return ctypes.CDLL(os.path.join(HERE, event["load"])).f()
    if "child" in event:
        return subprocess.run(["/bin/cat", os.path.join(HERE, event["child"])],
            stdout=subprocess.DEVNULL).returncode
    if "import" in event:
        return __import__(event["import"], fromlist=["x"]).__name__
    raise ValueError("no")

def _rows(event):
    import sqlite3
    return sqlite3.connect(f"file:{HERE}/{event['sqlite']}?mode=ro&immutable=1", uri=True)\\
        .execute("select count(*) from t").fetchone()[0]
"""


def database(path: Path) -> bytes:
    import sqlite3  # noqa: PLC0415 -- one test's

    with sqlite3.connect(path) as connection:
        connection.execute("create table t (x)")
    connection.close()
    return path.read_bytes()


def manifest_of(files: Sequence[str]) -> dict[str, Any]:
    rows = [[name, 1, 1, 0, 0o644] for name in files]
    return {
        "distributions": [
            {"name": "demo", "version": "1.0", "subtracted": False, "files": rows},
            {"name": "boto3", "version": "1.0", "subtracted": True, "files": []},
            {
                "name": "layered",
                "version": "1.0",
                "subtracted": False,
                "files": rows,
                "placement": "layer:deps",
            },
        ]
    }


@contextmanager
def sandbox_of(tmp_path: Path, runtime: Path, **more: bytes) -> Iterator[TracedSandbox]:
    files: dict[str, str | bytes] = {"app.py": APP, **FILES, **more}
    artifact = write_artifact(tmp_path / "function.zip", files)
    with open_sandbox(subject(artifact, runtime)) as plain:
        yield traced(plain)


def answer(sandbox: TracedSandbox, event: dict[str, str]) -> Any:
    lines: list[str] = []
    found = trace_event(
        sandbox, json.dumps(event).encode(), timeout_seconds=30, on_line=lines.append
    )
    assert not found.failed, (found.body, lines)
    return json.loads(found.body)


def test_what_is_imported_is_touched_and_nothing_else(runtime: Path, tmp_path: Path) -> None:
    with sandbox_of(tmp_path, runtime) as sandbox:
        assert answer(sandbox, {"open": "demo/data/known.json"}) == 15
        assert touched_files(sandbox) == {
            "app.py",
            "demo/__init__.py",
            "demo/used.py",
            "demo/data/known.json",
        }
        assert answer(sandbox, {"import": "demo.deep.leaf"}) == "demo.deep.leaf"
        trace = trace_of(sandbox, manifest_of([*FILES]), lpack="9", runs=2)
        assert not sandbox.changed_files()
    assert (trace.runs, trace.lpack, trace.runtime, trace.architecture) == (
        *(2, "9"),
        *("python3.11", "x86_64"),
    )
    [demo] = trace.distributions
    assert demo.files == (
        *("demo/__init__.py", "demo/data/known.json", "demo/deep/__init__.py"),
        *("demo/deep/leaf.py", "demo/used.py"),
    )
    assert str(tmp_path) not in json.dumps(trace.to_document())


def test_listing_touches_nothing(runtime: Path, tmp_path: Path) -> None:
    with sandbox_of(tmp_path, runtime) as sandbox:
        assert answer(sandbox, {"list": "demo/data"}) == ["known.json", "other.json", "secret.pem"]
        assert not [name for name in touched_files(sandbox) if "/data/" in name]


def test_what_c_code_and_children_read_is_touched(runtime: Path, tmp_path: Path) -> None:
    data = database(tmp_path / "x.db")
    with sandbox_of(tmp_path, runtime, **{"demo/x.db": data}) as sandbox:
        if not keeps_access_times(sandbox):
            pytest.skip("this disk keeps no access times")
        assert answer(sandbox, {"sqlite": "demo/x.db"}) == 0
        assert answer(sandbox, {"child": "demo/data/secret.pem"}) == 0
        assert {"demo/x.db", "demo/data/secret.pem"} <= touched_files(sandbox)


def test_libraries_that_the_loader_opens_are_touched(runtime: Path, tmp_path: Path) -> None:
    inner = compile_library(
        tmp_path / "l" / "libinner.so",
        "-Wl,-soname,libinner.so",
        source="int g(void) { return 41; }\n",
    )
    outer = compile_library(
        tmp_path / "l" / "outer.so",
        *("-L", str(tmp_path / "l"), "-linner", "-Wl,-rpath,$ORIGIN/../demo.libs"),
        source="int g(void); int f(void) { return g() + 1; }\n",
    )
    files = {"demo/outer.so": outer, "demo.libs/libinner.so": inner}
    with sandbox_of(tmp_path, runtime, **files) as sandbox:
        assert answer(sandbox, {"load": "demo/outer.so"}) == 42
        assert {*files, "demo/used.py"} <= touched_files(sandbox)
        # Enough by itself, for disks that keep no access times.
        noted = sandbox.record.read_text(encoding="utf-8").splitlines()
        assert {str(sandbox.task / name) for name in [*files, "demo/used.py"]} <= set(noted)


def test_a_command_runs_with_the_artifact_first(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "check.py").write_text(
        "import demo.unused, os, subprocess, sys\nimport awslambdaric\n"
        "assert demo.__file__.startswith(os.environ['LAMBDA_TASK_ROOT'])\n"
        "subprocess.run([sys.executable, '-c', 'import space.inner.one'], check=True)\n"
        "print('checked', os.getcwd())\n"
    )
    lines: list[str] = []
    with sandbox_of(tmp_path, runtime) as sandbox:
        code = trace_command(
            sandbox,
            [interpreter().executable, "tests/check.py"],
            folder=tmp_path,
            environment=os.environ,
            on_line=lines.append,
        )
        assert (code, lines[-1]) == (0, f"checked {tmp_path}"), lines
        touched = touched_files(sandbox)
        assert {"demo/unused.py", "demo/deep/leaf.py", "space/inner/one.py"} <= touched
        assert "demo/data/other.json" not in touched
        assert not sandbox.changed_files()


def test_a_sitecustomize_of_the_users_still_runs(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("print('mine')\n")
    lines: list[str] = []
    with sandbox_of(tmp_path, runtime) as sandbox:
        trace_command(
            sandbox,
            [interpreter().executable, "-c", "import demo"],
            folder=tmp_path,
            environment={**os.environ, "PYTHONPATH": str(tmp_path / "own")},
            on_line=lines.append,
        )
        assert lines == ["mine"]
        assert "demo/__init__.py" in touched_files(sandbox)


@pytest.mark.parametrize(
    ("command", "ran"),
    [
        (["/bin/true"], "no Python that reads PYTHONPATH"),
        ([sys.executable, "-I", "-c", ""], "no Python that reads PYTHONPATH"),
    ],
)
def test_a_command_without_the_right_python_is_refused(
    runtime: Path, tmp_path: Path, command: list[str], ran: str
) -> None:
    with (
        sandbox_of(tmp_path, runtime) as sandbox,
        pytest.raises(UsageError, match=f"ran {ran}, and the artifact is for Python 3.11"),
    ):
        trace_command(
            sandbox, command, folder=tmp_path, environment=os.environ, on_line=lambda _: None
        )


def test_what_a_traced_artifact_missed_counts_the_next_time(runtime: Path, tmp_path: Path) -> None:
    task = make_task(tmp_path / "made", code={"app.py": APP})
    with open_sandbox(subject(tmp_path / "made" / "artifact.zip", runtime)) as plain:
        sandbox = traced(plain)
        answer(sandbox, {"import": "demo.unused"})
        shipped = [name for name in task.names if name not in {"app.py", "app/__init__.py"}]
        [demo] = trace_of(sandbox, manifest_of(shipped), lpack="1", runs=1).distributions
    assert demo.files == (
        *("demo/__init__.py", "demo/deep/__init__.py", "demo/deep/leaf.py"),
        *("demo/unused.py", "demo/used.py"),
    )


def test_a_miss_is_measured_with_the_real_bootstrap(tmp_path: Path) -> None:
    make_task(tmp_path / "made")
    [cost] = measure_misses(tmp_path / "made" / "artifact.zip", interpreter())
    assert (cost.name, cost.version) == ("demo", "1.0")
    assert cost.uncompressed_bytes > 200_000 > cost.archive_bytes > 0
    assert 0 < cost.seconds < 10
    artifact = write_artifact(tmp_path / "plain.zip", {"app.py": "x = 1\n"})
    assert measure_misses(artifact, interpreter()) == ()


def test_the_preamble_is_of_the_oldest_grammar() -> None:
    path = CHECKOUT / "packager" / "verify" / "trace_preamble.py"
    python = shutil.which("python3.9") or sys.executable
    done = subprocess.run([python, "-c", f"compile(open({str(path)!r}).read(), 'x', 'exec')"],
        check=False, capture_output=True)  # fmt: skip
    assert b"SyntaxError" not in done.stderr
