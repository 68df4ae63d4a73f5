"""Layers of bases: proven, looked at, put over each other; hostile ones refused."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.image_layout import layer_tar
from support.scripted_registry import digest_of

from packager.errors import CannotBuild
from packager.model.image import OCI_LAYER, Descriptor
from packager.registry.base_checks import check_inside, check_platform
from packager.registry.base_layer import look_at_layer
from packager.registry.layer_facts import LayerFacts, inside

ELF_X86 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(40)
ELF_ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00" + bytes(40)


def looked_at(folder: Path, tar: bytes, *, packed: bytes | None = None) -> LayerFacts:
    data = gzip.compress(tar, mtime=0) if packed is None else packed
    path = folder / "layer"
    path.write_bytes(data)
    layer = Descriptor(OCI_LAYER, digest_of(data), len(data))
    return look_at_layer(path, layer, diff_id=digest_of(tar), name="base", refusal=CannotBuild)


def test_facts(tmp_path: Path) -> None:
    tar = layer_tar(
        {
            "usr/bin/python3.13": ELF_X86,
            "./var/lang/bin/python3.13-config": b"#!",
            "lambda-entrypoint.sh": b"#!",
            "etc/.wh.passwd": b"",
            "opt/.wh..wh..opq": b"",
            "usr/lib/python3/awslambdaric/__main__.py": b"",
        }
    )
    facts = looked_at(tmp_path, tar)
    assert facts.uncompressed_bytes == len(tar)
    assert facts.whiteouts == ("etc/passwd", "opt/")
    assert facts.machines == ("x86_64",)
    assert LayerFacts.from_document(facts._asdict()) == facts
    found = inside([facts])
    assert (found.client, found.entry_point, found.musl) == (True, True, False)
    assert found.pythons == ("usr/bin/python3.13",)


def test_what_a_later_layer_takes_away_is_not_there(tmp_path: Path) -> None:
    lower = looked_at(
        tmp_path, layer_tar({"opt/x/bin/python": ELF_X86, "lambda-entrypoint.sh": b""})
    )
    for name in ("opt/.wh.x", "opt/x/bin/.wh.python", "opt/x/.wh..wh..opq"):
        upper = looked_at(tmp_path, layer_tar({name: b""}))
        assert inside([lower, upper]).pythons == ()
        assert inside([upper, lower]).pythons == ("opt/x/bin/python",)
        assert inside([lower, upper]).entry_point


def test_other_contents_than_the_configuration_says(tmp_path: Path) -> None:
    tar, other = layer_tar({"a": b"1"}), layer_tar({"a": b"2"})
    with pytest.raises(CannotBuild, match="its configuration says"):
        looked_at(tmp_path, tar, packed=gzip.compress(other))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_damage(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 0xFF]) + data[41:]


@pytest.mark.parametrize("spoil", [cut, with_damage])
def test_damage_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    tar = layer_tar({"a": bytes(range(256)) * 400})
    with pytest.raises(CannotBuild, match=r"is damaged|its configuration says"):
        looked_at(tmp_path, tar, packed=spoil(gzip.compress(tar)))


@pytest.mark.parametrize(
    ("packed", "said"),
    [(b"\x28\xb5\x2f\xfd" + bytes(50), "compressed by zstd"), (layer_tar({"a": b""}), "not compr")],
)
def test_other_compressions_are_refused(tmp_path: Path, packed: bytes, said: str) -> None:
    with pytest.raises(CannotBuild, match=said) as caught:
        looked_at(tmp_path, b"", packed=packed)
    assert "skopeo copy" in str(caught.value.hint)


@pytest.mark.parametrize("junk", [b"", b"\0" * 1024, b"no tar at all" * 100])
def test_odd_tars_end(tmp_path: Path, junk: bytes) -> None:
    try:
        assert looked_at(tmp_path, junk).paths == ()
    except CannotBuild as error:
        assert "damaged" in error.message  # noqa: PT017 -- both ends are right


def test_names_that_lead_out_are_only_names(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("../../../usr/bin/python")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    assert looked_at(tmp_path, out.getvalue()).machines == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layer"]


def facts_of(tmp_path: Path, **files: bytes) -> LayerFacts:
    names = {name.replace("__", "/").replace("_dot_", "."): data for name, data in files.items()}
    return looked_at(tmp_path, layer_tar(names))


def refusal(facts: LayerFacts, *, python: str = "3.13") -> str:
    with pytest.raises(CannotBuild) as caught:
        check_inside(
            inside([facts]),
            reference="base:1",
            architecture="x86_64",
            python=python,
            needs_python=True,
        )
    assert caught.value.hint
    return caught.value.message


def test_bases_that_do_not_fit(tmp_path: Path) -> None:
    arm = facts_of(tmp_path, usr__bin__python3_dot_13=ELF_ARM)
    assert "is for arm64" in refusal(arm)
    older = facts_of(tmp_path, usr__bin__python3_dot_11=ELF_X86)
    assert "has Python 3.11, and the runtime is python3.13" in refusal(older)
    assert "no Python" in refusal(facts_of(tmp_path, etc__os=b""))
    musl = facts_of(tmp_path, **{"usr__bin__python3_dot_13": ELF_X86, "lib__ld-musl-x86_64": b""})
    assert "musl" in refusal(musl)


@pytest.mark.parametrize(
    ("system", "machine"), [("linux", "arm64"), ("windows", "amd64"), (None, None)]
)
def test_the_platform_of_the_configuration(system: str | None, machine: str | None) -> None:
    with pytest.raises(CannotBuild, match="is for"):
        check_platform(
            {"os": system, "architecture": machine}, reference="b", architecture="x86_64"
        )
    check_platform({"os": "linux", "architecture": "amd64"}, reference="b", architecture="x86_64")
