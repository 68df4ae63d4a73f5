"""The report of an artifact as Markdown: for step summaries and merge request comments. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packager.model.figures import many, mib
from packager.report.artifact_text import limit_words, shipped_of, title_of
from packager.report.markdown_text import MARK, code_span, plain

_MOST_CHARACTERS = 65_000
"""GitHub takes comments of 65,536 characters."""
_ROWS = 20
_MOST_FINDINGS = 40
_PASTED = ("drop = ", "find ", "lpack ", "pip ", "services = ", "slim = ", "zip ")
_SIGNS = {"error": "❌", "warning": "⚠️", "note": "💡"}
Document = Mapping[str, Any]


def render_artifact_markdown(documents: Iterable[Document]) -> str:
    """Return the report; what is too long is cut where a block ends, and says so."""
    text = f"{MARK}\n"
    for block in (block for document in documents for block in _blocks(document)):
        if len(text) + len(block) > _MOST_CHARACTERS:
            return f"{text}\n_The rest is left out; `lpack report` prints all of it._\n"
        text += f"{block}\n\n"
    return text.rstrip("\n") + "\n"


def _blocks(document: Document) -> Iterator[str]:
    artifact, target = document["artifact"], document["target"]
    sizes = mib(artifact["uncompressed_bytes"])
    if artifact["compressed_bytes"]:
        sizes = f"{sizes} unzipped, {mib(artifact['compressed_bytes'])} zipped"
    runtime = f"{target['runtime']}/{target['architecture']}"
    yield f"### {code_span(artifact['path'])}: {sizes}"
    kind = f"{artifact['kind']}, {many(artifact['entries'], 'file')}, {runtime}"
    limits = [
        f"- {'✅' if limit['passed'] else '❌'} {plain(limit_words(limit))}"
        for limit in document["limits"]
    ]
    yield "\n".join([f"{kind}\n", *limits]) if limits else kind
    yield _table(document)
    save = document["could_save"]
    if save["uncompressed_bytes"]:
        zipped = f", {mib(save['compressed_bytes'])} zipped" if save["compressed_bytes"] else ""
        unzipped = f"{mib(save['uncompressed_bytes'])} unzipped{zipped}"
        yield f"**Could leave:** {many(save['files'], 'file')}, {unzipped}"
    findings = document["findings"]
    if findings:
        yield "\n".join(_finding(finding) for finding in findings[:_MOST_FINDINGS])
    if len(findings) > _MOST_FINDINGS:
        yield f"… and {len(findings) - _MOST_FINDINGS} more findings"


def _table(document: Document) -> str:
    shipped = shipped_of(document)
    rows = ["| | files | unzipped | zipped | retained |", "|---|--:|--:|--:|--:|"]
    rows += [_row(code_span(title_of(each)), each) for each in shipped[:_ROWS]]
    if len(shipped) > _ROWS:
        names = ("entries", "uncompressed_bytes", "compressed_bytes")
        rest = {name: sum(each[name] for each in shipped[_ROWS:]) for name in names}
        rows.append(_row(f"… {len(shipped) - _ROWS} more", rest))
    rows.append(_row("your code", document["code"]))
    return "\n".join(rows)


def _row(title: str, owner: Mapping[str, Any]) -> str:
    retained = owner.get("retained_uncompressed_bytes", owner["uncompressed_bytes"])
    cells = [
        title,
        f"{owner['entries']:,}",
        mib(owner["uncompressed_bytes"]),
        mib(owner["compressed_bytes"]) if owner["compressed_bytes"] else "",
        mib(retained) if retained != owner["uncompressed_bytes"] else "",
    ]
    return f"| {' | '.join(cells)} |"


def _finding(finding: Mapping[str, Any]) -> str:
    saves = ""
    if finding["saves_uncompressed_bytes"] and finding["code"].startswith("LP5"):
        saves = f" (−{mib(finding['saves_uncompressed_bytes'])})"
    head = f"- {_SIGNS[finding['level']]} **{finding['code']}** {plain(finding['message'])}{saves}"
    hint = finding["hint"]
    if not hint:
        return head
    # What can be pasted is code; advice is a sentence.
    return f"{head}\n  - {code_span(hint) if hint.startswith(_PASTED) else plain(hint)}"
