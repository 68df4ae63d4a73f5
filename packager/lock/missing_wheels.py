"""Wording for a distribution that has no wheel for the target: what exists, what to try."""

from collections.abc import Iterable, Sequence

from packaging.pylock import Package
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from packager.errors import CannotBuild
from packager.model.target import Target

_SHOWN = 12
_AL2023_GLIBC = (2, 34)
_AL2023_PYTHONS = (12, 13, 14)


def no_wheel(
    name: str,
    target: Target,
    *,
    version: Version | str | None = None,
    filenames: Sequence[str] = (),
) -> CannotBuild:
    """Word that none of `filenames`, wheels and sdists of `name`, fits `target`."""
    title = f"{name}=={version}" if version else name
    tags = _wheel_tags(filenames)
    has_sdist = any(not filename.endswith(".whl") for filename in filenames)
    details = [f"exists: {tag}" for tag in tags[:_SHOWN]]
    if len(tags) > _SHOWN:
        details.append(f"and {len(tags) - _SHOWN} more")
    if has_sdist:
        details.append("exists: a source distribution")
    return CannotBuild(
        f"no wheel of `{title}` fits `{target.label}`",
        details=details,
        hint=_hint(name, target, tags=tags, has_sdist=has_sdist),
    )


def requires_other_python(package: Package, target: Target) -> CannotBuild:
    """Word that `package` does not run on the target's Python."""
    return CannotBuild(
        f"`{package.name}=={package.version}` requires Python {package.requires_python}, "
        f"which `{target.label}` is not",
        hint="choose another runtime, or lock again for this one",
    )


def _wheel_tags(filenames: Iterable[str]) -> list[str]:
    """Give the distinct tags as file names write them, which keeps compressed sets together."""
    tags: dict[str, None] = {}
    for filename in filenames:
        if filename.endswith(".whl"):
            tags["-".join(filename.removesuffix(".whl").rsplit("-", 3)[1:])] = None
    return sorted(tags)


def _hint(name: str, target: Target, *, tags: Sequence[str], has_sdist: bool) -> str:
    """Say the likeliest way out, by looking at which part of the tag is in the way."""
    sdist = f'allow-sdist = ["{name}"] under [tool.lpack] builds it from source'
    if not tags:
        return sdist if has_sdist else "check the name and the version, or loosen the pin"
    own = {tuple(tag.split("-")[:2]) for tag in target.tags}
    if _fits(tags, own, machine=target.machine) and target.glibc < _AL2023_GLIBC:
        newer = "use python3.12 or newer, or " if _on_al2023(tags, target.machine) else ""
        return (
            f"the wheels need a newer C library than glibc {target.glibc[0]}.{target.glibc[1]}: "
            f"{newer}ask for an older version of `{name}`"
        )
    machine = "aarch64" if target.machine == "x86_64" else "x86_64"
    if _fits(tags, own, machine=machine):
        word = "arm64" if machine == "aarch64" else machine
        return f'its wheels for this Python are for {word}: set architecture = "{word}"'
    if has_sdist:
        return sdist
    return f"loosen the requirement on `{name}`, or choose a runtime that the tags name"


def _on_al2023(tags: Sequence[str], machine: str) -> bool:
    """Tell whether a runtime on Amazon Linux 2023 could take one of `tags`."""
    interpreters: set[tuple[str, ...]] = {(f"cp3{minor}", "abi3") for minor in range(2, 15)}
    interpreters |= {(f"cp3{minor}", f"cp3{minor}") for minor in _AL2023_PYTHONS}
    return _fits(tags, interpreters | {("py3", "none")}, machine=machine)


def _fits(tags: Sequence[str], interpreters: set[tuple[str, ...]], *, machine: str) -> bool:
    """Tell whether one of `tags` fits `interpreters` on Amazon Linux 2023 on `machine`."""
    platforms = {f"manylinux_2_{minor}_{machine}" for minor in range(_AL2023_GLIBC[1] + 1)}
    platforms |= {f"{name}_{machine}" for name in ("manylinux1", "manylinux2010", "manylinux2014")}
    for tag in tags:
        try:
            parsed = parse_wheel_filename(f"x-1-{tag}.whl")[3]
        except InvalidWheelFilename:
            continue
        if any((t.interpreter, t.abi) in interpreters and t.platform in platforms for t in parsed):
            return True
    return False
