"""What a bill of materials tells of a distribution beyond the manifest."""

from typing import NamedTuple

PLACES = ("index", "private", "file")
"""Where wheels come from: the public index, any other server, this machine."""


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

    place: str = "file"
    url: str = ""
    facts: WheelFacts = WheelFacts()
    libraries: tuple[tuple[str, str], ...] = ()
    archive_sha256: str = ""
