"""Whether the distributions of an artifact fit together, by their own metadata. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from packager.inspect.codes import BY_NAME, advise
from packager.inspect.edges import names_required
from packager.model.advice import Advice
from packager.model.found import Found
from packager.model.owned import OwnedDistribution

_INSTALLERS = frozenset({"pip", "setuptools", "wheel"})
_ODDITIES = {
    "twice": "name-twice",
    "encrypted": "not-unpackable",
    "method": "not-unpackable",
    "symlink": "symlink",
    "prefix": "bytes-in-front",
}
_MOST_DETAILS = 10


def check_consistency(
    distributions: Sequence[OwnedDistribution],
    environment: Mapping[str, str],
    *,
    provided: Collection[str],
) -> Iterator[Advice]:
    """Yield what is missing, violated, doubled, incomplete or only guessed.

    `provided` are the names that the runtime has itself, or all that may come from elsewhere.
    """
    versions = {each.name: each.version for each in distributions}
    for each in distributions:
        for name, requirement in names_required(each, environment).items():
            if name not in versions:
                if name not in provided:
                    yield _missing(each, requirement)
            elif _violates(requirement, versions[name]):
                yield _violated(each, requirement, versions[name])
    yield from _doubled(distributions)
    for each in distributions:
        absent = [path for path in each.missing if not path.endswith((".pyc", "/"))]
        if absent and each.files:
            yield _absent(each, absent)
        if each.name in _INSTALLERS:
            yield _installer(each)
    guessed = [each for each in distributions if each.evidence == "guess"]
    if guessed:
        yield _guessed(guessed)


def container_oddities(found: Found) -> Iterator[Advice]:
    """Yield what is odd about the container itself, one finding for each kind."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for kind, path, sentence in found.oddities:
        kinds.setdefault(kind, []).append((path, sentence))
    for kind, rows in kinds.items():
        name = _ODDITIES[kind]
        more = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
        yield advise(
            name,
            f"{rows[0][1]}{more}",
            path=rows[0][0],
            hint=BY_NAME[name].advice,
            details=tuple(sentence for _, sentence in rows[1:_MOST_DETAILS]),
            cases=len(rows),
        )


def title_of(distribution: OwnedDistribution) -> str:
    """Return `NAME VERSION`, or the name alone."""
    return f"{distribution.name} {distribution.version}".rstrip()


def _violates(requirement: Requirement, version: str) -> bool:
    try:
        return not requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def _missing(each: OwnedDistribution, requirement: Requirement) -> Advice:
    plain = f"{requirement.name}{requirement.specifier}"
    return advise(
        "requirement-missing",
        f"{title_of(each)} requires `{plain}`, which neither the artifact nor the runtime has",
        owner=each.name,
        hint=f"pip install --target . '{plain}', unless a layer of the function has it",
    )


def _violated(each: OwnedDistribution, requirement: Requirement, version: str) -> Advice:
    plain = f"{requirement.name}{requirement.specifier}"
    return advise(
        "requirement-violated",
        f"{title_of(each)} requires `{plain}`, and the artifact has {requirement.name} {version}",
        owner=each.name,
        hint=f"install `{plain}`, or another version of {each.name}",
    )


def _doubled(distributions: Sequence[OwnedDistribution]) -> Iterator[Advice]:
    code = BY_NAME["installed-twice"]
    for name, count in Counter(each.name for each in distributions).items():
        if count > 1:
            twins = [each for each in distributions if each.name == name]
            places = ", ".join(f"{title_of(each)} in `{each.root or '.'}`" for each in twins)
            spare = [file for each in twins[1:] for file in each.files]
            yield advise(
                "installed-twice",
                f"{name} is there {count} times: {places}",
                owner=name,
                hint=code.advice,
                paths=tuple(file.path for file in spare),
                compressed_bytes=sum(file.contribution_bytes for file in spare),
                uncompressed_bytes=sum(file.uncompressed_bytes for file in spare),
            )


def _absent(each: OwnedDistribution, absent: Sequence[str]) -> Advice:
    more = f" and {len(absent) - 1:,} more" if len(absent) > 1 else ""
    return advise(
        "listed-but-absent",
        f"RECORD of {title_of(each)} lists `{absent[0]}`{more}, which the artifact does not have",
        owner=each.name,
        details=tuple(absent[:_MOST_DETAILS]),
        cases=len(absent),
    )


def _installer(each: OwnedDistribution) -> Advice:
    return advise(
        "installers",
        f"{title_of(each)} installs packages, which a function never does",
        owner=each.name,
        hint=f'drop = ["{each.name}/**"], unless your code imports it',
        paths=tuple(file.path for file in each.files),
        compressed_bytes=sum(file.contribution_bytes for file in each.files),
        uncompressed_bytes=sum(file.uncompressed_bytes for file in each.files),
    )


def _guessed(guessed: Sequence[OwnedDistribution]) -> Advice:
    code = BY_NAME["without-metadata"]
    names = ", ".join(title_of(each) for each in guessed[:6])
    more = f" and {len(guessed) - 6} more" if len(guessed) > 6 else ""
    return advise(
        "without-metadata",
        f"{names}{more}: guessed by name, their `.dist-info` is not in the artifact",
        hint=code.advice,
        cases=len(guessed),
    )
