"""Places in S3, as people write them. Pure."""

from typing import NamedTuple

from packager.errors import UsageError

CONTENT_TYPE = "application/zip"
"""Of every object that is uploaded."""


class Place(NamedTuple):
    """An object's place in S3."""

    bucket: str
    key: str

    @property
    def url(self) -> str:
        """The place as people write it."""
        return f"s3://{self.bucket}/{self.key}"


def parse_place(text: str, *, file_name: str) -> Place:
    """Read `s3://BUCKET/KEY`; a key that ends in a slash, or none, gets `file_name`.

    Raises UsageError for anything else.
    """
    scheme, _, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(f"`{text}` is no place in S3", hint=f"--s3 s3://BUCKET/{file_name}")
    return Place(bucket, key + file_name if not key or key.endswith("/") else key)
