"""Errors a user can act on: one root, one line, one hint, one exit code.

A bug of the caller inside lpack is a plain ValueError or TypeError and ends in exit code 70.
"""

from collections.abc import Sequence

_ACTING = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    0x09: "\\t",
    0x0A: "\\n",
    0x0D: "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
"""Characters that end a line or steer a terminal, as a message shows them."""


class LpackError(Exception):
    """Something the user or the network did, worded for the user.

    `message` is one line that names the thing. `hint` is one line that can be pasted or acted
    on; it may be absent and is never padded. `details` are further lines: paths, tags, chains.
    """

    exit_code = 3

    def __init__(
        self, message: str, *, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        """Keep the parts apart; only the command line joins them."""
        # What a message quotes comes out of files and from servers that anybody may have written.
        self.message = message.translate(_ACTING)
        super().__init__(self.message)
        self.hint = hint
        self.details = tuple(details)


class UsageError(LpackError):
    """The command line or the configuration is wrong (exit code 2)."""

    exit_code = 2


class CannotBuild(LpackError):  # noqa: N818 -- named as the sentence it stands for
    """Resolution, network, a wheel or the disk prevents the build (exit code 3)."""

    exit_code = 3


class WheelRefused(CannotBuild):
    """A wheel failed admission; the message names the wheel and the reason."""

    def __init__(self, wheel: str, reason: str, *, hint: str | None = None) -> None:
        """Word the refusal of the file named `wheel`."""
        advice = "pin another version; whoever built this wheel has to build it anew"
        super().__init__(f"{wheel} is refused: {reason}", hint=hint or advice)
        self.wheel = wheel
        self.reason = reason


class CannotPublish(LpackError):  # noqa: N818 -- named as the sentence it stands for
    """A finished artifact cannot be brought to where it is used (exit code 4)."""

    exit_code = 4
