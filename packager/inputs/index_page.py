"""The page that a simple index has of a project: its status, where a file's provenance is. Pure.

Sources: simple repository API (PEP 503 and PEP 691), index hosted attestations (PEP 740), project
status markers (PEP 792).
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from packager.errors import CannotBuild, UsageError
from packager.inputs.forms import SIMPLE_PAGE, check_form
from packager.parsing import parse_json

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)
_HINT = "ask whoever runs this index; `attestations` of [tool.lpack] decides whether it is asked"


_META = {"pypi:project-status": "status", "pypi:project-status-reason": "reason"}
_LONGEST_REASON = 200


class ProjectStatus(NamedTuple):
    """The status of a project, `active` where a page tells none, and why, as far as it is told."""

    word: str = "active"
    reason: str = ""


class Listed(NamedTuple):
    """A file on a page; `provenance` is the URL of its provenance, empty where it has none."""

    filename: str
    sha256: str
    provenance: str


class Page(NamedTuple):
    """What a page tells of a project and of one of its files, None when it does not list it."""

    status: ProjectStatus
    listed: Listed | None


def read_page(
    body: bytes, content_type: str, *, filename: str, sha256: str, url: str, shown: str
) -> Page:
    """Read the page from `url`, looking for the file of this name and digest.

    `shown` names the page in the CannotBuild that is raised when it is neither JSON nor HTML of
    the form that the specification demands.
    """
    is_json = content_type.partition(";")[0].strip().lower().endswith("json")
    status, files = _from_json(body, shown) if is_json else _from_html(body)
    for each in files:
        if (each.filename, each.sha256.lower()) == (filename, sha256):
            found = each._replace(provenance=_absolute(each.provenance, url, shown))
            return Page(status, found)
    return Page(status, None)


def _from_json(body: bytes, shown: str) -> tuple[ProjectStatus, list[Listed]]:
    try:
        page: Any = parse_json(body)
        check_form(page, SIMPLE_PAGE, file=shown)
    except UsageError as error:
        raise CannotBuild(error.message, hint=_HINT) from error
    except ValueError as error:
        raise CannotBuild(f"`{shown}` is not JSON", hint=_HINT) from error
    files = [
        Listed(
            each["filename"], each.get("hashes", {}).get("sha256", ""), each.get("provenance") or ""
        )
        for each in page["files"]
    ]
    told = page.get("project-status")
    return _status(told if isinstance(told, dict) else {}), files


def _from_html(body: bytes) -> tuple[ProjectStatus, list[Listed]]:
    tags = _Tags()
    tags.feed(body.decode("utf-8", "replace"))
    tags.close()
    return _status(tags.status), tags.found


def _status(told: Mapping[str, object]) -> ProjectStatus:
    """Read a status; of what has another form than PEP 792 demands nothing is known."""
    word, reason = told.get("status"), told.get("reason")
    if not isinstance(word, str):
        return ProjectStatus()
    # It is shown, and whoever runs the index may let anybody write it.
    words = " ".join(reason.split()) if isinstance(reason, str) else ""
    shown = "".join(each if each.isprintable() else "?" for each in words[:_LONGEST_REASON])
    return ProjectStatus(word, shown)


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


class _Tags(HTMLParser):
    """Takes from a page in HTML what the links say of files, and the head of the project."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Listed] = []
        self.status: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link; those that are no URL lead to no file."""
        told = {name: value or "" for name, value in attrs}
        if tag == "meta" and told.get("name") in _META:
            self.status.setdefault(_META[told["name"]], told.get("content", ""))
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
