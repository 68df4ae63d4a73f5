"""Reads METADATA and WHEEL of other people's wheels; pure.

Sources: PyPA specifications "Core metadata" and "Binary distribution format".
"""

import re
from dataclasses import dataclass
from email.parser import Parser

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata, parse_email
from packaging.utils import canonicalize_name
from packaging.version import Version

from packager.wheels.layout import FileName, WrongLayout
from packager.wheels.names import show

_SPECIFICATION = (1, 0)
# Python converts no text of more than 4,300 digits to a number.
_ENDLESS = re.compile(r"\d{4300}")


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelFile:
    """What WHEEL states, and what is odd about it."""

    root_is_purelib: bool
    tags: tuple[str, ...]
    findings: tuple[str, ...]


def parse_wheel_file(data: bytes, expected: FileName) -> WheelFile:
    """Parse WHEEL; its tags are held against the file name's.

    Raises:
        WrongLayout: not UTF-8, no `Wheel-Version`, or a major version other than 1.

    """
    try:
        message = Parser().parsestr(data.decode("utf-8"), headersonly=True)
    except UnicodeDecodeError:
        raise WrongLayout("its WHEEL is not UTF-8") from None
    findings = []
    version = _parse_wheel_version(message.get("Wheel-Version"))
    if version > _SPECIFICATION:
        findings.append(f"WHEEL is of the newer version {version[0]}.{version[1]}")
    purelib = str(message.get("Root-Is-Purelib", "")).strip().lower()
    if purelib not in {"true", "false"}:
        findings.append("WHEEL does not state Root-Is-Purelib")
    tags = tuple(
        tag for text in message.get_all("Tag", []) for tag in _expand_tag(str(text).strip())
    )
    if set(tags) != set(expected.tags):
        findings.append("the tags in WHEEL are not those of the file name")
    return WheelFile(
        root_is_purelib=purelib == "true", tags=tags or expected.tags, findings=tuple(findings)
    )


def parse_metadata_file(data: bytes, expected: FileName) -> tuple[Metadata, tuple[str, ...]]:
    """Parse METADATA; name and version must be those of the file name.

    Fields that break the specification are dropped and told as findings, except the ones a
    build depends on: a requirement that PEP 508 does not allow, or with a number nobody can
    compare, refuses the wheel.

    Raises:
        WrongLayout: it names another distribution, or has an invalid requirement.

    """
    raw, _ = parse_email(data)
    name, version = raw.get("name", ""), raw.get("version", "")
    try:
        same = Version(version) == expected.version
    except ValueError:  # not a version, or a number without end
        same = False
    if not same or canonicalize_name(name) != expected.name:
        raise WrongLayout(f"its METADATA names {show(f'{name} {version}')}")
    metadata = Metadata.from_raw(raw, validate=False)
    for requirement in raw.get("requires_dist", []):
        if _ENDLESS.search(requirement) or _is_invalid(RawMetadata(requires_dist=[requirement])):
            raise WrongLayout(f"its METADATA has the invalid requirement {show(requirement)}")
    if "requires_python" in raw and _is_invalid(
        RawMetadata(requires_python=raw["requires_python"])
    ):
        finding = f"METADATA has the invalid Requires-Python {show(raw.pop('requires_python'))}"
        return Metadata.from_raw(raw, validate=False), (finding,)
    return metadata, ()


def _is_invalid(raw: RawMetadata) -> bool:
    """Parse the one field of `raw`: `Metadata` parses lazily, when a field is first read."""
    metadata = Metadata.from_raw(raw, validate=False)
    try:
        for field in raw:
            getattr(metadata, field)
    except InvalidMetadata:
        return True
    return False


def _parse_wheel_version(text: object) -> tuple[int, int]:
    parts = str(text or "").strip().split(".")
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise WrongLayout("its WHEEL states no Wheel-Version")
    version = (int(parts[0][:9]), int(parts[1][:9]) if len(parts) > 1 else 0)
    if version[0] != _SPECIFICATION[0]:
        raise WrongLayout(f"its Wheel-Version {version[0]}.{version[1]} is not supported")
    return version


def _expand_tag(text: str) -> tuple[str, ...]:
    """Expand a compressed tag set, which some builders write into WHEEL as it is."""
    parts = [part.split(".") for part in text.split("-")]
    if len(parts) != 3:
        return (text,)
    pythons, abis, platforms = parts
    return tuple(f"{p}-{a}-{q}" for p in pythons for a in abis for q in platforms)
