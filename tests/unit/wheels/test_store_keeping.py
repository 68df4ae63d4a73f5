import hashlib
import os
import time
from pathlib import Path

import pytest

from packager.wheels.store import EntryLostError, Store
from packager.wheels.store_keeping import folder_digest, list_entries, prune_store, verify_store

BODY = b"wheel bytes " * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()
PAYLOAD = b"payload bytes " * 500


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One entry of every kind."""
    store = Store(tmp_path / "v1")
    put(store, "wheels", DIGEST, ".whl", BODY)
    put(store, "payloads", "abcd", ".zip", PAYLOAD)
    store.write_document(
        "slimmed",
        "efgh",
        {"key": "abcd", "sha256": hashlib.sha256(PAYLOAD).hexdigest(), "file_bytes": len(PAYLOAD)},
    )
    put(store, "payloads", "ijkl", ".zip", b"nobody tells of this one")
    built = store.root / "built" / DIGEST / "demo-1-py3-none-any.whl"
    built.parent.mkdir(parents=True)
    built.write_bytes(BODY)
    sandbox = store.file("sandbox", "mnop", "") / "six.py"
    sandbox.parent.mkdir(parents=True)
    sandbox.write_bytes(b"S = 1\n")
    store.write_document("sandbox", "mnop", {"folder_sha256": folder_digest(sandbox.parent)})
    put(store, "offload", "qrst", ".tar.xz", PAYLOAD)
    store.write_document(
        "offload",
        "qrst",
        {"key": "qrst", "sha256": hashlib.sha256(PAYLOAD).hexdigest(), "archive": "a.tar.xz"},
    )
    put(store, "prefixes", "uvwx", ".bin", PAYLOAD)
    store.write_document(
        "prefixes", "uvwx", {"content": hashlib.sha256(PAYLOAD).hexdigest(), "ends": [1, 2]}
    )
    put(store, "pulled", DIGEST, ".gz", BODY)
    return store


def put(store: Store, kind: str, key: str, suffix: str, body: bytes) -> None:
    with store.writing(kind, key, suffix) as temporary:
        temporary.write_bytes(body)


def use(path: Path, days_ago: float) -> None:
    then = time.time() - days_ago * 86_400
    for each in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(each, (then, then))


def places(store: Store) -> dict[str, Path]:
    return {f"{entry.kind} {entry.path.name}": entry.path for entry in list_entries(store)}


def test_every_kind_is_listed(store: Store) -> None:
    found = {(entry.kind, entry.path.name): entry.bytes for entry in list_entries(store)}
    documents = {name: size for name, size in found.items() if name[1].endswith(".json")}
    assert sorted(documents) == [
        ("offload", "qrst.json"), ("prefixes", "uvwx.json"), ("sandbox", "mnop.json"),
        ("slimmed", "efgh.json"),
    ]  # fmt: skip
    assert found == {
        ("wheels", f"{DIGEST}.whl"): len(BODY),
        ("payloads", "abcd.zip"): len(PAYLOAD),
        ("payloads", "ijkl.zip"): 24,
        ("offload", "qrst.tar.xz"): len(PAYLOAD),
        ("prefixes", "uvwx.bin"): len(PAYLOAD),
        ("pulled", f"{DIGEST}.gz"): len(BODY),
        **documents,
        ("built", DIGEST): len(BODY),
        ("sandbox", "mnop"): 6,
    }


def test_a_store_that_does_not_exist_is_empty_and_stays_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere")
    assert verify_store(store, repair=True) == (0, 0, ())
    assert prune_store(store, keep_bytes=0) == ()
    assert not store.root.exists()


def test_a_sound_store(store: Store) -> None:
    verdict = verify_store(store)
    assert verdict.damaged == ()
    assert verdict.entries == 12


KINDS = [
    "wheels", "payloads abcd.zip", "slimmed", "built", "sandbox mnop.json", "sandbox mnop",
    "offload qrst.json", "offload qrst.tar", "prefixes uvwx.json", "prefixes uvwx.bin", "pulled",
]  # fmt: skip


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("how", ["bit", "cut", "empty", "zeros"])
def test_damage_is_found_and_removed(store: Store, what: str, how: str) -> None:
    found = places(store)
    place = found.get(what) or next(path for name, path in found.items() if name.startswith(what))
    file = next(place.iterdir()) if place.is_dir() else place
    data = bytearray(file.read_bytes())
    if how == "bit":
        data[len(data) // 2] ^= 4
    elif how == "zeros":
        data[-40:] = bytes(40)
    else:
        del data[0 if how == "empty" else len(data) // 2 :]
    file.write_bytes(data)
    verdict = verify_store(store)
    assert [damage.path for damage in verdict.damaged] == [place]
    assert file.exists()
    assert verify_store(store, repair=True).damaged == verdict.damaged
    assert not place.exists()
    assert verify_store(store).damaged == ()


def test_swapped_wheels_are_found(store: Store) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    put(store, "wheels", other, ".whl", BODY)
    assert [damage.path.stem for damage in verify_store(store).damaged] == [other]


def test_prune_by_age(store: Store) -> None:
    for name, path in places(store).items():
        use(path, 40 if name.startswith(("payloads", "sandbox")) else 5)
    gone = prune_store(store, unused_seconds=30 * 86_400)
    assert sorted(entry.kind for entry in gone) == ["payloads", "payloads", "sandbox", "sandbox"]
    assert {entry.kind for entry in list_entries(store)} == {
        "built", "slimmed", "wheels", "offload", "prefixes", "pulled",
    }  # fmt: skip
    assert prune_store(store, unused_seconds=30 * 86_400) == ()


def test_prune_by_size_takes_the_longest_unused_first(store: Store) -> None:
    for path in places(store).values():
        use(path, 5)
    order = ["payloads ijkl", "wheels", "sandbox", "payloads abcd", "slimmed", "built"]
    for days, start in zip(range(60, 0, -10), order, strict=True):
        use(next(p for n, p in places(store).items() if n.startswith(start)), days)
    total = sum(entry.bytes for entry in list_entries(store))
    gone = prune_store(store, keep_bytes=total - 25)
    assert [entry.kind for entry in gone] == ["payloads", "wheels"]
    assert len(prune_store(store, keep_bytes=0)) == 10
    assert list(list_entries(store)) == []
    assert list((store.root / "tmp").iterdir()) == []


def test_reading_counts_as_use(store: Store) -> None:
    wheel = store.wheel_path(DIGEST)
    old = time.time() - 40 * 86_400
    os.utime(wheel, (time.time() - 86_400, old))
    gone = prune_store(store, unused_seconds=30 * 86_400)
    assert wheel not in [entry.path for entry in gone]


def test_a_wheel_is_hashed_once_a_process_and_a_damaged_one_goes(store: Store) -> None:
    assert store.proven_wheel(DIGEST).read_bytes() == BODY
    fresh = Store(store.root)
    store.wheel_path(DIGEST).write_bytes(BODY[:-1] + b"!")
    with pytest.raises(EntryLostError):
        fresh.proven_wheel(DIGEST)
    assert not store.has_wheel(DIGEST)


def test_what_was_just_written_is_spared(store: Store) -> None:
    assert prune_store(store, keep_bytes=0, unused_seconds=0) == ()
    assert len(prune_store(store, keep_bytes=0, spare_seconds=0)) == 12
