"""`lpack why` on what lpack built and on artifacts of others: chains, lines, imports."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fixture_wheels import CHECKOUT
from support.golden import check_golden, normalize
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.report_world import write_artifact

GOLDEN = CHECKOUT / "tests" / "cases" / "report"
CODE = {
    "app.py": b"import json\n\nfrom shop import orders\n\n\ndef handler(event, context):\n"
    b"    return orders.place(event)\n",
    "shop/__init__.py": b"",
    "shop/orders.py": b'"""Orders."""\n\nimport requests\n\n\ndef place(event):\n'
    b"    import six\n    return requests, six\n",
}

pytestmark = pytest.mark.index


@pytest.fixture
def foreign(real_wheels_of: Callable[[str], list[Path]], tmp_path: Path) -> Path:
    wheels = real_wheels_of("python3.13-x86_64")
    return write_artifact(tmp_path / "foreign.zip", wheels, code=CODE)


@pytest.mark.parametrize("name", ["urllib3", "six", "requests", "certifi/cacert.pem"])
def test_golden_of_others(
    name: str, foreign: Path, lpack: LpackRunner, update_golden: bool
) -> None:
    done = lpack.ok("why", name, "--artifact", foreign.name, cwd=foreign.parent)
    golden = GOLDEN / f"why-{Path(name).stem}.text"
    check_golden(golden, normalize(done.stdout, names={}, sizes=True), update=update_golden)


def test_the_lines_are_there(foreign: Path, lpack: LpackRunner) -> None:
    """Every step is looked up in the artifact: the line it names has the import."""
    done = lpack.ok(
        "why", "urllib3", "--artifact", foreign.name, "--output-format", "json",
        cwd=foreign.parent,
    )  # fmt: skip
    document = json.loads(done.stdout)
    steps = document["imports"]
    # Whose handler it is, a foreign zip does not say: the shortest way from any of your code.
    assert steps[0]["path"] == "shop/orders.py"
    with zipfile.ZipFile(foreign) as archive:
        for step in steps:
            line = archive.read(step["path"]).decode().splitlines()[step["line"] - 1]
            assert "import" in line
            assert step["module"].partition(".")[0] in line
    assert steps[-1]["module"].startswith("urllib3")


def test_the_project_s_own_lines(
    tmp_path: Path, lpack: LpackRunner, real_index: Callable[[str], IndexServer]
) -> None:
    """A built project: the line of pyproject.toml, the line of the code in src/."""
    source = tmp_path / "src"
    for name, data in CODE.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\ndependencies = [\n  "requests>=2.30",\n'
        '  "six",\n]\n\n[tool.lpack]\nruntime = "python3.13"\n\n[tool.lpack.functions.shop]\n'
        'handler = "app.handler"\nsource = ["src/app.py", "src/shop"]\n'
        'requirements = ["project"]\n'
    )
    index = real_index("python3.13-x86_64")
    lpack.ok("build", "--index-url", index.url, cwd=tmp_path)
    told = lpack.ok("why", "idna", cwd=tmp_path).stdout
    assert "pyproject.toml:5 → requests>=2.30 → idna<4,>=2.5" in told
    assert "src/shop/orders.py:3  imports requests" in told
    # requests does so in a function, and nothing else does at all.
    assert "imported when a function is called:" in told
    assert "imports idna" in told.splitlines()[-1]
    told = lpack.ok("why", "certifi", cwd=tmp_path).stdout
    assert "imported at start:" in told
    assert "src/app.py:3  imports shop" in told
    # What the runtime provides is imported all the same.
    told = lpack.ok("why", "six", cwd=tmp_path).stdout
    assert "not in shop.zip: python3.13 provides it" in told
    assert "imported when a function is called:" in told
    assert "src/shop/orders.py:7  imports six" in told
    shutil.rmtree(source)
    assert "\n    shop/orders.py:7  imports six" in lpack.ok("why", "six", cwd=tmp_path).stdout


def test_bad_input(tmp_path: Path, lpack: LpackRunner, foreign: Path) -> None:
    for arguments, message in (
        (["nothing", "--artifact", foreign.name], "no distribution or file is called `nothing`"),
        (["requets", "--artifact", foreign.name], f"lpack why requests --artifact {foreign.name}"),
        (["six", "--artifact", "none.zip"], "there is no `none.zip`"),
        (["six"], "no manifest"),
    ):
        done = lpack.run("why", *arguments, cwd=tmp_path)
        assert done.exit_code == 2, done.explain()
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_an_archive_that_is_damaged_inside(tmp_path: Path, lpack: LpackRunner) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", b"import six\n" * 50)
        archive.writestr("six.py", b"x = 1\n")
    data = bytearray(path.read_bytes())
    data[36:56] = b"\xff" * 20
    path.write_bytes(data)
    done = lpack.ok("why", "six", "--artifact", "f.zip", cwd=tmp_path)
    assert "imported: no statement found" in done.stdout
