"""Are attestations true: signatures, certificates and the entries of the transparency log.

The library of PyPI reads them (PEP 740), sigstore-python verifies them, without a network.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from packager.attest.trust import verifier_of

if TYPE_CHECKING:
    from pypi_attestations import Attestation, Provenance
    from sigstore.verify.policy import VerificationPolicy

_LONGEST_REASON = 200
_ENVELOPE = "application/vnd.in-toto+json"


class Unproven(Exception):  # noqa: N818 -- a verdict about somebody's file
    """Something is not what it is said to be; `str()` tells the reason in a few words."""


class Signed(NamedTuple):
    """A statement whose signature is the publisher's.

    `publisher` is the table of the provenance, with the keys that have a value.
    """

    publisher: dict[str, str]
    statement: bytes


class Verification:
    """Verifies with one trusted root."""

    def __init__(self, trusted_root: Path | None) -> None:
        """Load the root, that of the public instance for None; raises UsageError."""
        self._verifier = verifier_of(trusted_root)

    def signed(self, provenance: bytes) -> list[Signed]:
        """Return every statement of `provenance`, verified to be its publisher's.

        Raises Unproven when one is not, or when there is none.
        """
        found = [
            Signed(_table(bundle.publisher), self._statement(each, bundle.publisher._as_policy()))  # noqa: SLF001 -- the library's own command uses it; nothing public takes a trusted root
            for bundle in _read(provenance).attestation_bundles
            for each in bundle.attestations
        ]
        if not found:
            raise Unproven("there is none in its provenance")
        return found

    def _statement(self, attestation: "Attestation", policy: "VerificationPolicy") -> bytes:
        try:
            verified: tuple[str, bytes] = self._verifier.verify_dsse(
                attestation.to_bundle(), policy
            )
        except Exception as error:  # what a stranger wrote breaks libraries in any way
            raise Unproven(_reason(error)) from error
        kind, statement = verified
        if kind != _ENVELOPE:
            raise Unproven("it is no in-toto statement")
        return statement


def publishing_types() -> frozenset[str]:
    """Return the predicates that say a file comes from its publisher.

    Other ones, which may say anything about it, prove nothing here.
    """
    from pypi_attestations import AttestationType  # noqa: PLC0415 -- an extra

    return frozenset(each.value for each in AttestationType)


def _read(provenance: bytes) -> "Provenance":
    from pydantic import ValidationError  # noqa: PLC0415 -- an extra
    from pypi_attestations import Provenance  # noqa: PLC0415

    try:
        return Provenance.model_validate_json(provenance)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(each) for each in first["loc"])
        where = f"`{place}`: " if place else ""
        raise Unproven(
            f"its provenance is not of the form of PEP 740: {where}{first['msg']}"
        ) from (error)
    except (ValueError, RecursionError) as error:
        raise Unproven("its provenance cannot be read") from error


def _table(publisher: Any) -> dict[str, str]:  # noqa: ANN401 -- a union of the library's classes
    """Return the table of a publisher as PEP 751 wants it in locks."""
    return dict(_texts(publisher.model_dump(exclude_none=True)))


def _texts(table: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name in sorted(table):
        value = table[name]
        if isinstance(value, str):
            yield name, value


def _reason(error: Exception) -> str:
    """Return the first line of what a library says, without its own opening words."""
    lines = str(error).splitlines() or [""]
    text = lines[0].removeprefix("Verification failed: ").strip() or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
