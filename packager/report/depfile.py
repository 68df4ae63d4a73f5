"""A make rule with everything an artifact depends on. Pure.

Source: GNU make manual, "Rule Syntax" and "Generating Prerequisites Automatically"; the empty
rules are what gcc's `-MP` writes, so that a removed file rebuilds instead of stopping make.
"""

import re
from collections.abc import Iterable

_EQUALS = "lpack_equals := =\n"
"""A `=` makes a line a definition before make expands it, so it comes out of a variable."""


def render_depfile(target: str, inputs: Iterable[str]) -> str:
    """Return the rule of `target` with `inputs`, and an empty rule for each of them.

    A name that cannot be said to make (`is_sayable`) is left out; the folder it lies in is among
    the inputs.
    """
    names = [name for name in dict.fromkeys(inputs) if is_sayable(name)]
    definition = _EQUALS if any("=" in name for name in (target, *names)) else ""
    lines = [f"{_escaped(target, is_target=True)}:", *(_escaped(name) for name in names)]
    empty = "".join(f"\n{_escaped(name, is_target=True)}:\n" for name in names)
    return definition + " \\\n  ".join(lines) + "\n" + empty


def is_sayable(name: str) -> bool:
    """Tell whether make can be told of `name`.

    It cannot of a line break, a tab, `;`, `|` and a final backslash; `a(b)` is a member of an
    archive to it.
    """
    return not re.search(r"[\n\t;|]|\\$|\(.*\)$", name)


def _escaped(name: str, *, is_target: bool = False) -> str:
    """Return `name` as make reads it; a `%` has a meaning only in targets."""
    special = r"#: *?\[\]%" if is_target else r"#: *?\[\]"
    # Backslashes before a character that is escaped have to be doubled, others stay as they are.
    text = re.sub(rf"(\\*)([{special}])", r"\1\1\\\2", name).replace("$", "$$")
    text = text.replace("=", "$(lpack_equals)")
    return f"./{text}" if text.startswith("~") else text
