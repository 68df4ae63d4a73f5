"""The store that many machines share: where it is, who may write, how patient a build is."""

from typing import Final, NamedTuple


class SharedPlace(NamedTuple):
    """Where the shared store is and what this machine does with it.

    `url` may hold credentials and never reaches a text. `key` signs and checks what is said of
    payloads (HMAC-SHA256); without it only damage is noticed. `writes` tells whether this machine
    adds to the store.
    """

    url: str
    key: bytes = b""
    writes: bool = True


class Patience(NamedTuple):
    """How long a build waits for the shared store. All times are seconds.

    `connect` is for a connection, `silence` for the next byte. In every `window` at least
    `window_bytes` must arrive, or one value be complete: what is slower than that is not worth
    waiting for. After `failures` no more is asked. `last_uploads` is the longest wait for uploads
    when everything else is done.
    """

    connect: float = 2.0
    silence: float = 5.0
    window: float = 5.0
    window_bytes: int = 1 << 20
    failures: int = 3
    last_uploads: float = 60.0


PATIENCE: Final = Patience()


class NoPlaceError(Exception):
    """The shared store cannot be used; the text says why, without any credential."""


class FailedError(Exception):
    """One request failed; the text says how, without any URL. `final`: no other will succeed."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason
        self.final = final


class WrongValueError(Exception):
    """A value arrived and is not what was written there; the text says how that shows."""


class Blob(NamedTuple):
    """Bytes that are kept under their own digest."""

    sha256: str
    bytes: int
