"""Runs in the traced Python before anything else: notes which files below some folders are opened.

Usage: python -S trace_preamble.py RECORD TASK PLACE SCRIPT ARGUMENT...
Standard library only, Python 3.9 and later, no module that is not loaded anyway. One name is
appended to RECORD for each file, at once, because the process will be ended by a signal. The audit
hook sees what Python opens, imports and loads; the process's memory map, looked at whenever a
library was loaded, shows what the dynamic loader opened for it. Listed folders do not count: the
bootstrap lists moved files too.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAPS = "/proc/self/maps"
_LOOK_SECONDS = 0.05


class _Recorder:
    """Appends every file below `folders` once, as an absolute path on a line of its own."""

    def __init__(self, record: str, folders: list[str]) -> None:
        self.descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self.descriptor, "#python {}.{}\n".format(*sys.version_info).encode())
        self.starts = tuple(folder + "/" for folder in folders)
        self.seen: set[str] = set()
        self.loaded = False

    def note(self, path: Any) -> None:  # noqa: ANN401 -- whatever was opened
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or path in self.seen:
            return
        self.seen.add(path)
        whole = os.path.abspath(path)  # noqa: PTH100 -- pathlib is not loaded
        if whole.startswith(self.starts) and "\n" not in whole:
            os.write(self.descriptor, os.fsencode(whole + "\n"))

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            self.note(arguments[0])
        elif event == "ctypes.dlopen" or (event == "import" and arguments[1]):
            self.note(arguments[event == "import"])
            self.loaded = True

    def look(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            if self.loaded:
                self.loaded = False
                for path in _mapped():
                    self.note(path)


def begin(record: str, folders: list[str]) -> None:
    """Install the hook; `record` is appended to by this process and its children."""
    recorder = _Recorder(record, folders)
    sys.addaudithook(recorder.hook)
    _thread.start_new_thread(recorder.look, ())


def hand_on(folder: str) -> None:
    """Be as if this were no `sitecustomize`: import the one that would have been found."""
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    sys.modules.pop("sitecustomize", None)
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if error.name != "sitecustomize":
            raise


def _mapped() -> list[str]:
    try:
        with open(_MAPS, encoding="utf-8", errors="surrogateescape") as maps:  # noqa: PTH123 -- no pathlib here
            lines = maps.read().splitlines()
    except OSError:
        return []
    fields = (line.split(None, 5) for line in lines)
    return list({each[5] for each in fields if len(each) == 6 and each[5].startswith("/")})


def main(arguments: list[str]) -> None:
    """Begin, then run the script as if Python had been started with it."""
    record, task, place, script, *_ = arguments
    begin(record, [task, place])
    sys.argv[:] = arguments[3:]
    with open(script, encoding="utf-8") as file:  # noqa: PTH123 -- no pathlib here
        code = compile(file.read(), script, "exec")
    exec(code, {"__name__": "__main__", "__file__": script, "__builtins__": __builtins__})  # noqa: S102 -- lpack's own script


if __name__ == "__main__":
    main(sys.argv[1:])
