"""A statement is about the bytes that went in, not about those that lie there now."""

import zlib
from pathlib import Path

import pytest

from packager.errors import CannotBuild
from packager.model.project import SourceFile, SourceTree
from packager.pipeline.provenance import _lines


def test_a_file_that_changed_meanwhile_stops_the_statement(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_bytes(b"built\n")
    tree = SourceTree((SourceFile("app.py", str(path), False, (0, 0, 0, 0, 0)),), (), ())
    manifest = {"code": {"files": [["app.py", 6, 8, zlib.crc32(b"built\n"), 0o644]]}}
    [(name, line)] = _lines(tree, manifest)
    assert name == b"app.py"
    assert line.endswith(b"  app.py\n")
    path.write_bytes(b"later\n")
    with pytest.raises(CannotBuild, match="changed while it was built"):
        list(_lines(tree, manifest))
