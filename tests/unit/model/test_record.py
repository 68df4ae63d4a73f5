import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packager.model.record import RecordEntry, encode_hash, parse_record, render_record

CASES = json.loads(
    (Path(__file__).parents[2] / "cases" / "admission" / "record.json").read_text("utf-8")
)
PATHS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
ENTRIES = st.builds(RecordEntry, PATHS, st.none() | st.integers(0, 10**18))


@pytest.mark.parametrize(
    "case", CASES["parsed"], ids=lambda case: ascii(case["text"]).replace("\\", "%")
)
def test_what_is_read(case: Any) -> None:
    expected = {path: RecordEntry(*entry) for path, entry in case["entries"].items()}
    assert parse_record(case["text"].encode()) == expected


@pytest.mark.parametrize("case", CASES["parse_refused"], ids=lambda case: case["reason"])
def test_what_is_refused(case: Any) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(case['reason'])}$"):
        parse_record(case["text"].encode())


def test_other_encodings_are_refused() -> None:
    with pytest.raises(ValueError, match="it is not UTF-8"):
        parse_record(b"\xff\xfe,,\n")


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(PATHS, ENTRIES, max_size=5))
def test_what_is_rendered_is_read_again(entries: dict[str, RecordEntry]) -> None:
    text = render_record(entries)
    assert list(parse_record(text).items()) == list(entries.items())
    assert render_record(parse_record(text)) == text


def test_the_hash_is_base64_for_urls_without_padding() -> None:
    assert (
        encode_hash("sha256", hashlib.sha256(b"").digest())
        == "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    )
