import hashlib

import pytest

from packager.model.record import RecordEntry, encode_hash
from packager.wheels.record import Contents, check_record, choose_algorithm

INFO = "demo-1.0.dist-info"
FOUND = {"demo.py": Contents("sha256=abc", 3), f"{INFO}/METADATA": Contents("sha256=def", 4)}
LISTED = {name: RecordEntry(*found) for name, found in FOUND.items()}


def verdict(changes: dict[str, RecordEntry | None]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    record = {name: entry for name, entry in (LISTED | changes).items() if entry is not None}
    result = check_record(record, FOUND, dist_info=INFO)
    return result.refusals, result.findings


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (None, "does not list"),
        (RecordEntry("", 3), "has no hash for"),
        (RecordEntry("sha256=xyz", 3), "has another hash for"),
        (RecordEntry("sha512=abc", 3), "has another hash for"),
        (RecordEntry("md5=abc", 3), "has only a hash of the kind `md5` for"),
        (RecordEntry("sha256=abc", 4), "has another size for"),
    ],
)
def test_payload_refuses_and_own_description_is_told(
    entry: RecordEntry | None, problem: str
) -> None:
    assert verdict({"demo.py": entry}) == ((f"RECORD {problem} `demo.py`",), ())
    metadata = f"{INFO}/METADATA"
    told = entry if entry is None else RecordEntry(entry.hash.replace("abc", "def"), 99)
    if entry is None or "size" not in problem:
        assert verdict({metadata: told})[0] == ()
        assert verdict({metadata: told})[1] != ()


@pytest.mark.parametrize("entry", [RecordEntry("sha256=abc", None), RecordEntry("sha256=abc=", 3)])
def test_an_empty_size_and_padding_are_harmless(entry: RecordEntry) -> None:
    assert verdict({"demo.py": entry}) == ((), ())


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_hash_in_hexadecimal_is_told_and_held_against_the_file(algorithm: str) -> None:
    """gmsh's wheels have them; what they say is checked all the same."""
    digest = hashlib.new(algorithm, b"abc")
    found = {"demo.py": Contents(encode_hash(algorithm, digest.digest()), 3)}
    hexadecimal = digest.hexdigest()
    for text, refused in ((hexadecimal, False), (hexadecimal.upper(), False),
                          (hexadecimal[::-1], True), (hexadecimal[1:], True)):  # fmt: skip
        result = check_record(
            {"demo.py": RecordEntry(f"{algorithm}={text}", 3)}, found, dist_info=INFO
        )
        assert bool(result.refusals) == refused
        assert ("in hexadecimal" in str(result.findings)) == (len(text) % 2 == 0)


def test_record_and_its_signatures_need_no_line() -> None:
    names = ("RECORD", "RECORD.jws", "RECORD.p7s")
    found = FOUND | {f"{INFO}/{name}": Contents("sha256=x", 1) for name in names}
    result = check_record(LISTED, found, dist_info=INFO)
    assert (result.refusals, result.findings) == ((), ())
    listed = LISTED | {f"{INFO}/RECORD": RecordEntry("", None)}
    assert check_record(listed, found, dist_info=INFO) == result


def test_a_signature_of_another_folder_needs_a_line() -> None:
    found = FOUND | {"demo/RECORD.jws": Contents("sha256=x", 1)}
    result = check_record(LISTED, found, dist_info=INFO)
    assert result.refusals == ("RECORD does not list `demo/RECORD.jws`",)


def test_absent_files_are_told_and_folders_are_not() -> None:
    extra: dict[str, RecordEntry | None] = {
        name: RecordEntry("sha256=x", 1) for name in ("a", "b", "c", "d", "folder/")
    }
    findings = ("RECORD lists `a`, `b`, `c` and 1 more, which the wheel does not contain",)
    assert verdict(extra) == ((), findings)


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "..\\x", "\\x"])
def test_paths_that_lead_out_refuse(path: str) -> None:
    refusals, _ = verdict({path: RecordEntry("sha256=x", 1)})
    assert len(refusals) == 1
    assert refusals[0].endswith("outside of the wheel")


def test_the_algorithm_is_the_listed_one_when_it_is_strong() -> None:
    assert choose_algorithm(None) == "sha256"
    assert choose_algorithm(RecordEntry("sha512=x", 1)) == "sha512"
    assert choose_algorithm(RecordEntry("md5=x", 1)) == "sha256"
    assert choose_algorithm(RecordEntry("sha512=x=", 1)) == "sha512"
    assert choose_algorithm(RecordEntry("", None)) == "sha256"


def test_what_follows_the_record_is_looked_at() -> None:
    found = {f"{INFO}/RECORD": Contents("sha256=x", 1), "later.py": Contents("sha256=y", 1)}
    result = check_record({}, found, dist_info=INFO)
    assert result.refusals == ("RECORD does not list `later.py`",)


@pytest.mark.parametrize(("listed", "same"), [("abX=", True), ("abX==", True), ("ab", False)])
def test_only_padding_is_stripped_from_a_digest(listed: str, same: bool) -> None:
    found = {"a.py": Contents("sha256=abX", 1)}
    result = check_record({"a.py": RecordEntry(f"sha256={listed}", 1)}, found, dist_info=INFO)
    assert (result.refusals == ()) is same
