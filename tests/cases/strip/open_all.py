"""Opens every library of a folder with RTLD_NOW, each in a process of its own.

Run as `python -I open_all.py FOLDER`; prints for each whether it opened, or why not.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path


def opened(path: Path, folder: Path) -> str:
    """`opened`, or the loader's words, or how the process ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            ctypes.CDLL(str(path), mode=os.RTLD_NOW)
            answer = "opened"
        except OSError as error:
            answer = str(error).replace(str(folder), "")
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    return answer if status == 0 else f"{answer} (status {status})"


def main() -> None:
    folder = Path(sys.argv[1])
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    libraries = [path for path in paths if path.open("rb").read(4) == b"\x7fELF"]
    print(json.dumps({str(p.relative_to(folder)): opened(p, folder) for p in libraries}))


main()
