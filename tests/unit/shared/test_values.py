"""Documents of a shared store as bytes."""

import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.model.shared_store import WrongValueError
from packager.shared.values import decode_document, encode_document

_JSON = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@given(st.dictionaries(st.text(), _JSON), st.binary(max_size=8))
def test_what_is_written_is_read(value: dict[str, Any], secret: bytes) -> None:
    content = encode_document("kind", "key", value, secret=secret)
    assert decode_document("kind", "key", content, secret=secret) == value


@given(st.data())
def test_no_altered_byte_and_no_cut_passes(data: st.DataObject) -> None:
    content = encode_document("kind", "key", {"a": [1, 2, 3]}, secret=b"secret")
    at = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))
    altered = content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
    for wrong in (altered, content[:at], content + content[: at + 1]):
        with pytest.raises(WrongValueError):
            decode_document("kind", "key", wrong, secret=b"secret")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(WrongValueError):
        decode_document("kind", "key", content, secret=b"")


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zlib.compress(bytes(70 << 20), 9)
    monkeypatch.setattr(zlib, "compress", lambda *_: bomb)
    content = encode_document("kind", "key", {}, secret=b"")
    with pytest.raises(WrongValueError, match="larger than any document"):
        decode_document("kind", "key", content, secret=b"")
