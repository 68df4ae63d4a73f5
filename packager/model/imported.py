"""How code reaches a distribution: from the user's own line to the first import of it."""

from typing import NamedTuple


class Imported(NamedTuple):
    """One import statement: the file at `path` imports `module` on `line`, counted from 1.

    `lazy` when it stands in a function, so that it runs when that is called and not at start.
    """

    path: str
    line: int
    module: str
    lazy: bool


class ImportChain(NamedTuple):
    """The shortest way from the project's code to a distribution.

    Empty `steps` mean that none was found; `modules` is how many were read for that, and
    `complete` whether these were all that could lead there.
    """

    steps: tuple[Imported, ...]
    modules: int
    complete: bool
