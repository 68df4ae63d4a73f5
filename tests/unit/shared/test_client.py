"""The client of a shared store against a real server that answers as scripts say."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.faulty_store import READING, FaultyStore, faulty_store
from support.ports import closed_port

from packager.model.shared_store import Blob, Patience, SharedPlace
from packager.shared.client import Name, SharedStore
from packager.shared.uploads import Uploads
from packager.shared.values import blob_path, document_path

BYTES = bytes(range(256)) * 40
BLOB = Blob(hashlib.sha256(BYTES).hexdigest(), len(BYTES))
# A slow machine is waited for; who hangs on purpose, for 30 seconds and more, is not.
PATIENCE = Patience(window_bytes=0)
IMPATIENT = Patience(silence=0.4, window=0.4, last_uploads=3)
HANGING = {"silence", "drip", "drip-headers"}
SOON_SECONDS = 15.0
DOCUMENT = {"answer": 42}
WRONG = {"login-page", "empty", "altered", "short", "longer", "endless"}


@pytest.fixture
def server() -> Iterator[FaultyStore]:
    with faulty_store() as store:
        yield store


def client(url: str, *, key: bytes = b"", patience: Patience = PATIENCE) -> SharedStore:
    return SharedStore(SharedPlace(url, key), patience=patience)


def fill(url: str, tmp_path: Path, *, key: bytes = b"") -> None:
    path = tmp_path / "blob"
    path.write_bytes(BYTES)
    uploads = Uploads(client(url, key=key))
    uploads.add("kind", "key", DOCUMENT, {BLOB: path})
    done = uploads.finish()
    assert (done.values, done.complete) == (2, True)


def read(shared: SharedStore) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Ask for the document and the bytes, and return what arrived."""
    documents: list[dict[str, Any]] = []
    blobs: list[bytes] = []

    def check(_: Name, value: dict[str, Any]) -> None:
        documents.append(value)

    def receive(_: Blob, chunks: Iterator[bytes]) -> None:
        blobs.append(b"".join(chunks))

    shared.documents([("kind", "key")], check)
    shared.blobs([BLOB], receive)
    return documents, blobs


def test_what_one_adds_another_reads(server: FaultyStore, tmp_path: Path) -> None:
    fill(server.url, tmp_path)
    assert set(server.values) == {
        f"/{blob_path(BLOB.sha256)}", f"/{document_path('kind', 'key')}"
    }  # fmt: skip
    shared = client(server.url)
    assert read(shared) == ([DOCUMENT], [BYTES])
    assert shared.warnings() == []


def test_what_is_not_there_is_no_failure(server: FaultyStore) -> None:
    shared = client(server.url)
    assert read(shared) == ([], [])
    assert shared.warnings() == []
    assert not shared.is_off


@pytest.mark.parametrize("script", READING)
@pytest.mark.parametrize("kind", ["ac", "cas"])
def test_no_script_of_a_server_gets_wrong_bytes_in(
    server: FaultyStore, tmp_path: Path, script: str, kind: str
) -> None:
    fill(server.url, tmp_path)
    server.faults = {f"GET /{kind}/": READING[script]}
    # One failure is enough here, so that each script is told.
    patience = IMPATIENT if script in HANGING else PATIENCE
    shared = client(server.url, patience=patience._replace(failures=1))
    began = time.monotonic()
    documents, blobs = read(shared)
    assert time.monotonic() - began < SOON_SECONDS
    assert (documents, blobs) in (([], []), ([DOCUMENT], []))
    told = shared.warnings()
    assert len(told) == 1
    assert server.url in told[0]
    assert ("wrong value" in told[0]) == (script in WRONG)


def test_a_server_that_fails_is_left_alone(server: FaultyStore) -> None:
    server.faults = {"GET ": READING["failing"]}
    shared = client(server.url)
    names = [("kind", str(number)) for number in range(40)]
    shared.documents(names, lambda *_: None)
    # Those that were on their way when the third one failed.
    assert server.asked("GET") < 3 + 8
    assert shared.warnings() == [
        f"the shared store `{server.url}` is not used further: it answers 500"
    ]
    assert shared.is_off


