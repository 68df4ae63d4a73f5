import json
import shutil

import pytest
from support.build_world import BuildWorld


@pytest.fixture
def built(world: BuildWorld) -> BuildWorld:
    world.build()
    return world


def run(world: BuildWorld, *arguments: str) -> tuple[int, str, str]:
    done = world.lpack.run(*arguments, cwd=world.project)
    assert "Traceback" not in done.stderr, done.explain()
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("named", [(), ("dist",), ("dist/api.zip",), ("dist/api.lpack.json",)])
def test_verify_finds_a_build_clean(built: BuildWorld, named: tuple[str, ...]) -> None:
    exit_code, stdout, _ = run(built, "verify", *named)
    assert exit_code == 0
    assert stdout.startswith("ok   dist/api.zip  ")
    assert built.manifest["artifact"]["sha256"] in stdout


def test_verify_finds_a_flipped_byte(built: BuildWorld) -> None:
    data = bytearray(built.zip.read_bytes())
    data[len(data) // 3] ^= 4
    built.zip.write_bytes(data)
    exit_code, stdout, _ = run(built, "verify")
    assert exit_code == 1
    assert stdout.startswith("FAIL dist/api.zip")
    assert "sha256" in stdout.splitlines()[1]


def test_verify_finds_an_edited_manifest(built: BuildWorld) -> None:
    manifest = built.manifest
    manifest["fits"] = False
    built.manifest_path.write_text(json.dumps(manifest))
    exit_code, stdout, _ = run(built, "verify")
    assert (exit_code, stdout.splitlines()[1].strip()) == (1, "`fits` is not what the limits say")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema_version":1}', '{"schema_version":2}', "\xff", '{"schema_version":'],
)
@pytest.mark.parametrize("command", [("verify",), ("why", "alpha")])
def test_a_file_that_is_no_manifest(built: BuildWorld, text: str, command: tuple[str, ...]) -> None:
    built.manifest_path.write_bytes(text.encode("latin-1"))
    exit_code, stdout, stderr = run(built, *command)
    assert (exit_code, stdout) == (2, "")
    assert "api.lpack.json" in stderr
    assert "hint: lpack build" in stderr


def test_nothing_was_built(world: BuildWorld) -> None:
    for command in (("verify",), ("why", "alpha"), ("verify", "dist/api.zip")):
        exit_code, _, stderr = run(world, *command)
        assert exit_code == 2, stderr
        assert "hint: lpack build" in stderr


def test_verify_without_the_zip(built: BuildWorld) -> None:
    built.zip.unlink()
    exit_code, _, stderr = run(built, "verify")
    assert exit_code == 2
    assert "`dist/api.zip` is not there" in stderr


def test_why_tells_of_distributions_and_files(built: BuildWorld) -> None:
    exit_code, stdout, _ = run(built, "why", "Gamma")
    assert exit_code == 0
    lines = stdout.splitlines()
    assert lines[0].startswith("gamma 2.5  ")
    # The shortest chain first, then the other one.
    assert lines[1].endswith("→ alpha → gamma")
    assert any(line.endswith("→ alpha → beta>=1 → gamma>=2") for line in lines)
    assert any("gamma_start.pth" in line for line in lines)
    assert "not in api.zip: python3.13 provides it" in run(built, "why", "botocore")[1]
    assert "from your code" in run(built, "why", "pkg/helper.py")[1]
    assert "from gamma 2.5" in run(built, "why", "share/gamma/größe.txt")[1]
    document = json.loads(run(built, "why", "gamma", "--output-format", "json")[1])
    assert document["distribution"]["name"] == "gamma"


def test_why_of_a_misspelt_name(built: BuildWorld) -> None:
    exit_code, _, stderr = run(built, "why", "gama")
    assert exit_code == 2
    assert "hint: lpack why gamma" in stderr


def test_verify_names_every_zip(built: BuildWorld) -> None:
    shutil.copy(built.zip, built.project / "dist/other.zip")
    manifest = built.manifest
    manifest["artifact"]["path"] = "other.zip"
    (built.project / "dist/other.lpack.json").write_text(json.dumps(manifest))
    exit_code, stdout, _ = run(built, "verify")
    assert exit_code == 0
    verdicts = [line.split() for line in stdout.splitlines() if line.startswith("ok ")]
    assert [verdict[1] for verdict in verdicts] == ["dist/api.zip", "dist/other.zip"]
