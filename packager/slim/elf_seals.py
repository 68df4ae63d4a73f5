"""Tells which libraries are held against a checksum of their whole file when they are used. Pure.

Stripping such a library would make it refuse to work: NSS reads `libsoftokn3.chk`, GnuTLS and
libgcrypt `.libgnutls.so.30.hmac`, and OpenSSL's FIPS provider is measured by `fipsmodule.cnf`.
"""

from collections.abc import Collection
from pathlib import PurePosixPath

_MEASURED_BY_CONFIGURATION = ("fips.so",)


def is_sealed(name: str, names: Collection[str]) -> bool:
    """Tell whether the file `name` of a wheel with the files `names` must keep all of its bytes."""
    path = PurePosixPath(name)
    seals = (
        path.with_suffix(".chk"),
        path.with_name(f"{path.name}.hmac"),
        path.with_name(f".{path.name}.hmac"),
    )
    return path.name in _MEASURED_BY_CONFIGURATION or any(str(seal) in names for seal in seals)
