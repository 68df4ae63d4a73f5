"""What the distributions in any artifact say of themselves: for a bill of materials."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from packager.model.found import FoundFile, Opened
from packager.model.owned import OwnedDistribution
from packager.model.supply import Supply, WheelBill, is_vendored, wheel_facts

_LARGEST_READ_BYTES: Final = 16 << 20


def read_supply(opened: Opened, owned: OwnedDistribution) -> Supply:
    """Return licences, bills and vendored libraries; what cannot be read is left out.

    Where a distribution came from is not in an artifact.
    """
    metadata = b""
    bills = []
    for file in owned.files:
        # Without a metadata folder nothing of it says anything.
        inside = file.path.removeprefix(owned.info) if owned.info else ""
        if inside in ("METADATA", "PKG-INFO"):
            metadata = _read(opened, file)
        elif re.fullmatch(r"sboms/.+", inside):
            data = _read(opened, file)
            digest = hashlib.sha256(data).hexdigest()
            bills.append(WheelBill(file.path, digest, data.decode("utf-8", "replace")))
    return Supply(facts=wheel_facts(metadata, bills), libraries=tuple(_libraries(opened, owned)))


def _libraries(opened: Opened, owned: OwnedDistribution) -> Iterator[tuple[str, str]]:
    for file in owned.files:
        if is_vendored(file.path.removeprefix(owned.root)):
            with opened.spool(file) as stream:
                digest = hashlib.sha256()
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
                yield file.path, digest.hexdigest()


def _read(opened: Opened, file: FoundFile) -> bytes:
    try:
        return opened.read(file, _LARGEST_READ_BYTES)
    except OSError:
        return b""
