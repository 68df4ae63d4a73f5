"""What a report says of an artifact, with what acting on it would save."""

from typing import NamedTuple

from packager.model.finding_code import Level


class Advice(NamedTuple):
    """One thing found in an artifact.

    `code` is that of a `FindingCode`. `message` is one sentence without a full stop. `hint` can be
    pasted or acted on. `owner` is the distribution it is about, empty for your own code or the
    whole. `paths` are the files that would go; the bytes are exactly what would leave the
    artifact with them, headers included, 0 where nothing would. `cases` is how many things of one
    kind the sentence is about.
    """

    code: str
    level: Level
    message: str
    path: str = ""
    owner: str = ""
    hint: str | None = None
    details: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    cases: int = 1
    compressed_bytes: int = 0
    uncompressed_bytes: int = 0
