"""Runs the real command many times, each in a fork of this process, with one fault armed.

Reads one JSON object a line from stdin and answers one a line on stdout. Forking saves the
start of the interpreter, which takes longer than the builds; what the child does is what
`python -m packager` does.
"""

import ctypes
import gc
import importlib
import json
import mmap
import os
import sys
from pathlib import Path
from typing import Any

OPERATIONS = (
    "open", "read", "write", "sync", "rename", "mkdir", "unlink", "stat", "list", "close",
    "truncate", "copy", "map",
)  # fmt: skip
MODES = ("observe", "fail", "fail-always", "kill-before", "kill-within")
_JOURNAL_ENTRIES = 65_536
_LOADED = (
    "deflate",
    "encodings.ascii",
    "encodings.utf_8_sig",
    "packager.cli.again",
    "packager.cli.build",
    "packager.cli.cache",
    "packager.cli.ending",
    "packager.cli.entry",
    "packager.cli.lazy_group",
    "packager.cli.main",
    "packager.cli.unchanged",
    "packager.lock.lockfile",
    "packager.lock.uv_backend",
    "packager.pipeline.bootstrap",
    "packager.pipeline.dependencies",
    "packager.pipeline.image",
    "packager.pipeline.layers",
    "packager.pipeline.making",
    "packager.pipeline.offload",
    "packager.wheels.download",
    "packager.wheels.fetching",
    "packager.wheels.http_client",
    "packager.wheels.store_keeping",
    "requests",
)
_REMEMBERED = (
    ("packager.code_identity", "code_identity", ()),
    ("packager.runtime.targets", "load_target", ("python3.13", "x86_64", "lambda")),
    ("packager.runtime.catalog", "load_catalog", ("python3.13",)),
)


def main() -> None:
    """Serve until stdin ends."""
    library = ctypes.CDLL(sys.argv[1])
    for name in _LOADED:
        importlib.import_module(name)
    # What these read lies outside the folders that are watched, and is kept for good.
    for name, function, arguments in _REMEMBERED:
        getattr(importlib.import_module(name), function)(*arguments)
    # What is there already is never looked at again: the forks share it without copying.
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_serve(library, json.loads(line))), flush=True)


def _serve(library: Any, job: dict[str, Any]) -> dict[str, Any]:
    journal = mmap.mmap(-1, _JOURNAL_ENTRIES + 8)
    child = os.fork()
    if child == 0:
        _become(library, job, journal)
    _, status, usage = os.wait4(child, 0)
    done = int.from_bytes(journal[:4], "little")
    hits = int.from_bytes(journal[4:8], "little")
    operations = [OPERATIONS[each] for each in journal[8 : 8 + min(done, _JOURNAL_ENTRIES)]]
    journal.close()
    return {
        "exit_code": os.waitstatus_to_exitcode(status),
        "hits": hits,
        "operations": operations,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def _become(library: Any, job: dict[str, Any], journal: mmap.mmap) -> None:
    """Turn this fork into the command; never returns."""
    try:
        os.environ.clear()
        os.environ.update(job["environment"])
        sys.executable = os.environ.pop("FAULTY_HOST_PYTHON", sys.executable)
        os.chdir(job["folder"])
        for descriptor, path in ((0, os.devnull), (1, job["stdout"]), (2, job["stderr"])):
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
            opened = os.open(path, flags, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        sys.stdin = None
        for name, number in (("stdout", 1), ("stderr", 2)):
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        sys.argv = ["lpack", *job["arguments"]]
        plan = job["plan"]
        library.disk_faults_arm(
            ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(journal))),
            b"\n".join(os.fsencode(path) for path in job["watched"]) + b"\0",
            (*OPERATIONS, "any").index(plan["operation"]),
            MODES.index(plan["mode"]),
            plan["number"],
            plan["errno"],
        )
        from packager.cli.entry import main as lpack  # noqa: PLC0415 -- as `python -m packager`

        lpack()
    except BaseException:  # noqa: BLE001 -- a fork must not go on as the host
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
