"""The report of an artifact for people: at most 100 columns, sizes in MiB. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from packager.model.figures import many, mib

_COLUMNS = 100
_ROWS = 12
_MOST_DETAILS = 3
_LIMIT_NEAR = 100
Document = Mapping[str, Any]


def render_artifact_text(document: Document, *, rows: int = _ROWS) -> str:
    """Return the report; `rows` of the table are shown, 0 shows all."""
    lines = [
        *_head(document),
        "",
        *_table(document, rows),
        "",
        *_limits(document),
        *_elsewhere(document),
        *_evidence(document),
        *_findings(document, rows),
    ]
    return "\n".join(lines) + "\n"


def limit_words(limit: Mapping[str, Any]) -> str:
    """Say of a limit how much of it is used: `unzipped: 8.6 MiB of 250.0 MiB (3%), … left`."""
    measured, allowed = limit["measured_bytes"], limit["limit_bytes"]
    shown = mib(measured)
    if abs(measured - allowed) * _LIMIT_NEAR < allowed:
        shown += f" ({measured:,} of {allowed:,} bytes)"
    headroom = limit["headroom_bytes"]
    if not limit["binding"]:
        verdict = "does not bind: the upload goes through S3"
    else:
        verdict = f"{mib(abs(headroom))} {'left' if limit['passed'] else 'too much'}"
    return f"{limit['title']}: {shown} of {mib(allowed)} ({measured / allowed:.0%}), {verdict}"


def shipped_of(document: Document) -> list[Mapping[str, Any]]:
    """Return the distributions in the artifact itself: not the runtime's, not those of layers."""
    return [
        each
        for each in document["distributions"]
        if not each["subtracted"] and not str(each["placement"] or "").startswith("layer:")
    ]


def title_of(distribution: Mapping[str, Any]) -> str:
    """Return `NAME VERSION`, or the name alone where no version is known."""
    return f"{distribution['name']} {distribution['version']}".rstrip()


def _head(document: Document) -> Iterator[str]:
    artifact, target = document["artifact"], document["target"]
    runtime = f"{target['runtime']}/{target['architecture']}"
    facts = [artifact["path"], artifact["kind"], many(artifact["entries"], "file"), runtime]
    yield from _wrapped(" · ".join(facts), first="", rest="  ")
    if artifact["foreign"]:
        for guess in document["function"]["guesses"]:
            yield from _wrapped(
                f"{guess['setting']}: {guess['value']}, because {guess['because']}",
                first="  guessed ",
                rest="    ",
            )


def _table(document: Document, rows: int) -> Iterator[str]:
    shipped = shipped_of(document)
    shown = shipped[:rows] if rows and len(shipped) > rows + 1 else shipped
    rest = shipped[len(shown) :]
    zipped = bool(document["artifact"]["compressed_bytes"])
    yield _row("", "files", "unzipped", "zipped" if zipped else "", "retained")
    for each in shown:
        yield _row(title_of(each), *_figures(each, zipped=zipped))
    if rest:
        sums = {
            name: sum(each[name] for each in rest)
            for name in ("entries", "uncompressed_bytes", "compressed_bytes")
        }
        yield _row(f"… {len(rest)} more (-n 0 shows all)", *_figures(sums, zipped=zipped))
    yield _row("your code", *_figures(document["code"], zipped=zipped))
    artifact = document["artifact"]
    base = artifact["uncompressed_bytes"] - sum(
        each["uncompressed_bytes"] for each in [*shipped, document["code"]]
    )
    if artifact["kind"] == "image" and base > 0:
        yield _row("the base image", "", mib(base), "", "")
    yield "  " + "─" * 92
    yield _row("total", *_figures(artifact, zipped=zipped))


def _figures(owner: Mapping[str, Any], *, zipped: bool) -> tuple[str, str, str, str]:
    retained = owner.get("retained_uncompressed_bytes", owner["uncompressed_bytes"])
    return (
        f"{owner['entries']:,}",
        mib(owner["uncompressed_bytes"]),
        mib(owner["compressed_bytes"]) if zipped else "",
        mib(retained) if retained != owner["uncompressed_bytes"] else "",
    )


