"""Publishers as people and as indexes write them, and what is demanded of a file."""

import pytest

from packager.model.attestation import Publisher, demand_on, parse_publisher, publisher_of

TABLES = {
    "github:a/b//c.yml": {"kind": "GitHub", "repository": "a/b", "workflow": "c.yml"},
    "gitlab:a/b/c//ci/x.yml": {
        "kind": "GitLab", "repository": "a/b/c", "workflow_filepath": "ci/x.yml",
    },
    "google:me@p.example": {"kind": "Google", "email": "me@p.example"},
    "circleci:1-2//3": {"kind": "CircleCI", "project_id": "1-2", "pipeline_definition_id": "3"},
}  # fmt: skip


@pytest.mark.parametrize("text", TABLES)
def test_both_ways_to_write_one_are_the_same(text: str) -> None:
    publisher = publisher_of({**TABLES[text], "environment": "release", "more": None})
    assert publisher == parse_publisher(text)
    assert str(publisher) == text


@pytest.mark.parametrize(
    "text",
    ["", "a/b", "github", "github:", "github:a", "github:a/b/c", "github:/b", "github:a/b//",
     "gitlab:a", "google:me", "google:me@p//x", "svn:a/b", "GitHub:a/b", "github:a/b //c",
     "github:https://h/a/b", "github:a/b@v1"],
)  # fmt: skip
def test_what_names_nobody(text: str) -> None:
    with pytest.raises(ValueError, match=r"begin|names nobody|no workflow"):
        parse_publisher(text)


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ("github:a/b//c", "github:a/b", True),
        ("github:A/b//c", "github:a/B//c", True),
        ("github:a/b//c", "github:a/b//C", False),
        ("github:a/b", "github:a/b//c", False),
        ("gitlab:a/b", "github:a/b", False),
        ("google:Me@p", "google:me@p", False),
        ("github:a/bc", "github:a/b", False),
    ],
)
def test_who_is_who(found: str, wanted: str, *, same: bool) -> None:
    assert parse_publisher(found).fulfils(parse_publisher(wanted)) is same


def test_one_of_a_kind_to_come_is_nobody() -> None:
    publisher = publisher_of({"kind": "Future", "repository": "a/b"})
    assert publisher == Publisher("future", "")
    assert not publisher.fulfils(parse_publisher("github:a/b"))


@pytest.mark.parametrize(
    ("policies", "publishers", "demand"),
    [
        ({}, (), "off"),
        ({"*": "verify"}, (), "verify"),
        ({"*": "verify", "x": "require"}, (), "require"),
        ({"*": "require", "x": "off"}, (), "off"),
        ({}, ("x",), "require"),
        ({"*": "off"}, ("x",), "require"),
        ({"x": "verify"}, ("x",), "verify"),
        ({"y": "require"}, ("y",), "off"),
    ],
)
def test_what_is_demanded(
    policies: dict[str, str], publishers: tuple[str, ...], demand: str
) -> None:
    named = dict.fromkeys(publishers, ("github:a/b",))
    assert demand_on("x", tuple(policies.items()), named) == demand
