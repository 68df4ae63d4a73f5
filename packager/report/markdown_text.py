"""Foreign text inside Markdown: it stays text, whatever is in it. Pure."""

MARK = "<!-- lpack-report -->"
"""The first line, by which a workflow finds its own comment again to replace it."""


def plain(text: str) -> str:
    """Escape what Markdown would take for a table, for HTML or for emphasis; keep code spans."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        parts = ["'".join(parts)]
    return "".join(
        code_span(part) if position % 2 else _escaped(part) for position, part in enumerate(parts)
    )


def code_span(text: str) -> str:
    """Put foreign text into a code span that it cannot leave; a table's bars are escaped too."""
    one_line = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{one_line}`" if one_line else ""


def _escaped(text: str) -> str:
    for character in "\\|<>*_[]":
        text = text.replace(character, f"\\{character}")
    return text
