"""The page that a simple index has of a project: where the provenance of a file is. Pure.

Sources: simple repository API (PEP 503 and PEP 691), index hosted attestations (PEP 740).
"""

import json
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from packager.errors import CannotBuild, UsageError
from packager.inputs.forms import SIMPLE_PAGE, check_form

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)
_HINT = "ask whoever runs this index; `attestations` of [tool.lpack] decides whether it is asked"


class Listed(NamedTuple):
    """A file on a page; `provenance` is the URL of its provenance, empty where it has none."""

    filename: str
    sha256: str
    provenance: str


def find_listed(
    body: bytes, content_type: str, *, filename: str, sha256: str, url: str, shown: str
) -> Listed | None:
    """Return the file of this name and digest, None when the page from `url` does not list it.

    `shown` names the page in the CannotBuild that is raised when it is neither JSON nor HTML of
    the form that the specification demands.
    """
    is_json = content_type.partition(";")[0].strip().lower().endswith("json")
    listed = _from_json(body, shown) if is_json else _from_html(body)
    for each in listed:
        if (each.filename, each.sha256.lower()) == (filename, sha256):
            return each._replace(provenance=_absolute(each.provenance, url, shown))
    return None


def _from_json(body: bytes, shown: str) -> list[Listed]:
    try:
        page: Any = json.loads(body)
        check_form(page, SIMPLE_PAGE, file=shown)
    except UsageError as error:
        raise CannotBuild(error.message, hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise CannotBuild(f"`{shown}` is not JSON", hint=_HINT) from error
    return [
        Listed(
            each["filename"], each.get("hashes", {}).get("sha256", ""), each.get("provenance") or ""
        )
        for each in page["files"]
    ]


def _from_html(body: bytes) -> list[Listed]:
    anchors = _Anchors()
    anchors.feed(body.decode("utf-8", "replace"))
    anchors.close()
    return anchors.found


def _absolute(provenance: str, url: str, shown: str) -> str:
    """Resolve what stands on the page from `url`; it must lead over HTTP to somewhere."""
    if not provenance:
        return ""
    try:
        target = urljoin(url, provenance)
        target.encode()  # JSON can hold half of a character, which no request can
        parts = urlsplit(target)
        if parts.scheme in {"http", "https"} and parts.hostname:
            return target
    except ValueError:
        pass
    raise CannotBuild(f"`{shown}` tells a provenance that has no usable URL", hint=_HINT)


class _Anchors(HTMLParser):
    """Takes from a page in HTML what the links say of files."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Listed] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link; those that are no URL lead to no file."""
        told = {name: value or "" for name, value in attrs}
        if tag != "a" or "href" not in told:
            return
        try:
            parts = urlsplit(told["href"])
        except ValueError:
            return
        algorithm, _, digest = parts.fragment.partition("=")
        name = unquote(parts.path.rpartition("/")[2])
        sha256 = digest if algorithm == "sha256" else ""
        self.found.append(Listed(name, sha256, told.get("data-provenance", "")))