def test_nobody_listens() -> None:
    with closed_port() as port:
        shared = client(f"http://builder:pass@127.0.0.1:{port}")
        assert read(shared) == ([], [])
    assert shared.warnings() == [
        f"the shared store `http://***@127.0.0.1:{port}` is not used further: Connection refused"
    ]


@pytest.mark.parametrize("status", [403, 405, 500, 507])
def test_what_may_not_be_added_is_told_once(
    server: FaultyStore, tmp_path: Path, status: int
) -> None:
    server.faults = {"PUT ": lambda exchange: exchange.say(status)}
    shared = client(server.url)
    uploads = Uploads(shared)
    for number in range(5):
        path = tmp_path / str(number)
        path.write_bytes(BYTES + bytes([number]))
        blob = Blob(hashlib.sha256(path.read_bytes()).hexdigest(), len(BYTES) + 1)
        uploads.add("kind", str(number), DOCUMENT, {blob: path})
    done = uploads.finish()
    assert (done.values, done.complete) == (0, False)
    (told,) = shared.warnings()
    assert told.endswith(f"is not used further: nothing can be added (it answers {status})")
    # No document tells of bytes that are not there.
    assert server.asked("PUT /ac") == 0


def test_an_upload_that_stalls_ends(server: FaultyStore, tmp_path: Path) -> None:
    server.faults = {"PUT ": READING["silence"]}
    path = tmp_path / "blob"
    path.write_bytes(BYTES)
    uploads = Uploads(client(server.url, patience=IMPATIENT))
    uploads.add("kind", "key", DOCUMENT, {BLOB: path})
    began = time.monotonic()
    assert not uploads.finish().complete
    assert time.monotonic() - began < SOON_SECONDS


def test_a_file_that_changed_since_is_not_uploaded(server: FaultyStore, tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(BYTES[:-1] + b"?")
    uploads = Uploads(client(server.url))
    uploads.add("kind", "key", DOCUMENT, {BLOB: path})
    assert uploads.finish().values == 0
    assert server.values == {}


def test_bytes_that_are_there_are_not_sent_again(server: FaultyStore, tmp_path: Path) -> None:
    fill(server.url, tmp_path)
    path = tmp_path / "blob"
    uploads = Uploads(client(server.url))
    uploads.add("kind", "other", DOCUMENT, {BLOB: path})
    assert uploads.finish().values == 1
    assert server.asked("PUT /cas") == 1


def test_a_wrong_value_is_replaced(server: FaultyStore, tmp_path: Path) -> None:
    fill(server.url, tmp_path)
    place = f"/{blob_path(BLOB.sha256)}"
    server.values[place] = b"wrong"
    shared = client(server.url)
    assert read(shared) == ([DOCUMENT], [])
    uploads = Uploads(shared)
    uploads.add("kind", "key", DOCUMENT, {BLOB: tmp_path / "blob"})
    assert uploads.finish().complete
    assert server.values[place] == BYTES


def test_only_what_is_signed_counts_with_a_key(server: FaultyStore, tmp_path: Path) -> None:
    fill(server.url, tmp_path, key=b"right")
    assert read(client(server.url, key=b"right")) == ([DOCUMENT], [BYTES])
    assert read(client(server.url)) == ([DOCUMENT], [BYTES])
    shared = client(server.url, key=b"another")
    assert read(shared) == ([], [BYTES])
    assert "is not signed with LPACK_SHARED_STORE_KEY" in shared.warnings()[0]


def test_values_cannot_be_swapped(server: FaultyStore, tmp_path: Path) -> None:
    fill(server.url, tmp_path)
    other = f"/{document_path('kind', 'other')}"
    server.values[other] = server.values[f"/{document_path('kind', 'key')}"]
    shared = client(server.url)
    seen: list[Name] = []
    shared.documents([("kind", "other")], lambda name, _: seen.append(name))
    assert seen == []
    assert "altered" in shared.warnings()[0]
