"""The shared store as the environment names it.

Only the environment: what a project says would let a foreign project fill the store of the
machine that builds it.
"""

import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from packager.errors import UsageError
from packager.model.redaction import redact_url
from packager.model.shared_store import SharedPlace

URL: Final = "LPACK_SHARED_STORE"
MODE: Final = "LPACK_SHARED_STORE_MODE"
KEY: Final = "LPACK_SHARED_STORE_KEY"

OBJECT_STORES: Final = frozenset({"s3", "gs", "az", "abfs", "abfss"})
_MODES: Final = ("read-write", "read")
_SMALLEST_KEY_CHARACTERS: Final = 16


def shared_place(environment: Mapping[str, str]) -> SharedPlace | None:
    """Return the shared store of this machine, None without one; raises UsageError."""
    url = environment.get(URL, "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https", *OBJECT_STORES} and bool(parts.hostname)
        usable = usable and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"{URL} is `{redact_url(url)}`, no URL of a shared store",
            hint=f"{URL}=https://HOST/PATH, s3://BUCKET/PREFIX, gs://… or az://…",
        )
    mode = environment.get(MODE) or _MODES[0]
    if mode not in _MODES:
        raise UsageError(f"{MODE} is `{mode}`, neither {' nor '.join(_MODES)}", hint=f"{MODE}=read")
    key = environment.get(KEY, "")
    if key and len(key) < _SMALLEST_KEY_CHARACTERS:
        raise UsageError(
            f"{KEY} is shorter than {_SMALLEST_KEY_CHARACTERS} characters",
            hint=f"{KEY}=$(openssl rand -hex 32)",
        )
    return SharedPlace(url.rstrip("/"), os.fsencode(key), mode != "read")


def shown(place: SharedPlace) -> str:
    """Return the URL for people: no credentials, and no account key as some put into the host."""
    return re.sub(r"[^\x20-\x7e]", "?", redact_url(place.url))
