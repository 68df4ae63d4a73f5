"""Globs over the names of a bundle, with the meaning they have in `.gitignore`. Pure."""

import re
from collections.abc import Iterable

_WILD = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]")
_SIMPLE = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def compile_globs(texts: Iterable[str], *, contents: bool = False) -> re.Pattern[str] | None:
    """Compile `texts` into one expression for `fullmatch`, or None when there are none.

    A glob without a slash fits a name at any depth, one with a slash fits from the top. With
    `contents`, as users expect it, a glob that fits a folder fits everything in it. `*` and `?`
    stop at slashes, `**` does not.
    """
    parts = [_expression(text, "(?:/.*)?" if contents else "") for text in texts]
    return re.compile("|".join(parts), re.DOTALL) if parts else None


def _expression(text: str, end: str) -> str:
    pattern = text.removeprefix("./")
    anchored = "/" in pattern.rstrip("/")
    start = "" if anchored else "(?:.*/)?"
    return f"{start}{_translate(pattern.strip('/'))}{end}"


def _translate(pattern: str) -> str:
    parts: list[str] = []
    position = 0
    for found in _WILD.finditer(pattern):
        parts.append(re.escape(pattern[position : found.start()]))
        wild = found[0]
        parts.append(_SIMPLE.get(wild) or wild.replace("[!", "[^").replace("\\", "\\\\"))
        position = found.end()
    parts.append(re.escape(pattern[position:]))
    return "".join(parts)


def fits(expression: re.Pattern[str] | None, name: str) -> bool:
    """Tell whether `name` fits what `compile_globs` made."""
    return expression is not None and expression.fullmatch(name) is not None
