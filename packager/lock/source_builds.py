"""Wheels from source: the user's own projects, and source distributions allowed by name.

A build runs the project's code on this machine (PEP 517), in an isolated environment. What comes
out is accepted only when its tags fit the target: a binary built here carries this machine's
architecture and C library, whatever its file name says about the platform.
"""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, parse_wheel_filename

from packager.errors import CannotBuild
from packager.lock.build_environment import run_hook
from packager.lock.build_requirements import BuildRules, install_requirements, last_lines
from packager.lock.select import SdistReference
from packager.model.progress import Reporter
from packager.model.requirement import Declared, IndexSettings, LocalProject
from packager.model.selection import Pin, WheelReference
from packager.model.target import Target

_PROJECT_FILES = ("pyproject.toml", "setup.py")


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltProject:
    """A local project as a wheel; `declared` asks for it under its real name."""

    name: NormalizedName
    wheel: WheelReference
    extras: tuple[str, ...]
    declared: Declared


class SdistFetcher(Protocol):
    """Brings a source distribution that has a URL into an empty folder."""

    def __call__(
        self, sdist: SdistReference, folder: Path, /, *, indexes: IndexSettings, offline: bool
    ) -> Path:
        """Return its path there; raises CannotBuild."""


def build_projects(
    projects: Sequence[LocalProject],
    target: Target,
    *,
    folder: Path,
    rules: BuildRules,
    reporter: Reporter,
) -> tuple[BuiltProject, ...]:
    """Build every project of `projects` whose marker holds on `target` into `folder`.

    The same folder asked for twice is built once, with the extras of both. Raise CannotBuild when a
    build fails or gives a wheel for another machine.
    """
    extras: dict[Path, dict[str, None]] = {}
    origins: dict[Path, str] = {}
    for project in projects:
        if project.marker and not Marker(project.marker).evaluate(dict(target.marker_environment)):
            continue
        extras.setdefault(project.path, {}).update(dict.fromkeys(project.extras))
        origins.setdefault(project.path, project.origin)
    built = []
    for path, wanted in extras.items():
        if not any((path / name).is_file() for name in _PROJECT_FILES):
            raise CannotBuild(
                f"`{path}` ({origins[path]}) holds no project to build",
                hint="a local requirement is a folder with a pyproject.toml",
            )
        reporter.step(f"building {path.name} from source")
        wheel = _build(path, path.name, folder=folder, target=target, rules=rules)
        name = parse_wheel_filename(wheel.filename)[0]
        suffix = f"[{','.join(wanted)}]" if wanted else ""
        declared = Declared(requirement=Requirement(f"{name}{suffix}"), origin=origins[path])
        built.append(BuiltProject(name=name, wheel=wheel, extras=tuple(wanted), declared=declared))
    return tuple(built)


def build_sdists(
    sdists: Sequence[SdistReference],
    target: Target,
    *,
    folder: Path,
    rules: BuildRules,
    reporter: Reporter,
    fetch: SdistFetcher,
) -> tuple[Pin, ...]:
    """Build wheels from source distributions, whose digest is checked before they are opened."""
    pins = []
    for sdist in sdists:
        reporter.step(f"building {sdist.filename} from source, as allow-sdist permits")
        with tempfile.TemporaryDirectory(prefix="lpack-build-") as temporary:
            fetched = Path(temporary) / "fetched"
            fetched.mkdir()
            archive = sdist.path or fetch(
                sdist, fetched, indexes=rules.indexes, offline=rules.offline
            )
            _check_digest(archive, sdist)
            source = _unpack(archive, Path(temporary) / "source")
            wheel = _build(source, sdist.filename, folder=folder, target=target, rules=rules)
        name, version, _, _ = parse_wheel_filename(wheel.filename)
        if name != sdist.name or sdist.version not in {None, version}:
            raise CannotBuild(
                f"`{sdist.filename}` was locked as `{sdist.name} {sdist.version}` and builds "
                f"`{name} {version}`"
            )
        pins.append(Pin(name=name, version=version, wheel=wheel))
    return tuple(pins)


