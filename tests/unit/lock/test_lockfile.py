"""Reading and writing pylock.toml."""

import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from packager.errors import CannotBuild, UsageError
from packager.lock.lockfile import lock_of, parse_lock, read_lock, render_lock, write_lock
from packager.lock.toml_text import render_document

UNIVERSAL = Path(__file__).parents[2] / "cases/lock/select/universal.toml"
HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'


def test_what_is_written_reads_the_same() -> None:
    lock = read_lock(UNIVERSAL)
    assert Pylock.from_dict(tomllib.loads(render_lock(lock))) == lock


def test_every_shape_of_toml_survives() -> None:
    document = {
        "lock-version": "1.0",
        "created-by": 'q"uo\\te\n\x7f\u00e9\t',
        "environments": ["a == 'b'", 'c == "d"'],
        "packages": [
            {
                "name": "a",
                "dependencies": [{"name": "b"}],
                "wheels": [{"size": 3, "upload-time": _time("2026-01-02T03:04:05.000006Z")}],
                "tool": {"odd key": {"deep": [True, 1.5, {}]}},
                "none": [],
            }
        ],
        "tool": {"x.y": {"a": 1, "when": _time("2026-01-02")}},
    }
    assert tomllib.loads(render_document(document)) == document


def _time(text: str) -> object:
    return tomllib.loads(f"x = {text}")["x"]


def test_credentials_are_not_written(tmp_path: Path) -> None:
    wheel = {"url": "https://me:s3cret@h/a-1-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}
    package = {"name": "a", "version": "1", "index": "https://s3cret@h/simple", "wheels": [wheel]}
    path = tmp_path / "pylock.toml"
    write_lock(lock_of([package], created_by="pip 26.3"), path)
    text = path.read_text(encoding="utf-8")
    assert "s3cret" not in text
    (written,) = read_lock(path).packages
    assert (written.index, (written.wheels or [])[0].url) == (
        "https://h/simple",
        "https://h/a-1-py3-none-any.whl",
    )


def test_writing_leaves_nothing_beside_it(tmp_path: Path) -> None:
    lock = lock_of([], created_by="test")
    with pytest.raises(CannotBuild, match="cannot write"):
        write_lock(lock, tmp_path / "missing" / "pylock.toml")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    with pytest.raises(CannotBuild, match="cannot write"):
        write_lock(lock, tmp_path / "folder")
    write_lock(lock, tmp_path / "pylock.toml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pylock.toml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lock-version =", "is not valid TOML"),
        ('lock-version = "2.0"\ncreated-by = "x"\npackages = []', "lock-version"),
        ('lock-version = "1.0"\npackages = []', "at `created-by`: Missing required value"),
        (HEAD + '[[packages]]\nname = "A"', "at `packages[0].name`"),
        (
            HEAD + '[[packages]]\nname = "a"\nversion = "1"\n'
            'wheels = [{ url = "https://h/b-1-py3-none-any.whl", hashes = { sha256 = "0" } }]',
            "at `packages[0].wheels[0]`",
        ),
    ],
)
def test_an_invalid_lock_names_the_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_lock(text, origin="pylock.toml")
    assert caught.value.message.startswith("`pylock.toml` ")
    assert message in caught.value.message


def test_no_lock_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_lock(tmp_path / "pylock.toml")
    (tmp_path / "pylock.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_lock(tmp_path / "pylock.toml")


def test_a_lock_of_nothing_reads_back() -> None:
    nothing = lock_of([], created_by="lpack")
    assert list(parse_lock(render_lock(nothing), origin="test").packages) == []
