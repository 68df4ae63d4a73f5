"""Values of a shared store as bytes, and where they lie.

The layout is that of Bazel's HTTP caching protocol, because its servers are everywhere:
`cas/SHA256` holds bytes under their own digest, `ac/SHA256` a small document under the digest of
what it is about. A document carries a digest over its place and its contents, and with a key an
HMAC (RFC 2104) of the same.
"""

import hashlib
import hmac
import json
import re
import zlib
from typing import Any, Final

from packager.model.shared_store import WrongValueError
from packager.parsing import parse_json

LARGEST_DOCUMENT_BYTES: Final = 16 << 20
_LARGEST_INFLATED_BYTES: Final = 64 << 20
_HEAD: Final = re.compile(rb"lpack1 ([0-9a-f]{64}) ([0-9a-f]{64}|-)\n")
_HEX: Final = re.compile(r"[0-9a-f]{64}")


def is_digest(value: object) -> bool:
    """Tell whether `value` is a sha256 in lower-case hex."""
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def blob_path(sha256: str) -> str:
    """Return where bytes with this digest lie, relative to the store."""
    return f"cas/{sha256}"


def document_path(kind: str, key: str) -> str:
    """Return where the document about `key` lies, relative to the store."""
    return f"ac/{hashlib.sha256(f'lpack {kind}/{key}'.encode()).hexdigest()}"


def encode_document(kind: str, key: str, value: dict[str, Any], *, secret: bytes) -> bytes:
    """Return the bytes of a document: a line that proves the rest, then the JSON, deflated."""
    body = zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), 6)
    digest, mac = _proofs(kind, key, body, secret)
    return b"lpack1 " + digest + b" " + mac + b"\n" + body


def decode_document(kind: str, key: str, content: bytes, *, secret: bytes) -> dict[str, Any]:
    """Return the document; raises WrongValueError for what `encode_document` did not write.

    With a `secret` that includes everything that was not signed with it.
    """
    head = _HEAD.match(content)
    body = content[head.end() :] if head else b""
    digest, mac = _proofs(kind, key, body, secret)
    if head is None or head[1] != digest:
        raise WrongValueError("it is cut, altered or of another format")
    if secret and not hmac.compare_digest(head[2], mac):
        raise WrongValueError("it is not signed with LPACK_SHARED_STORE_KEY")
    return _inflated(body)


def _inflated(body: bytes) -> dict[str, Any]:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(body, _LARGEST_INFLATED_BYTES)
        if not inflater.eof:
            raise WrongValueError("it is cut, or larger than any document")
        value = parse_json(text)
    except (zlib.error, ValueError):
        raise WrongValueError("it cannot be read") from None
    if not isinstance(value, dict):
        raise WrongValueError("it is no document")
    return value


def _proofs(kind: str, key: str, body: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """Return digest and HMAC; both cover the place, so that values cannot be swapped."""
    told = f"{kind}/{key}\n".encode() + body
    mac = hmac.new(secret, told, "sha256").hexdigest() if secret else "-"
    return hashlib.sha256(told).hexdigest().encode(), mac.encode()
