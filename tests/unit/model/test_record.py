import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from packager.model.record import RecordEntry, encode_hash, parse_record, render_record

CASES = json.loads(
    (Path(__file__).parents[2] / "cases" / "admission" / "record.json").read_text("utf-8")
)


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


def test_rendered_lines_end_in_line_feeds_and_quote_what_they_must() -> None:
    plain = RecordEntry("sha256=x", 1)
    entries = {"a.py": plain, 'b,"c': RecordEntry("", None), "d\r": plain, "e\nf": plain}
    assert render_record(entries) == (
        b'a.py,sha256=x,1\n"b,""c",,\n"d\r",sha256=x,1\n"e\nf",sha256=x,1\n'
    )


def test_the_hash_is_base64_for_urls_without_padding() -> None:
    assert (
        encode_hash("sha256", hashlib.sha256(b"").digest())
        == "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    )
