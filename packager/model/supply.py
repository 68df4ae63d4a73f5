"""What a bill of materials tells of a distribution beyond the manifest."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from packaging.metadata import parse_email

PLACES = ("index", "private", "file", "unknown")
"""Where wheels come from: the public index, any other server, this machine; nobody knows."""

_VENDORED: Final = re.compile(r"[^/]+\.libs/[^/]+|(?:.*/)?\.dylibs/[^/]+")
_LICENSES: Final = "License :: "


class WheelBill(NamedTuple):
    """A bill of materials inside a wheel (PEP 770); `path` is its name there."""

    path: str
    sha256: str
    text: str


class WheelFacts(NamedTuple):
    """What a wheel's own metadata says, as it is written there.

    `expression` is License-Expression (PEP 639), `license` the older free text, `classifiers`
    those about licences. `vendored` are the shared libraries in folders such as `NAME.libs`.
    """

    expression: str = ""
    license: str = ""
    classifiers: tuple[str, ...] = ()
    bills: tuple[WheelBill, ...] = ()
    vendored: tuple[str, ...] = ()


class Supply(NamedTuple):
    """Where a distribution came from and what is in it.

    `place` is one of `PLACES`; `url` is told only of the public index. `libraries` are
    (path, sha256 of the bytes that ship) of the vendored shared libraries; the digest is empty
    where they are inside an archive, whose digest is `archive_sha256`.
    """

    place: str = "unknown"
    url: str = ""
    facts: WheelFacts = WheelFacts()
    libraries: tuple[tuple[str, str], ...] = ()
    archive_sha256: str = ""


def is_vendored(name: str) -> bool:
    """Tell whether a path is that of a shared library which a repair tool put into a wheel.

    auditwheel and delvewheel have `NAME.libs` beside the package, delocate `.dylibs` inside.
    """
    return _VENDORED.fullmatch(name) is not None


def wheel_facts(
    metadata: bytes, bills: Sequence[WheelBill] = (), vendored: Sequence[str] = ()
) -> WheelFacts:
    """Return what METADATA says; nothing that is not there, or no text, is made up.

    Source: core metadata specification (License-Expression of PEP 639, License, Classifier).
    """
    raw, _ = parse_email(metadata)
    classifiers = raw.get("classifiers") or ()
    return WheelFacts(
        expression=raw.get("license_expression") or "",
        license=raw.get("license") or "",
        classifiers=tuple(each for each in classifiers if each.startswith(_LICENSES)),
        bills=tuple(bills),
        vendored=tuple(vendored),
    )
