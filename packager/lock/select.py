"""Which file of a lock ships on the target (PEP 751, "Installing").

`packaging.pylock.Pylock.select` does the choosing, for the target's markers and tags and never
for this machine. Around it stand the rules about hashes and about files that are no wheels.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote
from urllib.request import url2pathname

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
)
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename
from packaging.version import Version

from packager.errors import CannotBuild
from packager.lock.hashes import HashRules, accepted_files, sha256_of
from packager.lock.missing_wheels import no_wheel, requires_other_python
from packager.model.redaction import redact_text, redact_url
from packager.model.selection import Pin, Selection, WheelReference
from packager.model.target import Target
from packager.model.url_path import url_path

Entry = PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Where entries that are no wheels of an index may come from.

    `base` is the folder that relative paths of the lock are meant from. `local` maps the names
    of the user's own projects to the wheels built from them. `allow_sdist` are the normalized
    names whose source distribution may be built.
    """

    base: Path | None = None
    local: Mapping[NormalizedName, WheelReference] = field(default_factory=dict)
    allow_sdist: Collection[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SdistReference:
    """A source distribution that was allowed by name and must be built.

    Exactly one of `url` and `path` is set. `sha256` is lower-case hex.
    """

    name: NormalizedName
    version: Version | None
    filename: str
    sha256: str
    url: str | None = None
    path: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What a lock chooses for a target: wheels, and what must be built first."""

    pins: tuple[Pin, ...]
    sdists: tuple[SdistReference, ...] = ()


def select(
    pylock: Pylock,
    target: Target,
    *,
    hashes: HashRules | None = None,
    sources: Sources | None = None,
    resolver: str | None = None,
) -> Selection:
    """Choose one wheel for every distribution that `pylock` wants on `target`.

    Raise CannotBuild when a distribution has no wheel for the target, fails the hash rules, or
    is a source distribution, a folder or a repository.
    """
    choice = choose(pylock, target, hashes=hashes, sources=sources)
    for sdist in choice.sdists:
        raise _not_a_wheel(sdist.name, f"a source distribution, `{sdist.filename}`")
    return Selection(pins=choice.pins, resolver=resolver or pylock.created_by)


def choose(
    pylock: Pylock,
    target: Target,
    *,
    hashes: HashRules | None = None,
    sources: Sources | None = None,
) -> Choice:
    """Choose as `select` does, and give allowed source distributions back instead of refusing."""
    rules, origin = hashes or HashRules(), sources or Sources()
    wanted = _accepted(pylock, target, rules)
    pins: list[Pin] = []
    sdists: list[SdistReference] = []
    for package, entry in _selected(wanted, target):
        chosen = _reference(package, entry, target=target, sources=origin)
        if isinstance(chosen, Pin):
            pins.append(chosen)
        else:
            sdists.append(chosen)
    return Choice(
        pins=tuple(sorted(pins, key=lambda pin: pin.name)),
        sdists=tuple(sorted(sdists, key=lambda sdist: sdist.name)),
    )


def _accepted(pylock: Pylock, target: Target, rules: HashRules) -> Pylock:
    """Give `pylock` with only the packages wanted on `target` and only the accepted files.

    The markers are evaluated here once more so that a distribution that the target does not
    want cannot fail the hash rules.
    """
    environment: dict[str, str | frozenset[str]] = {
        **target.marker_environment,
        "extras": frozenset(),
        "dependency_groups": frozenset(pylock.default_groups or ()),
    }
    wanted = [
        package
        for package in pylock.packages
        if package.marker is None or package.marker.evaluate(environment, context="lock_file")
    ]
    packages = accepted_files(wanted, rules)
    _check_compatible(packages, target)
    return replace(pylock, packages=packages)


def _check_compatible(packages: Sequence[Package], target: Target) -> None:
    """Raise the error that names the existing tags before packaging raises a shorter one."""
    accepted = frozenset(target.tags)
    python = target.marker_environment["python_full_version"]
    for package in packages:
        if package.requires_python is not None and not package.requires_python.contains(
            python, prereleases=True
        ):
            raise requires_other_python(package, target)
        if package.wheels and package.sdist is None:
            names = [wheel.filename for wheel in package.wheels]
            if not any(_tags_of(name) & accepted for name in names):
                raise no_wheel(package.name, target, version=package.version, filenames=names)


def _tags_of(filename: str) -> frozenset[str]:
    return frozenset(str(tag) for tag in parse_wheel_filename(filename)[3])


def _selected(pylock: Pylock, target: Target) -> list[tuple[Package, Entry]]:
    tags = [Tag(*tag.split("-", 2)) for tag in target.tags]
    environment = dict(target.marker_environment)
    try:
        return list(pylock.select(environment=environment, tags=tags))  # type: ignore[arg-type]  # a TypedDict of the same keys
    except PylockSelectError as error:
        raise CannotBuild(
            f"the lock does not fit {target.label}: {redact_text(str(error))}",
            hint="lock again for this runtime and architecture",
        ) from error


def _reference(
    package: Package, entry: Entry, *, target: Target, sources: Sources
) -> Pin | SdistReference:
    if package.name in sources.local:
        wheel = sources.local[package.name]
        version = package.version or parse_wheel_filename(wheel.filename)[1]
        return Pin(name=package.name, version=version, wheel=wheel)
    if isinstance(entry, PackageWheel):
        return _wheel_pin(package, entry, sources)
    if isinstance(entry, PackageArchive):
        return _archive(package, entry, target=target, sources=sources)
    if isinstance(entry, PackageSdist):
        return _sdist(package, entry, target=target, sources=sources)
    if isinstance(entry, PackageDirectory):
        raise CannotBuild(
            f"the lock takes `{package.name}` from the folder `{entry.path}`, which is no wheel",
            hint="leave it out of the lock (`uv export --no-emit-local`), and name the folder "
            "among the requirements if it must ship as a distribution",
        )
    raise _not_a_wheel(package.name, f"a {entry.type} repository")


def _wheel_pin(package: Package, wheel: PackageWheel, sources: Sources) -> Pin:
    url, path = locate(wheel.url, wheel.path, base=sources.base)
    version = package.version or parse_wheel_filename(wheel.filename)[1]
    reference = WheelReference(
        filename=wheel.filename,
        sha256=sha256_of(wheel.filename, wheel.hashes),
        url=url,
        path=path,
        size_bytes=wheel.size,
    )
    return Pin(name=package.name, version=version, wheel=reference)


def _archive(
    package: Package, archive: PackageArchive, *, target: Target, sources: Sources
) -> Pin | SdistReference:
    """Turn a direct reference (`name @ https://...`) to a wheel into a pin."""
    url, path = locate(archive.url, archive.path, base=sources.base)
    filename = path.name if path else unquote(_last_part(url or ""))
    digest = sha256_of(filename, archive.hashes)
    if not filename.endswith(".whl"):
        if package.name not in sources.allow_sdist:
            raise _not_a_wheel(package.name, f"the archive `{redact_url(url or filename)}`")
        return SdistReference(
            name=package.name,
            version=package.version,
            filename=filename,
            sha256=digest,
            url=url,
            path=path,
        )
    try:
        version = parse_wheel_filename(filename)[1]
    except InvalidWheelFilename as error:
        raise CannotBuild(
            f"`{filename}`, to which `{package.name}` points, is not the name of a wheel"
        ) from error
    if not _tags_of(filename) & frozenset(target.tags):
        raise no_wheel(package.name, target, version=version, filenames=[filename])
    reference = WheelReference(
        filename=filename, sha256=digest, url=url, path=path, size_bytes=archive.size
    )
    return Pin(name=package.name, version=version, wheel=reference)


def _sdist(
    package: Package, sdist: PackageSdist, *, target: Target, sources: Sources
) -> SdistReference:
    if package.name not in sources.allow_sdist:
        names = [wheel.filename for wheel in package.wheels or ()]
        raise no_wheel(
            package.name,
            target,
            version=package.version,
            filenames=[*names, sdist.filename],
        )
    url, path = locate(sdist.url, sdist.path, base=sources.base)
    return SdistReference(
        name=package.name,
        version=package.version,
        filename=sdist.filename,
        sha256=sha256_of(sdist.filename, sdist.hashes),
        url=url,
        path=path,
    )


def locate(
    url: str | None, path: str | None, *, base: Path | None
) -> tuple[str | None, Path | None]:
    """Give either the URL or the absolute path a lock entry means.

    PEP 751: a path is preferred to a URL and is relative to the lock file. `file:` URLs become
    paths.
    """
    if path is not None:
        return None, (base or Path.cwd()) / path
    if url is not None and url.startswith("file:"):
        return None, Path(url2pathname(url_path(url)))
    return url, None


def _last_part(url: str) -> str:
    return url_path(url).rpartition("/")[2]


def _not_a_wheel(name: str, what: str) -> CannotBuild:
    return CannotBuild(
        f"`{name}` is {what}, not a wheel, and building it runs code on this machine",
        hint=f'allow it with `allow-sdist = ["{name}"]`, or use a version that has a wheel',
    )
