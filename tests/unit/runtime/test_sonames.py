import pytest

from packager.errors import UsageError
from packager.model.target import ARCHITECTURES
from packager.runtime.sonames import (
    glibc_by_runtime,
    system_library_versions,
    system_sonames,
)
from packager.runtime.targets import runtime_names

EVERYWHERE = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1"}
NOWHERE = {"libGL.so.1", "libgomp.so.1", "libatomic.so.1", "libgcrypt.so.20", "libgobject-2.0.so.0"}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("runtime", runtime_names())
def test_every_runtime_has_a_list(runtime: str, architecture: str) -> None:
    names = system_sonames(runtime, architecture)
    assert names >= EVERYWHERE
    assert not names & NOWHERE
    assert f"libpython{runtime.removeprefix('python')}.so.1.0" in names
    assert {name for name in names if not name.startswith(("lib", "ld-", "p11-"))} == set()
    loader = {"x86_64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}
    assert {name for name in names if name.startswith("ld-linux")} == {loader[architecture]}


def test_the_operating_systems_differ() -> None:
    old, new = (system_sonames(runtime, "x86_64") for runtime in ("python3.11", "python3.12"))
    assert "libexpat.so.1" in old - new
    assert "libssl.so.3" in new - old
    assert system_library_versions("python3.11")["GLIBCXX"] == (3, 4, 24)
    assert system_library_versions("python3.14")["GLIBCXX"] == (3, 4, 33)
    assert glibc_by_runtime()["python3.9"] < glibc_by_runtime()["python3.13"]


@pytest.mark.parametrize("words", [("python2.7", "x86_64"), ("python3.13", "sparc")])
def test_unknown_words(words: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        system_sonames(*words)
