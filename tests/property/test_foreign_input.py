"""Whatever a foreign file holds: it is read, or refused in one line. Nothing else comes out.

The harnesses are those that atheris drives (`make fuzz`). Here documents are changed where a
fuzzer of bytes seldom gets: a value of another type, in any place of a sound document.
"""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fuzz_harnesses import HARNESSES, SEPARATOR, run
from support.fuzz_seeds import seeds
from support.intensity import examples

from packager.inputs.setting_table import SETTINGS

Document = Any
Way = tuple[str | int, ...]

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["", "alpha", "alpha>1", "1.0", "../x", "/", "a\0b", "a\nb", "python3.13", "x" * 300, "*",
     "file:///x", "https://[", "-r x", "project", "group:dev", "[", "${HOME}", "==1", "9" * 5000]
)  # fmt: skip
ATOMS = (
    TEXTS
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.booleans()
    | st.sampled_from([date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), 0, -1, 512])
)
VALUES = st.recursive(
    ATOMS, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXTS, v, max_size=3), max_leaves=5
)
GONE = object()


def ways(document: Document, here: Way = ()) -> Iterator[Way]:
    """Every place inside a document."""
    if here:
        yield here
    if isinstance(document, dict | list):
        keys = document.keys() if isinstance(document, dict) else range(len(document))
        for key in keys:
            yield from ways(document[key], (*here, key))


def changed(document: Document, way: Way, value: object) -> Document:
    """A copy of `document` with something else, or nothing, at `way`."""
    copy = deepcopy(document)
    below = copy
    for step in way[:-1]:
        below = below[step]
    if value is GONE:
        del below[way[-1]]
    else:
        below[way[-1]] = value
    return copy


def to_json(document: Document) -> bytes:
    return json.dumps(document, default=str).encode()


def to_toml(document: Document) -> bytes:
    return "".join(f"{json.dumps(key)} = {inline(document[key])}\n" for key in document).encode()


def inline(value: object) -> str:
    """TOML in one line; its strings are those of JSON, but for one control character."""
    if isinstance(value, dict):
        pairs = (f"{inline(key)} = {inline(below)}" for key, below in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return text.replace("\x7f", "\\u007f")


FORMATS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Document], bytes]]] = {
    "configuration": (tomllib.loads, to_toml),
    "image-layout": (json.loads, to_json),
    "pipfile-lock": (json.loads, to_json),
    "poetry-lock": (tomllib.loads, to_toml),
    "pylock": (tomllib.loads, to_toml),
    "uv-lock": (tomllib.loads, to_toml),
}


@pytest.mark.parametrize("harness", FORMATS)
@settings(max_examples=examples(160), suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_value_anywhere_in_a_document(harness: str, data: st.DataObject) -> None:
    read, write = FORMATS[harness]
    sound = [bytes_ for title, bytes_ in seeds(harness) if title.startswith("sound")]
    parts = data.draw(st.sampled_from(sound)).split(SEPARATOR)
    # What stands behind a lock is its project; of an image, the last part is its layer.
    where = data.draw(st.integers(0, 2)) if harness == "image-layout" else 0
    document = read(parts[where].decode())
    for _ in range(data.draw(st.integers(1, 2))):
        way = data.draw(st.sampled_from(list(ways(document)) or [("x",)]))
        document = changed(document, way, data.draw(VALUES | st.just(GONE)))
        if not document:
            break
    parts[where] = write(document)
    run(harness, SEPARATOR.join(parts))


@settings(max_examples=examples(500), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([setting.key for setting in SETTINGS]),
    VALUES | st.lists(TEXTS, max_size=3),
    st.booleans(),
)
def test_any_value_of_any_setting(key: str, value: object, of_one_function: bool) -> None:
    table: dict[str, Any] = {key: value}
    own = {"functions": {"one": table}} if of_one_function else table
    run("configuration", to_toml({"tool": {"lpack": own}}))


@pytest.mark.parametrize("harness", [name for name in HARNESSES if name != "wheel"])
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_slice_replaced_in_any_file(harness: str, data: st.DataObject) -> None:
    sound = data.draw(st.sampled_from([bytes_ for _, bytes_ in seeds(harness)]))
    start = data.draw(st.integers(0, len(sound)))
    stop = data.draw(st.integers(start, min(len(sound), start + 40)))
    run(harness, sound[:start] + data.draw(st.binary(max_size=12)) + sound[stop:])
