"""Which files of a lock the declared hashes accept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from packaging.pylock import Package, PackageSdist, PackageWheel

from packager.errors import CannotBuild


@dataclass(frozen=True, kw_only=True, slots=True)
class HashRules:
    """The hashes that inputs such as `requirements.txt` or `uv.lock` declare.

    `accepted` maps (normalized name, version) to sha256 digests in hex. With `required`, every
    distribution must be listed (`--require-hashes`), but for `own`: the names of the user's own
    projects, whose wheels were built a moment ago.
    """

    accepted: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    required: bool = False
    own: frozenset[str] = frozenset()


def accepted_files(packages: Sequence[Package], rules: HashRules) -> list[Package]:
    """Give `packages` with only those files whose sha256 is declared, where any is declared.

    Raise CannotBuild when nothing is left of a distribution, or when hashes are required and
    some distribution has none.
    """
    if not rules.accepted and not rules.required:
        return list(packages)
    kept: list[Package] = []
    unlisted: list[str] = []
    for package in packages:
        listed = rules.accepted.get((package.name, str(package.version)))
        if package.name in rules.own:
            kept.append(package)
        elif listed is not None:
            kept.append(_narrowed(package, listed))
        else:
            kept.append(package)
            unlisted.append(f"{package.name}=={package.version}")
    if rules.required and unlisted:
        raise CannotBuild(
            f"hashes are required and `{unlisted[0]}` has none",
            details=unlisted,
            hint="list every distribution with `--hash=sha256:...`, also the indirect ones",
        )
    return kept


def sha256_of(filename: str, hashes: Mapping[str, str]) -> str:
    """Give the sha256 in lower-case hex; raise CannotBuild when only weaker hashes are there."""
    digest = hashes.get("sha256")
    if digest is None:
        names = ", ".join(sorted(hashes))
        raise CannotBuild(
            f"`{filename}` is locked by {names} and not by sha256",
            hint="lock again with an index that gives sha256 digests",
        )
    return digest.lower()


def _narrowed(package: Package, listed: frozenset[str]) -> Package:
    """Take the files out whose digest is not listed."""
    accepted = {digest.lower() for digest in listed}
    wheels = [wheel for wheel in package.wheels or () if _digest(wheel) in accepted]
    sdist = package.sdist if package.sdist and _digest(package.sdist) in accepted else None
    if package.archive is not None:
        if package.archive.hashes.get("sha256", "").lower() in accepted:
            return package
    elif package.is_direct or wheels or sdist:
        return replace(package, wheels=wheels, sdist=sdist) if not package.is_direct else package
    raise _mismatch(package, accepted)


def _digest(entry: PackageWheel | PackageSdist) -> str:
    return entry.hashes.get("sha256", "").lower()


def _mismatch(package: Package, accepted: set[str]) -> CannotBuild:
    offered = [
        f"offered   {wheel.filename} sha256:{_digest(wheel)}" for wheel in package.wheels or ()
    ]
    if package.archive is not None:
        offered.append(f"offered   sha256:{package.archive.hashes.get('sha256', '')}")
    declared = [f"declared  sha256:{digest}" for digest in sorted(accepted)]
    return CannotBuild(
        f"hash mismatch for `{package.name}=={package.version}`: no file on the index has a "
        "declared sha256",
        details=[*declared, *offered],
        hint="the files on the index changed, or the hashes belong to other files: lock again",
    )
