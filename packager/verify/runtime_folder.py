"""The runtime's own packages in a folder, as AWS installs them, kept for the next time.

The folder stands for `/var/runtime` and `/var/lang/lib/pythonX.Y/site-packages`: the AWS SDK, the
runtime client `awslambdaric` and what they need.
"""

import subprocess
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from packager.errors import CannotBuild
from packager.leftovers import temporary_mark
from packager.model.runtime_catalog import RuntimeCatalog, RuntimePackage
from packager.verify.interpreter import Interpreter
from packager.verify.unpacking import remove_tree, unpack

_CLIENT = "runtime-client"
_SDK = "sdk"
_COMPILE_SECONDS = 300


def runtime_requirements(
    catalog: RuntimeCatalog, *, bundled: Collection[NormalizedName]
) -> tuple[Requirement, ...]:
    """Return what to install so that the artifact finds what it finds in the runtime.

    Versions are the catalog's. The runtime client's may be newer: AWS builds some of them from
    source, and versions only move forward. The SDK's group is left out where the artifact
    `bundled` all of it, because then nobody reaches the runtime's. Tools such as pip, which only
    some images hold, are always left out.
    """
    wanted = [package for package in catalog.packages.values() if package.subtractable]
    sdk = {package.name for package in wanted if package.group == _SDK}
    if sdk <= set(bundled):
        wanted = [package for package in wanted if package.group != _SDK]
    lines = {str(package.name): _line(package) for package in wanted}
    lines.setdefault("awslambdaric", "awslambdaric")
    return tuple(Requirement(lines[name]) for name in sorted(lines))


def _line(package: RuntimePackage) -> str:
    if package.version is None:
        return package.name
    operator = ">=" if package.group == _CLIENT else "=="
    return f"{package.name}{operator}{package.version}"


def install_runtime(
    wheels: Sequence[Path], folder: Path, *, interpreter: Interpreter, aside: Path | None = None
) -> None:
    """Make `folder` hold what `wheels` ship, with bytecode, all of it or nothing.

    Does nothing when it is there. Several processes may do it at once: each puts it together
    `aside`, on the same disk, beside it without one. The bytecode is compiled as pip does when it
    installs. Raises CannotBuild for a broken wheel or a full disk.
    """
    if folder.is_dir():
        return
    temporary = aside or folder.parent / f".{temporary_mark()}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir(mode=0o700)
        try:
            for wheel in wheels:
                unpack(wheel, temporary, place=_place)
            _compile(temporary, interpreter)
            # Another process may have been faster: what it made is the same.
            with suppress(FileExistsError):
                _rename(temporary, folder)
        finally:
            remove_tree(temporary)
    except OSError as error:
        raise CannotBuild(
            f"cannot write the runtime's packages into `{folder.parent}`: {error.strerror}",
            hint="free some space, or set LPACK_CACHE_DIR=DIR to use another disk",
        ) from error


def _place(name: str) -> str | None:
    """Return where a wheel's file goes (PyPA binary distribution format); no scripts or headers."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return name
    scheme, _, below = rest.partition("/")
    return below if scheme in {"purelib", "platlib"} else None


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _compile(folder: Path, interpreter: Interpreter) -> None:
    """Write bytecode; files that are no Python of this version stay without, as with pip."""
    command = [interpreter.executable, "-I", "-S", "-m", "compileall", "-q", "-q"]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_COMPILE_SECONDS,
        )
