"""What an admitted wheel says of itself: licences, bills of materials, vendored libraries."""

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Final

from packaging.metadata import parse_email

from packager.model.supply import WheelBill, WheelFacts

LARGEST_BILL_BYTES: Final = 16 << 20
"""A larger bill is named with its digest, and not read."""

_VENDORED: Final = re.compile(r"[^/]+\.libs/[^/]+|(?:.*/)?\.dylibs/[^/]+")
_LICENSES: Final = "License :: "


def read_own_words(wheel: Path) -> WheelFacts:
    """Read a wheel that was admitted, so that its archive, names and sizes can be trusted.

    Sources: core metadata specification (License-Expression of PEP 639, License, Classifier),
    PEP 770 (`.dist-info/sboms`), auditwheel and delocate for the folders of libraries.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        metadata = next(n for n in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
        raw, _ = parse_email(archive.read(metadata))
        inside = metadata.removesuffix("METADATA") + "sboms/"
        return WheelFacts(
            expression=raw.get("license_expression") or "",
            license=raw.get("license") or "",
            classifiers=tuple(
                each for each in raw.get("classifiers") or () if each.startswith(_LICENSES)
            ),
            bills=tuple(_bill(archive, name) for name in names if name.startswith(inside)),
            vendored=tuple(name for name in names if is_vendored(name)),
        )


def is_vendored(name: str) -> bool:
    """Tell whether a path is that of a shared library which a repair tool put into a wheel."""
    return _VENDORED.fullmatch(name) is not None


def _bill(archive: zipfile.ZipFile, name: str) -> WheelBill:
    digest, kept = hashlib.sha256(), b""
    small = archive.getinfo(name).file_size <= LARGEST_BILL_BYTES
    with archive.open(name) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            kept += chunk if small else b""
    return WheelBill(name, digest.hexdigest(), kept.decode("utf-8", "replace"))
