"""Every recorded line is recognized, with its parts; the data file holds together."""

import re
import tomllib
from typing import Any

import pytest
from support.fixture_wheels import CHECKOUT

from packager.explain.known_errors import known_codes, recognize

_TEXTS = CHECKOUT / "tests" / "cases" / "explain" / "texts.toml"
_DATA = CHECKOUT / "packager" / "explain" / "data" / "errors.toml"
TEXTS: list[dict[str, Any]] = tomllib.loads(_TEXTS.read_text(encoding="utf-8"))["text"]
ENTRIES: list[dict[str, Any]] = tomllib.loads(_DATA.read_text(encoding="utf-8"))["error"]


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: str(case["text"]).strip()[:60])
def test_a_recorded_text_is_recognized(case: dict[str, Any]) -> None:
    errors = recognize(case["text"])
    assert [error.code for error in errors] == case["codes"]
    if "parts" in case:
        assert case["parts"].items() <= errors[0].parts.items()
    for error in errors:
        assert "{" not in re.sub(r"`[^`]*`", "", error.meaning + "".join(error.advice))
        assert case.get("hidden", "\0") not in error.line


def test_every_code_has_a_recorded_text_or_a_reason_not_to() -> None:
    # Their patterns are names from AWS's API reference; nobody's record of the line was found.
    unrecorded = {
        "access-denied", "code-storage-full", "credentials-invalid", "endpoint-unreachable",
        "numpy-c-extensions", "object-missing", "region-missing", "runtime-exited",
        "syntax-error", "undefined-symbol",
    }  # fmt: skip
    recorded = {code for case in TEXTS for code in case["codes"]}
    assert set(known_codes()) - recorded == unrecorded


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["code"]))
def test_an_entry_can_fill_its_own_texts(entry: dict[str, Any]) -> None:
    assert entry["when"] in {"deploy", "start", "run", "image", "publish"}
    texts = " ".join([entry["meaning"], *entry["do"]])
    wanted = set(re.findall(r"\{(\w+)\}", texts))
    for pattern in entry["patterns"]:
        assert wanted <= set(re.compile(pattern).groupindex), pattern
    assert entry["source"]
    assert not entry["meaning"].endswith(".")


def test_codes_are_unique() -> None:
    assert len(set(known_codes())) == len(known_codes())


def test_of_two_lines_of_a_kind_the_one_with_particulars_is_told() -> None:
    errors = recognize("Runtime.HandlerNotFound\nHandler 'go' missing on module 'app'\n")
    assert [error.parts for error in errors] == [{"function": "go", "module": "app"}]


def test_a_dump_on_one_line_is_cut_around_what_was_recognized() -> None:
    errors = recognize("x" * 5000 + " No module named 'yaml' " + "y" * 5000)
    assert errors[0].parts == {"module": "yaml"}
    assert "No module named 'yaml'" in errors[0].line
    assert len(errors[0].line) < 200


def test_urls_lose_their_credentials() -> None:
    errors = recognize("No module named 'yaml' from https://me:secret@host/simple?token=1")
    assert "secret" not in errors[0].line
    assert "token" not in errors[0].line
