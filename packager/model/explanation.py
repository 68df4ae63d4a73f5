"""An error line that somebody met, and what is known of it."""

from collections.abc import Mapping
from typing import NamedTuple


class KnownError(NamedTuple):
    """One kind of error line, with its parts filled in from the line it was found in.

    `code` is stable and machine-readable. `when` is `deploy`, `start`, `run`, `image` or
    `publish`. `line` is what was recognized, as it was written; `parts` are the named pieces of
    it, such as `module` or `soname`. `lookup` says what of an artifact causes it, or is `none`.
    `advice` is what to do, most likely first; what stands in backticks can be pasted.
    """

    code: str
    when: str
    line: str
    parts: Mapping[str, str]
    meaning: str
    lookup: str
    advice: tuple[str, ...]
    source: str


class Explanation(NamedTuple):
    """A known error, what in an artifact causes it, and what to do about that.

    `causes` are sentences without a full stop, empty where no artifact was looked at; `advice`
    has what the causes suggest before what is true of every artifact.
    """

    error: KnownError
    causes: tuple[str, ...]
    advice: tuple[str, ...]
