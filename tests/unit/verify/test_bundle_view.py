import zipfile
from pathlib import Path

import pytest

from packager.errors import CannotBuild, UsageError
from packager.verify.bundle_view import folder_view, is_symlink, zip_view


def foreign_zip(path: Path, *, system: int = 3, mode: int = 0o100640) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("pkg")
        entry = zipfile.ZipInfo("pkg/a.py")
        entry.create_system, entry.external_attr = system, mode << 16
        archive.writestr(entry, b"A = 1\n" * 100)
    return path


def test_a_zip(tmp_path: Path) -> None:
    with zip_view(foreign_zip(tmp_path / "f.zip")) as (file,):
        assert (file.name, file.mode, file.uncompressed_bytes) == ("pkg/a.py", 0o100640, 600)
        assert file.read(5) == b"A = 1"
        assert file.read() == b"A = 1\n" * 100


def test_a_zip_from_windows_has_no_modes(tmp_path: Path) -> None:
    with zip_view(foreign_zip(tmp_path / "f.zip", system=0, mode=0)) as (file,):
        assert file.mode is None


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/b.py").write_bytes(b"B")
    (tmp_path / "a.py").write_bytes(b"A")
    (tmp_path / "link").symlink_to("pkg")
    files = folder_view(tmp_path)
    assert [(file.name, is_symlink(file)) for file in files] == [
        ("a.py", False),
        ("link", True),
        ("pkg/b.py", False),
    ]
    assert files[2].read() == b"B"


def test_what_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "f.zip").write_bytes(b"PK\x05\x06nothing")
    with pytest.raises(UsageError, match="is not a zip"), zip_view(tmp_path / "f.zip"):
        pass
    with pytest.raises(CannotBuild, match="cannot read"), zip_view(tmp_path / "absent.zip"):
        pass


def test_damage_is_an_os_error(tmp_path: Path) -> None:
    path = foreign_zip(tmp_path / "f.zip")
    data = bytearray(path.read_bytes())
    start = data.index(b"pkg/a.py") + len("pkg/a.py")
    data[start + 4] ^= 0xFF
    path.write_bytes(data)
    with zip_view(path) as (file,), pytest.raises(OSError, match=r".+"):
        file.read()