def _build(
    source: Path, title: str, *, folder: Path, target: Target, rules: BuildRules
) -> WheelReference:
    """Build the wheel of `source` into a folder of `folder` named by its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as temporary:
        made = _run_backend(source, Path(temporary), title, rules)
        _check_tags(made.name, title, target)
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        final = folder / digest / made.name
        final.parent.mkdir(exist_ok=True)
        made.replace(final)
    return WheelReference(
        filename=final.name, sha256=digest, path=final, size_bytes=final.stat().st_size
    )


def _run_backend(source: Path, out: Path, title: str, rules: BuildRules) -> Path:
    """Run the project's build backend in an environment of its own, without credentials."""
    from build import BuildBackendException, BuildException, ProjectBuilder  # noqa: PLC0415 -- only here
    from build.env import DefaultIsolatedEnv  # noqa: PLC0415 -- loaded only when something is built

    installer: Literal["uv", "pip"] = "uv" if rules.uv else "pip"
    try:
        with DefaultIsolatedEnv(installer=installer) as isolated:
            builder = ProjectBuilder.from_isolated_env(isolated, source, runner=run_hook)
            python, wanted = isolated.python_executable, builder.build_system_requires
            install_requirements(wanted, python=python, title=title, rules=rules)
            wanted = builder.get_requires_for_build("wheel")
            install_requirements(wanted, python=python, title=title, rules=rules)
            return Path(builder.build("wheel", out))
    except BuildBackendException as error:
        raise _failed(title, _output(error.exception)) from error
    except BuildException as error:
        raise _failed(title, str(error)) from error
    except subprocess.CalledProcessError as error:
        raise _failed(title, _output(error)) from error


def _output(error: BaseException) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        parts = (error.output, error.stderr)
        return "\n".join(
            p.decode(errors="replace") if isinstance(p, bytes) else p or "" for p in parts
        )
    return str(error)


def _failed(title: str, output: str) -> CannotBuild:
    return CannotBuild(
        f"building `{title}` failed",
        details=last_lines(output),
        hint="`python -m build --wheel` in its folder shows the whole output",
    )


def _check_tags(filename: str, title: str, target: Target) -> None:
    """Refuse a wheel that was built for this machine (the trap of astral-sh/uv#16019).

    `linux_x86_64` promises nothing about the C library, so that even a fitting one may need a
    newer glibc than the target has; only pure wheels and manylinux ones are taken.
    """
    tags = {str(tag) for tag in parse_wheel_filename(filename)[3]}
    accepted = {tag for tag in target.tags if not tag.endswith(f"-linux_{target.machine}")}
    if tags & accepted:
        return
    raise CannotBuild(
        f"`{title}` was built for this machine (`{filename}`) and does not fit `{target.label}`",
        details=[f"built: {tag}" for tag in sorted(tags)],
        hint="use a version that has a wheel, or build one for the target and put it on an index",
    )


def _check_digest(archive: Path, sdist: SdistReference) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != sdist.sha256:
        raise CannotBuild(
            f"hash mismatch for `{sdist.filename}`",
            details=[f"locked    sha256:{sdist.sha256}", f"received  sha256:{digest}"],
            hint="the file on the index changed: lock again",
        )


def _unpack(archive: Path, into: Path) -> Path:
    """Unpack an sdist (PEP 625: one folder in a tar) with the checks of PEP 706."""
    into.mkdir()
    try:
        if archive.name.endswith(".zip"):
            shutil.unpack_archive(archive, into, "zip")
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(into, filter="data")
    except (tarfile.TarError, shutil.ReadError, OSError, EOFError) as error:
        raise CannotBuild(f"`{archive.name}` cannot be unpacked: {error}") from error
    folders = [entry for entry in into.iterdir() if entry.is_dir()]
    if len(folders) != 1:
        raise CannotBuild(f"`{archive.name}` does not hold exactly one folder")
    return folders[0]
