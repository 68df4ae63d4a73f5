"""What the target forbids is said before anything is packed; the rest is in the manifest."""

import zipfile

import pytest
from support.build_world import BuildWorld

S3 = ("--offload", "delta", "--offload-from", "s3")
REFUSED = {
    "unknown": (["--offload", "delat"], "", "did you mean `delta`?"),
    "subtracted": (["--offload", "boto3"], "", "the runtime provides it"),
    "edge from s3": ([*S3, "--offload-url", "s3://bucket", "--kind", "edge"], "", "every Region"),
    "no url": ([*S3], "", "says no `offload-url`"),
    "no place": ([*S3, "--offload-url", "https://x"], "", "`offload-url` is `https://x`"),
    "zstd": (["--offload", "delta"], 'offload-codec = "zstd"', "needs Python 3.14"),
    "edge /tmp": (["--kind", "edge"], "ephemeral-storage = 1024", "at most 512 MiB"),
    "snapstart /tmp": ([], "snapstart = true\nephemeral-storage = 513", "allows 512 MiB"),
    "snapstart runtime": (["--runtime", "python3.11"], "snapstart = true", "has no SnapStart"),
    "too small": ([], "ephemeral-storage = 100", "not a number of MiB"),
}


def configured(world: BuildWorld, lines: str) -> None:
    (world.project / "requirements.txt").write_text("alpha\ndelta\n")
    path = world.project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[tool.lpack]\n", f"[tool.lpack]\n{lines}\n"), encoding="utf-8")


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(world: BuildWorld, case: str) -> None:
    arguments, lines, words = REFUSED[case]
    configured(world, lines)
    done = world.run(*arguments)
    assert done.exit_code == 2, done.explain()
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert not world.zip.exists()


def test_only_metadata_stays(world: BuildWorld) -> None:
    configured(world, "")
    world.build("--offload", "delta")
    [archive] = world.manifest["offload"]["archives"]
    with zipfile.ZipFile(world.zip) as opened:
        names = opened.namelist()
        assert opened.getinfo(archive["archive"]).compress_type == zipfile.ZIP_STORED
    assert "delta/_native.so" not in names
    assert "delta-1.0.dist-info/METADATA" in names
    placements = {each["name"]: each["placement"] for each in world.manifest["distributions"]}
    assert placements["delta"] == "offload"
    assert placements["alpha"] == "zip"


def test_a_rebuild_without_it_clears_the_folder(world: BuildWorld) -> None:
    configured(world, "")
    world.build(*S3, "--offload-url", "s3://bucket/p")
    [archive] = world.manifest["offload"]["archives"]
    assert (world.project / "dist" / archive["archive"]).is_file()
    assert (archive["bucket"], archive["key"][:8]) == ("bucket", "p/delta-")
    world.build()
    assert world.manifest["offload"] is None
    assert not (world.project / "dist" / "api.offload").exists()
