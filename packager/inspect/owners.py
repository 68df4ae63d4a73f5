"""Decides whose every file of an artifact is: a distribution's, or the user's own."""

from collections.abc import Iterable, Mapping

from packager.inspect.dist_info import Described, find_described
from packager.inspect.guesses import guess_distributions
from packager.model.found import FoundFile, Opened
from packager.model.owned import OwnedDistribution, Ownership

_CACHE = "__pycache__/"


def find_owners(opened: Opened) -> Ownership:
    """Give every file of `opened` exactly one owner.

    First what metadata lists; then bytecode beside its source, and files within a package that is
    somebody's; then names that are known, for artifacts whose metadata was thrown away. What is
    left is the user's own code.
    """
    by_path = {file.path: file for file in opened.found.files}
    described = list(find_described(opened, by_path))
    claims: dict[str, int] = {}
    for number, each in enumerate(described):
        _claim_listed(each, number, by_path, claims)
    if described:
        _claim_packages(described, by_path, claims)
    left = [file for file in opened.found.files if file.path not in claims]
    roots = dict.fromkeys(each.root for each in described)
    guessed, code = guess_distributions(opened, left, roots)
    places = {(each.root, each.name): number for number, each in enumerate(described)}
    for guess in guessed:
        # A folder of its name beside its metadata is the distribution's, listed or not.
        if (guess.root, guess.name) in places:
            owner = places[guess.root, guess.name]
            claims.update((file.path, owner) for file in guess.files)
    guessed = [each for each in guessed if (each.root, each.name) not in places]
    owned: list[list[FoundFile]] = [[] for _ in described]
    # A path that is there twice counts twice, as it does in the artifact's size.
    for file in opened.found.files:
        if file.path in claims:
            owned[claims[file.path]].append(file)
    distributions = [
        _owned(each, files, by_path) for each, files in zip(described, owned, strict=True)
    ]
    return Ownership(
        tuple(sorted([*distributions, *guessed], key=lambda each: (each.name, each.root))),
        tuple(code),
    )


def _claim_listed(
    each: Described, number: int, by_path: Mapping[str, FoundFile], claims: dict[str, int]
) -> None:
    for path in each.listed:
        if path in by_path:
            claims.setdefault(path, number)


def _claim_packages(
    described: list[Described], by_path: Mapping[str, FoundFile], claims: dict[str, int]
) -> None:
    """Give what no RECORD lists to the package it lies in."""
    packages = _packages(described, claims)
    for path in by_path:
        if path in claims:
            continue
        owner = _owner_above(path, packages)
        if owner is None:
            owner = _owner_of_source(path, claims)
        if owner is not None:
            claims[path] = owner


def _packages(described: list[Described], claims: Mapping[str, int]) -> dict[str, int]:
    """Map the folders (with a slash) that are one distribution's alone to it.

    A folder with an `__init__.py` of its own is a package; a namespace such as `google/` is not.
    """
    packages: dict[str, int] = {}
    for path, number in claims.items():
        if path.endswith("/__init__.py"):
            packages[path.removesuffix("__init__.py")] = number
    for number, each in enumerate(described):
        packages[each.info] = number
        packages.setdefault(f"{each.root}{each.name.replace('-', '_')}.libs/", number)
        if not each.listed:
            for name in each.top_level or (each.name.replace("-", "_"),):
                packages.setdefault(f"{each.root}{name}/", number)
                claims_of_module = f"{each.root}{name}.py"
                packages.setdefault(claims_of_module, number)
    return packages


def _owner_above(path: str, packages: Mapping[str, int]) -> int | None:
    """Return the owner of the nearest folder above `path` that has one."""
    if path in packages:
        return packages[path]
    folder = path
    while folder:
        folder = folder[: folder.rstrip("/").rfind("/") + 1]
        if folder in packages:
            return packages[folder]
    return None


def _owner_of_source(path: str, claims: Mapping[str, int]) -> int | None:
    """Return who owns the source that the bytecode at `path` was made of (PEP 3147)."""
    folder, cache, file = path.rpartition(_CACHE)
    return claims.get(f"{folder}{file.partition('.')[0]}.py") if cache else None


def _owned(
    each: Described, files: Iterable[FoundFile], by_path: Mapping[str, FoundFile]
) -> OwnedDistribution:
    return OwnedDistribution(
        name=each.name,
        version=each.version,
        evidence=each.evidence,
        root=each.root,
        info=each.info,
        requires=each.requires,
        extras=each.extras,
        tags=each.tags,
        asked_for=each.asked_for,
        missing=tuple(path for path in each.listed if path not in by_path),
        files=tuple(files),
    )
