"""The report as one HTML page: self-contained, offline, safe against whatever names it shows.

The page holds its data as JSON and builds everything with `textContent`, never with markup. Its
Content-Security-Policy allows nothing but the one script and the one style, by their hashes.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "html"
_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'sha256-{script_hash}'; style-src 'sha256-{style_hash}'; img-src data:; \
base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
{body}
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</html>
"""


def render_html(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the page for one or several reports; the same reports give the same bytes."""
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    names = ", ".join(str(document["artifact"]["path"]) for document in documents)
    return _TEMPLATE.format(
        title=escape(f"lpack report: {names[:200]}"),
        script_hash=_hash(script),
        style_hash=_hash(style),
        style=style,
        body=(_FOLDER / "page.html").read_text(encoding="utf-8"),
        data=_embedded([_compact(document) for document in documents]),
        script=script,
    )


def _hash(text: str) -> str:
    """Return a source's hash as CSP wants it (W3C CSP Level 3, hash-source)."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _embedded(value: object) -> str:
    """Write JSON that no HTML parser ends early: `<` cannot begin a tag, nor a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    # Lone surrogates, which hostile names may hold, are no UTF-8.
    return text.encode("utf-8", "backslashreplace").decode()


def _compact(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the page does not show; files become rows of path, unzipped, zipped."""
    return {
        **{
            name: document[name]
            for name in ("artifact", "target", "limits", "fits", "could_save", "import_times")
        },
        "lpack": document["lpack"],
        "guesses": document["function"]["guesses"],
        "distributions": [_owner(each) for each in document["distributions"]],
        "code": _owner(document["code"]),
        "subtraction": document["subtraction"],
        "findings": [
            {name: value for name, value in finding.items() if name != "paths"}
            | {"count": len(finding["paths"])}
            for finding in document["findings"]
        ],
        "baseline": _baseline(document["baseline"]),
    }


def _owner(owner: Mapping[str, Any]) -> dict[str, Any]:
    return {**owner, "files": [row[:3] for row in owner["files"]]}


def _baseline(baseline: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if baseline is None:
        return None
    return {
        **baseline,
        "distributions": [_owner(each) for each in baseline["distributions"]],
        "code": _owner(baseline["code"]),
    }
