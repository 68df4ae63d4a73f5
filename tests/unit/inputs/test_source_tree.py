"""The user's own code: `tests/cases/inputs/sources.toml`, and what no table can say."""

import os
import socket
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.functions import make_function

from packager.errors import CannotBuild, LpackError, UsageError
from packager.inputs.secret_scan import secret_in
from packager.inputs.source_tree import collect_source

FILE = Path(__file__).parents[2] / "cases" / "inputs" / "sources.toml"
CASES = tomllib.loads(FILE.read_text())["case"]
# Put together here, so that no file of this repository looks like a secret itself.
KEY_BLOCK = "-----BEGIN {}PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2


def settings(case: dict[str, Any], root: Path) -> dict[str, Any]:
    table = dict(case.get("function", {}))
    for key in ("include", "exclude", "allow_secrets"):
        if key in table:
            table[key] = tuple(table[key])
    if "sources" in table:
        table["sources"] = tuple(root / each for each in table["sources"])
    if "target_dir" in table:
        table["target_dir"] = root / table["target_dir"]
    return table


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_cases(case: dict[str, Any], project: Any) -> None:
    root = project(case["files"])
    function = make_function(root, **settings(case, root))
    if "error" in case:
        with pytest.raises(UsageError) as caught:
            collect_source(function)
        assert caught.value.message == case["error"]
        assert caught.value.hint == case["hint"]
        assert list(caught.value.details) == case.get("details", [])
        return
    tree = collect_source(function)
    assert [file.archive_name for file in tree.files] == case["ships"]
    left_out = dict(tree.excluded)
    assert left_out | case.get("excluded", {}) == left_out
    assert all(Path(file.path).is_file() for file in tree.files)


def collect(root: Path, **more: Any) -> Any:
    return collect_source(make_function(root, **more))


def refused(root: Path, **more: Any) -> LpackError:
    with pytest.raises(LpackError) as caught:
        collect(root, **more)
    return caught.value


def test_modes_and_identities(project: Any) -> None:
    root = project({"run.sh": "#!/bin/sh\n", "app.py": "x"})
    (root / "run.sh").chmod(0o750)
    app, run = collect(root).files
    assert (app.executable, run.executable) == (False, True)
    status = (root / "app.py").stat()
    assert app.identity == (
        1,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )


def test_every_listed_folder_is_told(project: Any) -> None:
    root = project({"a/b/c.py": "", "node_modules/x/y.js": ""})
    folders = dict(collect(root).folders)
    assert set(folders) == {str(root), str(root / "a"), str(root / "a" / "b")}
    before = folders[str(root / "a")]
    os.utime(root / "a", ns=(1, 1))
    assert dict(collect(root).folders)[str(root / "a")] != before


def test_links_inside_are_followed(project: Any) -> None:
    root = project({"real/x.py": "x", "app.py": ""})
    (root / "alias.py").symlink_to("real/x.py")
    (root / "folder").symlink_to(root / "real", target_is_directory=True)
    files = {file.archive_name: file.path for file in collect(root).files}
    assert files["alias.py"] == files["folder/x.py"] == str(root / "real" / "x.py")


def test_a_link_out_of_the_project_is_refused(project: Any, tmp_path: Path) -> None:
    root = project({"app.py": ""})
    (tmp_path / "outside.txt").write_text("")
    (root / "data.txt").symlink_to(tmp_path / "outside.txt")
    error = refused(root)
    assert error.message == (
        f"`data.txt` is a link out of the project, to `{tmp_path}/outside.txt`"
    )
    assert isinstance(error, UsageError)
    assert [file.archive_name for file in collect(root, exclude=("data.txt",)).files] == ["app.py"]


def test_a_dangling_link_is_refused(project: Any) -> None:
    root = project({"app.py": ""})
    (root / "gone").symlink_to("nowhere")
    assert refused(root).message == (
        "`gone` is a link that leads nowhere (No such file or directory)"
    )


def test_links_in_a_circle_are_refused(project: Any) -> None:
    root = project({"a/app.py": ""})
    (root / "a" / "up").symlink_to("..", target_is_directory=True)
    assert "is a link to a folder above it" in refused(root).message
    (root / "a" / "up").unlink()
    (root / "a" / "self").symlink_to("self")
    assert "`a/self`" in refused(root).message


def test_what_is_no_file_is_refused_without_opening_it(project: Any) -> None:
    root = project({"app.py": ""})
    os.mkfifo(root / "pipe")
    assert refused(root).message == "`pipe` is a pipe, which cannot ship"
    (root / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "socket"))
        assert refused(root).message == "`socket` is a socket, which cannot ship"


def test_a_name_that_is_not_utf8_is_refused(project: Any) -> None:
    root = project({"app.py": ""})
    os.close(os.open(os.fsencode(root) + b"/caf\xe9.txt", os.O_CREAT | os.O_WRONLY))
    error = refused(root)
    assert error.message == r"the name of `caf\xe9.txt` is not UTF-8, and zip files need that"


def test_a_file_that_vanished_is_told(project: Any) -> None:
    root = project({"app.py": ""})
    error = refused(root, sources=(root / "gone",))
    assert isinstance(error, CannotBuild)
    assert error.message == "cannot read `gone`: No such file or directory"


