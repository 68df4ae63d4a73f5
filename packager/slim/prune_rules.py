"""The prune rules that ship with lpack: data files read once, as compiled values."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

from packager.slim.globs import compile_globs

_FOLDER = Path(__file__).parent / "data"
_INERT = _FOLDER / "inert.toml"


class Exemption(NamedTuple):
    """Distributions whose files a rule leaves alone, because they do use them.

    A distribution is meant by its own name (a glob on the normalized name) or because it
    requires one of `requires`. `files` limits the exemption to names that fit.
    """

    distributions: re.Pattern[str] | None
    requires: frozenset[str]
    files: re.Pattern[str] | None
    reason: str


class Rule(NamedTuple):
    """One rule: a file that fits `files` and not `keep` is dropped.

    With `magic`, the file's first bytes must fit it too. `unless_present` switches the rule off
    for a wheel that has a file which fits it. `dead_bytecode` asks the import system's rules
    instead of the name alone. Only a `dist_info` rule looks into `.dist-info`, where `licenses/`
    repeats the names of sources. `named` rules are off unless the user names them. `versions`
    is the specifier of the versions that `check` has been run on.
    """

    id: str
    tier: Literal["inert", "declared"]
    files: re.Pattern[str] | None
    keep: re.Pattern[str] | None
    magic: re.Pattern[bytes] | None
    unless_present: re.Pattern[str] | None
    exemptions: tuple[Exemption, ...]
    dead_bytecode: bool
    dist_info: bool
    named: bool
    versions: str
    reason: str
    source: str
    date: str
    check: str


@cache
def load_inert() -> tuple[Rule, ...]:
    """Return the rules for every distribution, in the order in which they are asked."""
    data = _read(_INERT)
    groups = {entry["id"]: _exemption(entry) for entry in data["exemptions"]}
    return tuple(_rule(entry, data, tier="inert", groups=groups) for entry in data["rules"])


@cache
def load_declared(distribution: str) -> tuple[Rule, ...]:
    """Return the rules for `distribution` (normalized); most have none."""
    path = _declared_path(distribution)
    if not path.exists():
        return ()
    data = _read(path)
    return tuple(_rule(entry, data, tier="declared", groups={}) for entry in data["rules"])


def declared_distributions() -> tuple[str, ...]:
    """Name every distribution with declared rules, in order."""
    return tuple(sorted(path.stem for path in (_FOLDER / "declared").glob("*.toml")))


def digest_of_rules(distribution: str) -> str:
    """Give the sha256 of every rule that can concern `distribution`, for keys of the store."""
    digest = sha256(_INERT.read_bytes())
    path = _declared_path(distribution)
    if path.exists():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _declared_path(distribution: str) -> Path:
    return _FOLDER / "declared" / f"{distribution}.toml"


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return tomllib.load(stream)


def _exemption(entry: Mapping[str, Any]) -> Exemption:
    return Exemption(
        distributions=compile_globs(entry.get("distributions", ())),
        requires=frozenset(entry.get("requires", ())),
        files=compile_globs(entry.get("files", ())),
        reason=entry["reason"],
    )


def _rule(
    entry: Mapping[str, Any],
    document: Mapping[str, Any],
    *,
    tier: Literal["inert", "declared"],
    groups: Mapping[str, Exemption],
) -> Rule:
    return Rule(
        id=entry["id"],
        tier=tier,
        files=compile_globs(entry["files"]),
        keep=compile_globs(entry.get("keep", ())),
        magic=_magic(entry.get("magic", ())),
        unless_present=compile_globs(entry.get("unless-present", ())),
        exemptions=tuple(groups[name] for name in entry.get("exemptions", ())),
        dead_bytecode=entry.get("dead-bytecode", False),
        dist_info=entry.get("dist-info", False),
        named=entry.get("named", False),
        versions=document.get("versions", ""),
        reason=entry["reason"],
        source=entry["source"],
        date=str(entry.get("date", document["date"])),
        check=entry["check"],
    )


def _magic(texts: tuple[str, ...]) -> re.Pattern[bytes] | None:
    """Compile byte patterns: pairs of hexadecimal digits, `??` for any byte."""
    if not texts:
        return None
    return re.compile(
        b"|".join(
            b"".join(
                b"." if pair == "??" else re.escape(bytes.fromhex(pair))
                for pair in re.findall(r"[0-9a-f]{2}|\?\?", text)
            )
            for text in texts
        ),
        re.DOTALL,
    )
