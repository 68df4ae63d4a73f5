"""What an attestation states: an in-toto statement about one file. Pure.

Sources: in-toto Attestation Framework, Statement v1; PEP 740, "Attestation statement".
"""

from typing import Any

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from packager.errors import UsageError
from packager.inputs.forms import STATEMENT, check_form
from packager.parsing import parse_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


def attested_as(statement: bytes, *, filename: str, sha256: str) -> str:
    """Return the type of the predicate that `statement` makes about the file.

    Raises ValueError, with the reason, when it is about another file or no statement at all.
    """
    try:
        document: Any = parse_json(statement)
        check_form(document, STATEMENT, file="the statement")
    except UsageError as error:
        raise ValueError(error.message) from error
    except ValueError as error:
        raise ValueError("the statement is not JSON") from error
    subjects = document["subject"]
    if document["_type"] != STATEMENT_TYPE or len(subjects) != 1:
        raise ValueError("it is no in-toto statement about one file")
    name, digest = subjects[0]["name"], subjects[0]["digest"].get("sha256", "")
    if not _same_file(name, filename):
        raise ValueError(f"it is about `{name}`")
    if digest.lower() != sha256:
        raise ValueError(f"it is about other bytes (sha256 {digest or 'not told'})")
    return str(document["predicateType"])


def _same_file(told: str, filename: str) -> bool:
    """Compare names as PEP 740 does: one file can be written in several ways."""
    if told == filename:
        return True
    parse: Any = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
    try:
        return bool(parse(told) == parse(filename))
    except ValueError:
        return False
