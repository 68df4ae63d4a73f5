"""The settings for attestations, in the configuration and on the command line."""

from pathlib import Path

import pytest

from packager.errors import UsageError
from packager.inputs.configuration import load_project
from packager.inputs.settings import Overrides
from packager.model.project import Function


def load(root: Path, lines: str, overrides: Overrides | None = None) -> Function:
    (root / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (root / "pyproject.toml").write_text(f'[project]\nname = "demo"\n[tool.lpack]\n{lines}\n')
    [function] = load_project(root, overrides or Overrides(), runtimes=("python3.13",))
    return function


def test_what_is_written_is_what_is_meant(tmp_path: Path) -> None:
    function = load(
        tmp_path,
        'attestations = { "*" = "verify", Foo_Bar = "require" }\ntrusted-root = "root.json"\n'
        'publishers = { "Foo.Bar" = "github:a/b", baz = ["google:a@b", "gitlab:a/b//c.yml"] }',
    )
    assert function.attestations == (("*", "verify"), ("foo-bar", "require"))
    assert function.publishers == (
        ("foo-bar", ("github:a/b",)),
        ("baz", ("google:a@b", "gitlab:a/b//c.yml")),
    )
    assert function.trusted_root == tmp_path / "root.json"
    assert load(tmp_path, 'attestations = "require"').attestations == (("*", "require"),)
    unset = load(tmp_path, "")
    assert (unset.attestations, unset.publishers, unset.trusted_root) == ((), (), None)


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ('attestations = "verfy"', "`tool.lpack.attestations`", "did you mean `verify`?"),
        ("attestations = true", "`tool.lpack.attestations`", None),
        ('attestations = { x = "always" }', "`tool.lpack.attestations.x`", "off, verify, require"),
        ('publishers = "github:a/b"', "must be a table", "NAME = "),
        ('publishers = { x = "a/b" }', "`a/b` is no publisher", 'x = "github:OWNER/REPOSITORY"'),
        ('publishers = { x = ["github:a/b", "github:"] }', "`github:` is no publisher", "x = "),
        ("publishers = { x = [] }", "`tool.lpack.publishers.x`", None),
        ("publishers = { x = [1] }", "a publisher or a list of them", None),
    ],
)
def test_what_is_written_wrong(tmp_path: Path, lines: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, lines)
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_a_wrong_word_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`--attestations` numpy: `requier`") as caught:
        load(tmp_path, "", Overrides(attestations=(("numpy", "requier"),)))
    assert "did you mean `require`?" in (caught.value.hint or "")
