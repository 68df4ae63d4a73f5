"""What an index says of a file, whatever form its page has, and pages that are none."""

import html
import json
from typing import Any

import pytest

from packager.errors import CannotBuild
from packager.inputs.index_page import Listed, ProjectStatus, read_page

URL = "https://index.example/simple/x/"
JSON = "application/vnd.pypi.simple.v1+json"
NAME = "x-1+l-py3-none-any.whl"
DIGEST = "ab" * 32
WHY = '<meta name="pypi:project-status-reason" content="a &lt; b">'


def find(body: bytes, kind: str = JSON) -> Listed | None:
    return read_page(body, kind, filename=NAME, sha256=DIGEST, url=URL, shown="the page").listed


def status(body: bytes, kind: str = JSON) -> ProjectStatus:
    return read_page(body, kind, filename=NAME, sha256=DIGEST, url=URL, shown="the page").status


def page(**values: Any) -> bytes:
    row = {"filename": NAME, "url": "u", "hashes": {"sha256": DIGEST.upper()}, **values}
    other = {"filename": NAME, "url": "u", "hashes": {"sha256": "0" * 64}, "provenance": "wrong"}
    return json.dumps({"meta": {}, "files": [other, {"filename": "y"}, row]}).encode()


def link(provenance: str, digest: str = DIGEST, name: str = "x-1%2Bl-py3-none-any.whl") -> bytes:
    told = f' data-provenance="{html.escape(provenance)}"' if provenance else ""
    return (
        f'<!doctype html><a name="top"><A HREF="http://[broken/">b</A><a href="y.whl">y</a>'
        f'<a href="../../files/{name}?v=1#sha256={digest}"{told}>x</a>'
    ).encode()


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("https://other.example/p?a=1&b=2", "https://other.example/p?a=1&b=2"),
        ("/integrity/x", "https://index.example/integrity/x"),
        ("p", "https://index.example/simple/x/p"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("kind", ["json", "html"])
def test_where_the_provenance_is(told: str, found: str, kind: str) -> None:
    listed = (
        find(page(provenance=told or None))
        if kind == "json"
        else find(link(told), "text/html; charset=utf-8")
    )
    assert listed is not None
    assert (listed.filename, listed.provenance) == (NAME, found)


def test_what_is_not_listed() -> None:
    assert find(page(hashes={"md5": "0"})) is None
    assert find(page(filename="other.whl")) is None
    assert find(page()) == Listed(NAME, DIGEST.upper(), "")
    assert find(link("p", digest="0" * 64), "text/html") is None
    assert find(link("p", name="other.whl"), "text/html") is None
    assert find(b"\xff\0 no page", "") is None


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"status": "archived"}, ProjectStatus("archived")),
        ({"status": "deprecated", "reason": "use\ny"}, ProjectStatus("deprecated", "use y")),
        ({"status": "x", "reason": "\x1b[2J<&\ud800"}, ProjectStatus("x", "?[2J<&?")),
        ({"status": "x", "reason": "r" * 999}, ProjectStatus("x", "r" * 200)),
        ({"status": "active", "reason": None}, ProjectStatus()),
        ({"status": 1}, ProjectStatus()),
        ({"reason": "why"}, ProjectStatus()),
        ({}, ProjectStatus()),
        ("archived", ProjectStatus()),
        (None, ProjectStatus()),
    ],
)
def test_the_status_of_a_project(told: Any, found: ProjectStatus) -> None:
    assert status(json.dumps({"project-status": told, "files": []}).encode()) == found
    assert status(page()) == ProjectStatus()


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ('<META NAME="pypi:project-status" content="archived">', ProjectStatus("archived")),
        (
            WHY + '<meta name="pypi:project-status" content="deprecated">',
            ProjectStatus("deprecated", "a < b"),
        ),
        (WHY, ProjectStatus()),
        ('<meta name="pypi:repository-version" content="1.4"><meta charset=x>', ProjectStatus()),
        ("", ProjectStatus()),
    ],
)
def test_the_status_of_a_project_in_html(head: str, found: ProjectStatus) -> None:
    body = head.encode() + link("p")
    assert status(body, "text/html") == found
    assert find(body, "text/html") is not None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "`the page` must be a table"),
        (b"{}", "`files` in `the page` must be a list"),
        (b'{"files":[{}]}', "`files.1.filename`"),
        (b'{"files":[{"filename":"x","hashes":{"sha256":1}}]}', "`files.1.hashes.sha256`"),
        (b'{"files":[{"filename":"x","provenance":{}}]}', "must be a string or null"),
        (page(provenance="file:///etc/passwd"), "no usable URL"),
        (page(provenance="http://["), "no usable URL"),
        (page(provenance="\ud800"), "no usable URL"),
    ],
)
def test_a_page_that_is_none(body: bytes, reason: str) -> None:
    with pytest.raises(CannotBuild, match=reason.replace("[", r"\[")) as caught:
        find(body)
    assert caught.value.hint
