import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.intensity import examples

from packager.wheels.dist_info import parse_metadata_file, parse_wheel_file
from packager.wheels.layout import WrongLayout, parse_file_name

STATED = parse_file_name("Demo_x-1.0.post1-py3-none-any.whl")
WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
METADATA = b"Metadata-Version: 2.1\nName: demo.X\nVersion: 1.0-1\n"


def test_names_and_versions_are_compared_as_values() -> None:
    metadata, findings = parse_metadata_file(METADATA, STATED)
    assert (metadata.name, str(metadata.version), findings) == ("demo.X", "1.0.post1", ())


def test_a_description_that_is_not_utf8_is_no_obstacle() -> None:
    metadata, findings = parse_metadata_file(METADATA + b"Summary: caf\xe9\n\n\xff\xfe\n", STATED)
    assert (metadata.name, findings) == ("demo.X", ())


def test_a_wheel_file_as_it_should_be() -> None:
    wheel = parse_wheel_file(WHEEL, STATED)
    assert (wheel.root_is_purelib, wheel.tags, wheel.findings) == (True, ("py3-none-any",), ())


def test_missing_lines_are_told() -> None:
    wheel = parse_wheel_file(b"Wheel-Version: 1.0\n", STATED)
    assert wheel.tags == ("py3-none-any",)
    assert not wheel.root_is_purelib
    assert wheel.findings == (
        "WHEEL does not state Root-Is-Purelib",
        "the tags in WHEEL are not those of the file name",
    )


def test_compressed_tags_are_expanded() -> None:
    wheel = parse_wheel_file(WHEEL.replace(b"py3-none-any", b"py2.py3-none-any"), STATED)
    assert wheel.tags == ("py2-none-any", "py3-none-any")


@pytest.mark.parametrize("version", [b"2.0", b"0.9", b"99999999999999999999"])
def test_other_major_versions_are_refused(version: bytes) -> None:
    with pytest.raises(WrongLayout, match="is not supported"):
        parse_wheel_file(b"Wheel-Version: " + version + b"\n", STATED)


@pytest.mark.parametrize(
    "data",
    [b"Metadata-Version: 2.1\nName: demo\nVersion: %b\n", METADATA + b"Requires-Dist: a>%b\n"],
)
def test_a_number_that_nobody_can_compare_is_refused(data: bytes) -> None:
    with pytest.raises(WrongLayout, match="METADATA"):
        parse_metadata_file(data % (b"9" * 5000), STATED)


@settings(max_examples=examples(200), deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.sampled_from([b"", METADATA, METADATA + b"Requires-Dist: "]))
def test_whatever_metadata_holds_is_read_or_refused(junk: bytes, start: bytes) -> None:
    with contextlib.suppress(WrongLayout):
        metadata, _ = parse_metadata_file(start + junk, STATED)
        assert metadata.name == "demo.X"
        assert all(requirement.name for requirement in metadata.requires_dist or [])


@settings(max_examples=examples(200), deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.sampled_from([b"", WHEEL, b"Wheel-Version: 1."]))
def test_whatever_wheel_holds_is_read_or_refused(junk: bytes, start: bytes) -> None:
    with contextlib.suppress(WrongLayout):
        assert parse_wheel_file(start + junk, STATED).tags