def _row(name: str, files: str, unzipped: str, zipped: str, retained: str) -> str:
    shown = name if len(name) <= 42 else name[:41] + "…"
    return f"  {shown:<43}{files:>10}{unzipped:>13}{zipped:>13}{retained:>13}".rstrip()


def _limits(document: Document) -> Iterator[str]:
    for limit in document["limits"]:
        word = "ok  " if limit["passed"] else "FAIL"
        yield from _wrapped(f"{word} {limit_words(limit)}", first="  ", rest=" " * 7)


def _elsewhere(document: Document) -> Iterator[str]:
    """Tell what the function has besides the artifact: layers, and what the runtime provides."""
    gone = [each["name"] for each in document["distributions"] if each["subtracted"]]
    by_layer = {
        each["name"]
        for each in document["distributions"]
        if each["subtracted"] and str(each["placement"] or "").startswith("layer:")
    }
    runtime = [name for name in gone if name not in by_layer]
    if document["layers"] or runtime:
        yield ""
    for layer in document["layers"]:
        sizes = (
            f"{mib(layer['uncompressed_bytes'])} unzipped, {mib(layer['compressed_bytes'])} zipped"
        )
        yield from _wrapped(f"layer {layer['name']}: {sizes}", first="  ", rest="    ")
    if runtime:
        words = f"left to {document['target']['runtime']}: {', '.join(runtime)}"
        yield from _wrapped(words, first="  ", rest="    ")


def _evidence(document: Document) -> Iterator[str]:
    """Tell how sure the table is, for artifacts of other tools."""
    if not document["artifact"]["foreign"]:
        return
    counts = {
        word: sum(each["evidence"] == word for each in document["distributions"])
        for word in ("dist-info", "egg-info", "guess")
    }
    said = [f"{count} by {word}" for word, count in counts.items() if count]
    if said:
        yield ""
        yield f"  distributions: {', '.join(said)}"


def _findings(document: Document, rows: int) -> Iterator[str]:
    """Tell all errors and warnings, and as many notes as the table has rows."""
    findings = document["findings"]
    if not findings:
        return
    save = document["could_save"]
    yield ""
    notes = [finding for finding in findings if finding["level"] == "note"]
    more = notes[rows:] if rows and len(notes) > rows + 1 else []
    for finding in findings[: len(findings) - len(more)]:
        yield from _finding(finding)
    if more:
        yield f"  … {len(more)} more notes (-n 0 shows all)"
    if save["uncompressed_bytes"]:
        zipped = f", {mib(save['compressed_bytes'])} zipped" if save["compressed_bytes"] else ""
        yield ""
        yield (
            f"  could leave: {many(save['files'], 'file')}, "
            f"{mib(save['uncompressed_bytes'])} unzipped{zipped}"
        )


def _finding(finding: Mapping[str, Any]) -> Iterator[str]:
    saves = ""
    if finding["saves_uncompressed_bytes"] and finding["code"].startswith(("LP5", "LP703")):
        zipped = finding["saves_compressed_bytes"]
        saves = f" (−{mib(finding['saves_uncompressed_bytes'])} unzipped"
        saves += f", −{mib(zipped)} zipped)" if zipped else ")"
        if finding["paths"]:
            saves = f": {many(len(finding['paths']), 'file')}{saves}"
    words = f"{finding['level']} {finding['code']} {finding['message']}{saves}"
    yield from _wrapped(words, first="  ", rest="       ")
    for detail in finding["details"][:_MOST_DETAILS]:
        yield from _wrapped(detail, first="       · ", rest="         ")
    if len(finding["details"]) > _MOST_DETAILS:
        yield f"       · … {len(finding['details']) - _MOST_DETAILS} more"
    if finding["hint"]:
        # What can be pasted stays on one line, however long it is.
        yield f"       hint: {finding['hint']}"


def _wrapped(sentence: str, *, first: str, rest: str) -> Sequence[str]:
    return wrap(
        sentence,
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=True,
        break_on_hyphens=False,
    )
