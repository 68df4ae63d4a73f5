"""What an admitted wheel says of itself: licences, bills of materials, vendored libraries."""

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Final

from packager.model.supply import WheelBill, WheelFacts, is_vendored, wheel_facts

LARGEST_BILL_BYTES: Final = 16 << 20
"""A larger bill is named with its digest, and not read."""


def read_own_words(wheel: Path) -> WheelFacts:
    """Read a wheel that was admitted, so that its archive, names and sizes can be trusted.

    Source: PEP 770 for the bills in `.dist-info/sboms`.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        metadata = next(n for n in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
        inside = metadata.removesuffix("METADATA") + "sboms/"
        bills = [_bill(archive, name) for name in names if name.startswith(inside)]
        vendored = [name for name in names if is_vendored(name)]
        return wheel_facts(archive.read(metadata), bills, vendored)


def _bill(archive: zipfile.ZipFile, name: str) -> WheelBill:
    digest, kept = hashlib.sha256(), b""
    small = archive.getinfo(name).file_size <= LARGEST_BILL_BYTES
    with archive.open(name) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            kept += chunk if small else b""
    return WheelBill(name, digest.hexdigest(), kept.decode("utf-8", "replace"))
