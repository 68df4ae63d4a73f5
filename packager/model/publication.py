"""What became of an artifact that was brought to AWS."""

from typing import NamedTuple


class Publication(NamedTuple):
    """One thing that is now at AWS, or would be.

    `kind` is `object`, `function` or `layer`. `place` is the object's URL, the function's ARN or
    the layer version's ARN. `outcome` is `uploaded`, `unchanged` (exactly these bytes were there)
    or `would-upload` (nothing was done). `version` is the object's version or the layer's number.
    `code_sha256` is the digest as AWS writes it, and what AWS answered where it answers one.
    """

    kind: str
    place: str
    outcome: str
    version: str | None
    sha256: str
    code_sha256: str
    compressed_bytes: int
    sent_bytes: int
