"""Who is believed: the trusted root of a Sigstore instance, from its library or from a file."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from packager.errors import CannotBuild, UsageError

if TYPE_CHECKING:
    from sigstore.verify import Verifier

# Where sigstore-python keeps what it ships of the public instance. Its own way to it, "offline",
# copies into the user's home and then prefers that copy to what a later version ships.
_PUBLIC: Final = quote("https://tuf-repo-cdn.sigstore.dev", safe="")
_ROOT: Final = "trusted_root.json"
_HINT: Final = "trusted-root is a JSON file of `application/vnd.dev.sigstore.trustedroot+json`"


def check_extra() -> None:
    """Raise UsageError when the library that verifies attestations is not installed."""
    if find_spec("pypi_attestations") is None:
        raise UsageError(
            "attestations are verified with pypi-attestations, which is not installed",
            hint='python -m pip install -e "path/to/lpack[attest]"',
        )


def root_digest(path: Path | None) -> str:
    """Return the sha256 of the trusted root at `path`, None for that of the public instance.

    Raises UsageError when it cannot be read.
    """
    with _file(path) as file:
        return hashlib.sha256(_content(file)).hexdigest()


def verifier_of(path: Path | None) -> "Verifier":
    """Return what verifies with the trusted root at `path`; nobody is asked over a network.

    Raises UsageError when there is no trusted root in it.
    """
    # A library that logs to a program without logging would print.
    logging.getLogger("sigstore").addHandler(logging.NullHandler())
    from sigstore.models import TrustedRoot  # noqa: PLC0415 -- an extra, a second to load
    from sigstore.verify import Verifier  # noqa: PLC0415

    with _file(path) as file:
        _content(file)
        try:
            return Verifier(trusted_root=TrustedRoot.from_file(str(file)))
        except Exception as error:  # whatever a library finds in JSON of any shape
            raise UsageError(f"`{file}` is no trusted root of Sigstore", hint=_HINT) from error


@contextmanager
def _file(path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield path
        return
    with as_file(files("sigstore._store") / _PUBLIC / _ROOT) as shipped:
        if not shipped.is_file():
            raise CannotBuild(
                "this sigstore-python has no trusted root of the public instance",
                hint='python -m pip install --upgrade "sigstore>=4.5,<5"',
            )
        yield shipped


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the trusted root `{file}` cannot be read: {error.strerror}", hint=_HINT
        ) from error
