"""Holds a wheel's RECORD against what its members really contain; pure.

Source: PyPA specification "Binary distribution format": every file is listed with sha256 or
better, except RECORD itself and its signatures.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from packager.model.record import HASH_ALGORITHMS, RecordEntry, encode_hash
from packager.wheels.names import show, show_some

_HEX = re.compile(r"[0-9A-Fa-f]+")
_HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_UNLISTED = ("RECORD", "RECORD.jws", "RECORD.p7s")


class Contents(NamedTuple):
    """What a member was found to contain; `hash` is written as in RECORD."""

    hash: str
    uncompressed_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordVerdict:
    """What is wrong with a RECORD: `refusals` forbid the wheel, `findings` are worth telling."""

    refusals: tuple[str, ...]
    findings: tuple[str, ...]


def choose_algorithm(entry: RecordEntry | None) -> str:
    """Choose the hash with which a member can be compared with its line of RECORD."""
    algorithm = entry.hash.partition("=")[0] if entry else ""
    return algorithm if algorithm in HASH_ALGORITHMS else "sha256"


def check_record(
    record: Mapping[str, RecordEntry], contents: Mapping[str, Contents], *, dist_info: str
) -> RecordVerdict:
    """Compare RECORD with the members, directories left out.

    What is wrong inside `dist_info` (a folder's name) is a finding, because some builders edit
    METADATA or WHEEL after RECORD; in the payload it is a refusal. A listed file that is absent
    and a hash in hexadecimal are findings; a listed path that leads out of the wheel is a refusal.
    """
    own = f"{dist_info}/"
    exempt = {own + name for name in _UNLISTED}
    kinds: dict[tuple[bool, str], list[str]] = {}
    for name, found in contents.items():
        if name in exempt:
            continue
        problem = _find_mismatch(record.get(name), found)
        if problem:
            kinds.setdefault((name.startswith(own), problem), []).append(name)
    outside = [name for name in record if _leads_out(name)]
    refusals = [f"RECORD lists {show_some(outside)} outside of the wheel"] if outside else []
    refusals += [_word(problem, names) for (mild, problem), names in kinds.items() if not mild]
    findings = [_word(problem, names) for (mild, problem), names in kinds.items() if mild]
    in_hex = [n for n, entry in record.items() if _is_hex(*entry.hash.split("=", 1))]
    if in_hex:
        findings.append(f"RECORD writes hashes in hexadecimal for {show_some(sorted(in_hex))}")
    absent = [n for n in record if n not in contents and n not in exempt and not n.endswith("/")]
    if absent:
        findings.append(f"RECORD lists {show_some(absent)}, which the wheel does not contain")
    return RecordVerdict(refusals=tuple(refusals), findings=tuple(findings))


def _find_mismatch(entry: RecordEntry | None, found: Contents) -> str | None:
    if entry is None:
        return "does not list"
    if not entry.hash:
        return "has no hash for"
    algorithm, _, digest = entry.hash.partition("=")
    if algorithm not in HASH_ALGORITHMS:
        return f"has only a hash of the kind {show(algorithm)} for"
    if _in_base64(algorithm, digest) != found.hash:
        return "has another hash for"
    if entry.uncompressed_bytes not in {None, found.uncompressed_bytes}:
        return "has another size for"
    return None


def _is_hex(algorithm: str, digest: str = "") -> bool:
    """Tell whether a hash is spelled as some builders do it; no base64 of it is as long."""
    return len(digest) == _HEX_DIGITS.get(algorithm) and bool(_HEX.fullmatch(digest))


def _in_base64(algorithm: str, digest: str) -> str:
    """Return a hash as RECORD has to write it."""
    if _is_hex(algorithm, digest):
        return encode_hash(algorithm, bytes.fromhex(digest))
    return f"{algorithm}={digest.rstrip('=')}"


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/")


def _word(problem: str, names: list[str]) -> str:
    return f"RECORD {problem} {show_some(sorted(names))}"
