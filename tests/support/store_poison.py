"""A store that lies consistently: a payload with other bytes, and documents that confirm them."""

import hashlib
import json
import shutil
import zipfile
import zlib
from pathlib import Path

from packager.wheels.store import Store

_REMEMBERED = ("stamps", "prefixes")


def poison(root: Path, *, member: str, old: bytes, new: bytes) -> int:
    """Replace `old` by `new` in the stored file `member` of every payload that has it.

    Both have one length. Check values are put right, and every document that has the payload's
    digest gets the new one. Returns how many payloads were altered.
    """
    store = Store(root)
    altered = 0
    for path in sorted(root.glob("payloads/*/*.zip")):
        with zipfile.ZipFile(path) as payload:
            if member not in payload.namelist():
                continue
            data = payload.read(member)
        changed = data.replace(old, new)
        assert changed != data, f"{member} has no {old!r}"
        assert len(changed) == len(data)
        _replace(path, [(data, changed), (_crc(data), _crc(changed))], store)
        altered += 1
    for kind in _REMEMBERED:
        shutil.rmtree(root / kind, ignore_errors=True)
    return altered


def list_wrongly(root: Path, *, member: str, name: str) -> None:
    """Damage the directory of every payload that has `member`: it is called `name` in it."""
    old, new = member.encode(), name.encode()
    assert len(old) == len(new)
    altered = 0
    for path in sorted(root.glob("payloads/*/*.zip")):
        before, found, after = path.read_bytes().rpartition(old)
        if found:
            assert old in before, "the last place is that in the directory"
            path.write_bytes(before + new + after)
            altered += 1
    assert altered


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def _replace(path: Path, pairs: list[tuple[bytes, bytes]], store: Store) -> None:
    content = path.read_bytes()
    before = hashlib.sha256(content).hexdigest()
    for old, new in pairs:
        assert old in content, f"{path.name}: the file is not stored as it is"
        content = content.replace(old, new)
    path.write_bytes(content)
    after = hashlib.sha256(content).hexdigest()
    for document in sorted(store.root.glob("*/*/*.json")):
        text = document.read_text(encoding="utf-8")
        if before in text:
            body = json.loads(text)["body"]
            told = json.loads(json.dumps(body).replace(before, after))
            store.write_document(document.parent.parent.name, document.stem, told)
