"""What the configuration was guessed and checked from, short enough to be remembered."""

# On the way of rebuilds, where Path objects cost more than the calls they make.
# ruff: noqa: PTH119, PTH123, PTH208

import hashlib
import os
from typing import Any

from packager.inputs.guessing import FUNCTIONS, MODULES
from packager.inputs.handlers import names_of
from packager.model.project import Function, SourceTree


def signatures_of(function: Function, tree: SourceTree) -> list[list[Any]]:
    """Return (path, attribute, signature) of the user's files that decided about the handler."""
    module, _, attribute = function.handler.rpartition(".")
    place = module.replace(".", "/")
    wanted = {f"{place}.py", f"{place}/__init__.py"}
    guessed = any(guess.setting == "handler" for guess in function.guesses)
    candidates = {f"{module}.py" for module in MODULES} if guessed else set()
    return [
        [file.path, attribute, signature_of(file.path, attribute)]
        for file in tree.files
        if file.archive_name in wanted or file.archive_name.rpartition("/")[2] in candidates
    ]


def signature_of(path: str, attribute: str) -> list[Any] | None:
    """Return all that guesses and checks take from a module: whether it has what Lambda calls."""
    try:
        with open(path, "rb") as file:
            found = names_of(file.read(), filename=os.path.basename(path))
    except OSError:
        return None
    usual = [name for name in FUNCTIONS if name in found.names]
    return [attribute in found.names or found.open, usual, "main" in found.pairs]


def listing_of(path: str) -> str | None:
    """Digest the names in a folder; None for what is none.

    Editors that write a new file and rename it change a folder's date, and nothing in it.
    """
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return None
    return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()