def test_an_unreadable_file_is_told() -> None:
    """As another user, because root can read everything, and hence in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        root.chmod(0o755)
        (root / "locked.bin").write_text("x" * 300_000)
        (root / "locked.bin").chmod(0)
        user = os.geteuid()
        os.seteuid(user or 65534)
        try:
            error = refused(root)
        finally:
            os.seteuid(user)
    assert isinstance(error, CannotBuild)
    assert error.message == "cannot read `locked.bin`: Permission denied"


def test_a_source_outside_the_project_may_be_named(project: Any, tmp_path: Path) -> None:
    root = project({"app.py": ""})
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "tool.py").write_text("")
    tree = collect(root, sources=(root, tmp_path / "shared"))
    assert [file.archive_name for file in tree.files] == ["app.py", "tool.py"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("key = 'AKIA" + "Q3EGRYUA5ABCDEF2" + "'", "an AWS access key"),
        ("aws_secret_access_key = " + "aB3/" * 10, "an AWS secret key"),
        ("export AWS_SECRET_ACCESS_KEY='" + "aB3/" * 10 + "'", "an AWS secret key"),
        ("aws_secret_access_key = " + "aB3/" * 11, None),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY", None),
        (KEY_BLOCK.format(""), "a private key"),
        (KEY_BLOCK.format("RSA "), "a private key"),
        ('{"private_key": "' + KEY_BLOCK.format("").replace("\n", "\\n") + '"}', "a private key"),
        (KEY_BLOCK.format("").replace("\n", '\\n"\n  "'), "a private key"),
        (KEY_BLOCK.format("RSA ").replace("\n", "\nProc-Type: 4,ENCRYPTED\n\n"), "a private key"),
        ("find('-----BEGIN PRIVATE KEY-----') " + "abcdefgh" * 5, None),
        ("ghp_" + "a1B2" * 9, "a GitHub token"),
        ("glpat-" + "a1B2" * 5, "a GitLab token"),
        ("xoxb-" + "123456789012-" + "abcdefghij", "a Slack token"),
        ("sk_live_" + "a1B2c3" * 4, "a Stripe key"),
        ("AKIA" + "IOSFODNN7EXAMPLE", None),
        ("nothing to see", None),
        ("\0binary AKIA" + "Q3EGRYUA5ABCDEF2", None),
    ],
)
def test_contents(text: str, title: str | None) -> None:
    assert secret_in(text.encode()) == title


def test_a_secret_in_a_file_is_refused_and_may_be_allowed(project: Any) -> None:
    root = project({"app.py": "TOKEN = 'ghp_" + "a1B2" * 9 + "'"})
    error = refused(root)
    assert error.message == "1 file looks like a secret and would ship"
    assert error.details == ("app.py (a GitHub token)",)
    assert len(collect(root, allow_secrets=("app.py",)).files) == 1


def test_a_pem_with_a_certificate_and_a_key_is_refused(project: Any) -> None:
    text = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n" + KEY_BLOCK.format("")
    assert refused(project({"both.pem": text})).details == ("both.pem (by its name)",)


def test_a_large_bundle_of_certificates_is_no_secret(project: Any) -> None:
    block = "-----BEGIN CERTIFICATE-----\n" + "MIIDQTCC" * 200 + "\n-----END CERTIFICATE-----\n"
    root = project({"cacert.pem": block * 250})
    assert (root / "cacert.pem").stat().st_size > 400_000
    assert len(collect(root).files) == 1


def test_known_files_are_not_read_again(project: Any) -> None:
    root = project({"app.py": "clean"})
    (file,) = collect(root).files
    function = make_function(root)
    (root / "app.py").write_text("TOKEN = 'ghp_" + "a1B2" * 9 + "'")
    with pytest.raises(UsageError):
        collect_source(function, known={file.path: file.identity})
    status = (root / "app.py").stat()
    now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
    assert len(collect_source(function, known={file.path: now}).files) == 1


GLOBS = ["*.py", "a/*.py", "/a", "b", "**/c.txt", "a/**", "a/**/c.txt", "[ab].txt", "?.py", "x*/"]
NAMES = ["a.py", "a/b.py", "a/b/c.txt", "b", "x/b/y", "c.txt", "d/c.txt", "a.txt", "xy/z", "q/xz/f"]


def test_globs_mean_what_git_means(tmp_path: Path) -> None:
    """`git check-ignore` is the oracle for every glob with every name."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in NAMES:
        if name == "b":
            continue
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    files = [name for name in NAMES if name != "b"]
    for glob in GLOBS:
        (tmp_path / ".globs").write_text(glob)
        done = subprocess.run(
            ["git", "-c", f"core.excludesFile={tmp_path}/.globs", "check-ignore", *files],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        tree = collect(tmp_path, exclude=(glob, ".globs"))
        shipped = {file.archive_name for file in tree.files}
        assert set(files) - shipped == set(done.stdout.splitlines()), glob


def test_earlier_artifacts_are_left_out(tmp_path: Path) -> None:
    for name in ("app.py", "out/api.zip", "out/api.lpack.json", "data/model.zip"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    tree = collect_source(make_function(tmp_path))
    assert [file.archive_name for file in tree.files] == ["app.py", "data/model.zip"]
    # What an earlier build left must not show in the next one's manifest.
    assert tree.excluded == ()


def test_the_file_that_the_command_writes_to_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): ...\n")
    command = (
        "import sys; from packager.inputs.source_tree import collect_source;"
        "from support.functions import make_function; from pathlib import Path;"
        "print([f.archive_name for f in collect_source(make_function(Path.cwd())).files])"
    )
    with (tmp_path / "log.txt").open("wb") as log:
        subprocess.run(
            [sys.executable, "-c", command],
            cwd=tmp_path,
            stdout=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
        )
    assert (tmp_path / "log.txt").read_text() == "['app.py']\n"
