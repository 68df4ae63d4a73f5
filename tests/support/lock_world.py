"""A small package index for lock tests, and the calls that lock against it."""

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from packaging.pylock import Pylock
from packaging.requirements import Requirement
from support.index_server import IndexServer
from support.wheel_builder import build_wheel

from packager.lock.backend import Resolver
from packager.lock.locking import Locked, LockOptions, lock
from packager.model.progress import NullReporter
from packager.model.requirement import Declared, IndexSettings, RequirementSet
from packager.pipeline.sdists import fetch_sdist
from packager.runtime.targets import load_target

USER, PASSWORD = "reader", "s3cret@x"

_BACKEND = """
import zipfile, pathlib
NAME, TAG = "{name}", "{tag}"
def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = NAME + "-1.0.dist-info/"
    out = NAME + "-1.0-" + TAG + ".whl"
    with zipfile.ZipFile(pathlib.Path(folder) / out, "w") as wheel:
        wheel.writestr(NAME + ".py", "VALUE = 1\\n")
        wheel.writestr(info + "METADATA", "{metadata}")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nTag: " + TAG + "\\n")
        wheel.writestr(info + "RECORD", "")
    return out
"""


def source_project(
    folder: Path,
    name: str,
    *,
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
    build_requires: Sequence[str] = (),
    spy: Path | None = None,
    dynamic: bool = False,
) -> Path:
    """Write a project that builds with nothing but the standard library and `build_requires`.

    Its backend adds to `spy` its name and the variables it sees. With `dynamic`, it must be asked
    for what the project requires.
    """
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    backend = _BACKEND.format(name=name, tag=tag, metadata="\\n".join([*metadata, "", ""]))
    folder.mkdir(parents=True)
    if spy is not None:
        backend += f"\nimport os\nwith open({str(spy)!r}, 'a') as file:\n"
        backend += "    print(NAME, *sorted(os.environ), file=file)\n"
    (folder / "backend.py").write_text(backend, encoding="utf-8")
    (folder / "PKG-INFO").write_text("\n".join([*metadata, ""]), encoding="utf-8")
    dependencies = "dynamic = ['dependencies']" if dynamic else f"dependencies = {list(requires)!r}"
    (folder / "pyproject.toml").write_text(
        f"[build-system]\nrequires = {list(build_requires)!r}\nbuild-backend = 'backend'\n"
        f"backend-path = ['.']\n[project]\nname = '{name}'\nversion = '1.0'\n{dependencies}\n",
        encoding="utf-8",
    )
    return folder


def pack_sdist(project: Path, folder: Path) -> Path:
    """Pack `project` as a source distribution, version 1.0, into `folder`."""
    path = folder / f"{project.name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for file in sorted(project.iterdir()):
            data = file.read_bytes()
            entry = tarfile.TarInfo(f"{project.name}-1.0/{file.name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def build_world(folder: Path) -> Path:
    """Fill `folder` with wheels and sdists of every shape the tests ask for."""
    build_wheel(folder, "leaf", "1.0")
    build_wheel(folder, "leaf", "2.0")
    build_wheel(folder, "plain", "1.0")
    build_wheel(folder, "plain", "2.0", requires=["leaf>=1"], extras={"more": ["other"]})
    build_wheel(folder, "other", "1.0")
    build_wheel(folder, "old", "1.0", requires=["leaf<2"])
    build_wheel(folder, "new", "1.0", requires=["leaf>=2"])
    build_wheel(
        folder,
        "marked",
        "1.0",
        requires=[
            'leaf==1.0; python_version < "3.12"',
            'leaf==2.0; python_version >= "3.12"',
            'other; platform_machine == "aarch64"',
            'nosuch; sys_platform == "win32"',
        ],
    )
    for machine in ("x86_64", "aarch64"):
        for python in ("cp311", "cp313"):
            build_wheel(folder, "native", "1.0", tag=f"{python}-{python}-manylinux_2_17_{machine}")
        build_wheel(folder, "stable", "1.0", tag=f"cp39-abi3-manylinux_2_17_{machine}")
    build_wheel(folder, "macos", "1.0", tag="cp313-cp313-macosx_11_0_arm64")
    build_wheel(folder, "intel", "1.0", tag="cp313-cp313-manylinux_2_17_x86_64")
    build_wheel(folder, "middle", "1.0", tag="cp311-cp311-manylinux_2_24_x86_64")
    build_wheel(folder, "recent", "1.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    build_wheel(folder, "recent", "1.0", tag="cp313-cp313-manylinux_2_28_x86_64")
    build_wheel(folder, "deep", "1.0", requires=["macos"])
    build_wheel(folder, "future", "1.0", requires_python=">=3.14")
    sources = folder.with_name(f"{folder.name}-sources")
    pack_sdist(source_project(sources / "sourced", "sourced", requires=["leaf"]), folder)
    tag = "cp311-cp311-linux_x86_64"
    pack_sdist(source_project(sources / "compiled", "compiled", tag=tag), folder)
    return folder


class Locker:
    """Locks requirement lines against an index."""

    def __init__(self, index: IndexServer, folder: Path) -> None:
        """Use `index`, with its password, and build into `folder`."""
        self.settings = IndexSettings(index_url=index.url_with(USER, PASSWORD))
        self.folder = folder

    def __call__(
        self,
        *lines: str,
        resolver: Resolver,
        runtime: str = "python3.13",
        architecture: str = "x86_64",
        requirements: RequirementSet | None = None,
        settings: IndexSettings | None = None,
        remembered: Pylock | None = None,
        **options: object,
    ) -> Locked:
        """Lock `lines`, declared in `requirements.in`, for the target."""
        wanted = requirements or RequirementSet(declared=declared(*lines))
        return lock(
            wanted,
            load_target(runtime, architecture),
            options=LockOptions(
                indexes=settings or self.settings,
                build_folder=self.folder / "built",
                fetch_sdist=fetch_sdist,
                resolver=resolver,
                **options,  # type: ignore[arg-type]  # the tests name real options
            ),
            reporter=NullReporter(),
            remembered=remembered,
        )


def declared(*lines: str) -> tuple[Declared, ...]:
    """Declare `lines` as `requirements.in` would."""
    return tuple(
        Declared(requirement=Requirement(line), origin=f"requirements.in:{number}")
        for number, line in enumerate(lines, start=1)
    )


def chosen(locked: Locked) -> dict[str, str]:
    """The file chosen for each name."""
    return {pin.name: pin.wheel.filename for pin in locked.selection.pins}
