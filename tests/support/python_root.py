"""A root file system with one Python in it, made from an interpreter of this machine.

It stands for the base images that cannot be pulled here: the dynamic loader, the libraries that
interpreter and extension modules need, the standard library, and nothing else.
"""

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from packager.verify.interpreter import Interpreter

_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "config-*", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests",
    "tkinter", "turtledemo", "pydoc_data", "_test*", "_tkinter*", "*.a",
)  # fmt: skip
_LIBRARY = re.compile(r"(?:=>\s*)?(/\S+)\s+\(0x")


def make_python_root(folder: Path, interpreter: Interpreter) -> Path:
    """Fill `folder` so that `/usr/bin/python` runs after chroot; returns it."""
    asked = "import sys, sysconfig; print(sys.base_prefix); print(sysconfig.get_paths()['stdlib'])"
    done = subprocess.run(
        [interpreter.executable, "-c", asked], capture_output=True, text=True, check=True
    )
    library = Path(done.stdout.splitlines()[1])
    version = library.name
    real = Path(done.stdout.splitlines()[0]) / "bin" / version
    for name in ("usr/bin", f"usr/lib/{version}", "tmp", "dev", "proc", "etc", "var/task"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(library, folder / "usr/lib" / version, ignore=_LEFT_OUT, dirs_exist_ok=True)
    shutil.copy2(real, folder / "usr/bin" / version)
    (folder / "usr/bin/python").symlink_to(version)
    needed = [real, *(folder / "usr/lib" / version).rglob("*.so")]
    for path in _libraries(needed):
        target = folder / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(path, target)
    return folder


def _libraries(binaries: list[Path]) -> list[Path]:
    """The files that `ldd` resolves for `binaries`, loader and links included."""
    found: dict[Path, None] = {}
    done = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False)
    for match in _LIBRARY.finditer(done.stdout):
        found[Path(match[1])] = None
    # Wheels link the C and C++ libraries of the runtime without shipping them.
    for name in ("libstdc++.so.6", "libgcc_s.so.1", "librt.so.1", "libpthread.so.0", "libdl.so.2"):
        multiarch = sysconfig.get_config_var("MULTIARCH") or ""
        for place in (Path("/usr/lib") / multiarch, Path("/lib") / multiarch, Path("/usr/lib64")):
            if (place / name).exists():
                found[place / name] = None
                break
    return list(found)
