"""What a check of an artifact found, worded for the user."""

from dataclasses import dataclass

from packager.model.finding_code import Level


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing a check found.

    `code` is stable and machine-readable. An `error` means that the artifact does not work on
    the target as it is, or that a document beside it tells of another; a `warning` asks to be
    looked at; a `note` is only worth knowing. `path` is the archive name it is about, empty for
    the whole artifact. `message` is one sentence without a full stop; `hint` is one line to act
    on. `details` are further lines.
    """

    code: str
    level: Level
    message: str
    path: str = ""
    hint: str | None = None
    details: tuple[str, ...] = ()
