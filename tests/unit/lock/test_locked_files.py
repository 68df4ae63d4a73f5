"""Which files of a lock somebody can have attested, and who is asked about them."""

from pathlib import Path

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from packager.lock.locked_files import locked_files
from packager.lock.lockfile import parse_lock, render_lock
from packager.lock.select import Sources, choose
from packager.model.attestation import LockedFile
from packager.model.requirement import IndexSettings
from packager.model.selection import WheelReference
from packager.runtime.targets import load_target

A, B, C, D, E = ("0123456789"[n] * 64 for n in range(5))
LOCK = f"""lock-version = "1.0"
created-by = "t"
[[packages]]
name = "indexed"
version = "1"
index = "https://own.example/simple"
wheels = [{{ name = "indexed-1-py3-none-any.whl", url = "f:x", hashes = {{ sha256 = "{A}" }} }}]
attestation-identities = [
    {{ kind = "GitHub", repository = "o/indexed", workflow = "r.yml", environment = "e" }},
]
[[packages]]
name = "plain"
version = "1"
wheels = [{{ name = "plain-1-py3-none-any.whl", path = "p.whl", hashes = {{ sha256 = "{B}" }} }}]
[[packages]]
name = "sourced"
version = "1"
sdist = {{ name = "sourced-1.tar.gz", url = "https://f/y", hashes = {{ sha256 = "{C.upper()}" }} }}
[[packages]]
name = "direct"
archive = {{ url = "https://f/direct-1-py3-none-any.whl", hashes = {{ sha256 = "{D}" }} }}
[[packages]]
name = "mine"
version = "1"
wheels = [{{ name = "mine-1-py3-none-any.whl", path = "m.whl", hashes = {{ sha256 = "{E}" }} }}]
"""
INDEXES = IndexSettings(
    index_url="https://u:p@main.example/simple",
    extra_index_urls=("https://extra.example/simple", "file:///wheels"),
)


def files(lock: Pylock, indexes: IndexSettings = INDEXES) -> dict[str, LockedFile]:
    own = WheelReference(filename="mine-1-py3-none-any.whl", sha256=E, path=Path("m.whl"))
    sources = Sources(local={canonicalize_name("mine"): own}, allow_sdist=frozenset({"sourced"}))
    choice = choose(lock, load_target("python3.13", "x86_64"), sources=sources)
    found = locked_files(lock, choice, own=sources.local, indexes=indexes)
    assert [each.name for each in found] == sorted(each.name for each in found)
    return {each.name: each for each in found}


def test_the_files_and_who_knows_them() -> None:
    lock = parse_lock(LOCK, origin="t")
    found = files(lock)
    every = ("https://extra.example/simple", "https://u:p@main.example/simple")
    assert {name: (each.filename, each.sha256, each.indexes) for name, each in found.items()} == {
        "direct": ("direct-1-py3-none-any.whl", D, ()),
        "indexed": ("indexed-1-py3-none-any.whl", A, ("https://own.example/simple",)),
        "plain": ("plain-1-py3-none-any.whl", B, every),
        "sourced": ("sourced-1.tar.gz", C, every),
    }
    [identity] = found["indexed"].identities
    assert identity["repository"] == "o/indexed"
    assert parse_lock(render_lock(lock), origin="again") == lock


def test_without_an_index_nobody_is_asked() -> None:
    lock = parse_lock(LOCK, origin="t")
    for settings in (IndexSettings(no_index=True), IndexSettings(index_url="file:///wheels")):
        assert files(lock, settings)["plain"].indexes == ()
    broken = parse_lock(LOCK.replace("https://own.example", "https://["), origin="t")
    assert files(broken)["indexed"].indexes == ()
