"""The five workloads, for a machine that has neither the target's Python nor its processor."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from support.fixture_wheels import TARGETS, WORKLOADS, workload_requirements
from support.index_server import IndexServer
from support.lpack_runner import LpackRunner
from support.readers import assert_readers_agree

BUILT_FOR = ("python3.11-x86_64", "python3.13-arm64")
PAIRS = [(workload, target) for target in BUILT_FOR for workload in WORKLOADS]
BOTO3_GROUP = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "python-dateutil", "six"}
# What an installer writes beside the wheel's own files.
INSTALLERS = re.compile(
    r"bin/.*|\.lock|[^/]+\.dist-info/(INSTALLER|REQUESTED|RECORD|direct_url\.json|uv_\w+\.json)"
)

pytestmark = pytest.mark.index


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """What one build left behind."""

    zip: Path
    manifest: dict[str, Any]

    def digests(self) -> dict[str, str]:
        """The sha256 of every file in the zip."""
        with zipfile.ZipFile(self.zip) as archive:
            return {n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist()}


def write_project(folder: Path, workload: str, target: str, *, requirements: Path) -> None:
    """Write the workload as a project called after it."""
    folder.mkdir(parents=True)
    shutil.copy(requirements, folder / "requirements.txt")
    shutil.copy(requirements.with_name("handler.py"), folder / "handler.py")
    runtime, architecture = target.split("-")
    (folder / "lpack.toml").write_text(
        f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n'
        f'[functions.{workload}]\nhandler = "handler.lambda_handler"\n'
    )


def build(lpack: LpackRunner, folder: Path, index: IndexServer, **options: Any) -> Built:
    """Build the project in `folder`; a passed limit (exit 1) is for the caller to judge."""
    arguments = options.pop("arguments", ["--subtract", "never"])
    done = lpack.run("build", "--index-url", index.url, *arguments, cwd=folder, **options)
    assert done.exit_code in (0, 1), done.explain()
    [path] = (folder / "dist").glob("*.zip")
    return Built(zip=path, manifest=json.loads(path.with_suffix(".lpack.json").read_text()))


@pytest.fixture(scope="module")
def built(
    real_index: Callable[[str], IndexServer],
    shared_lpack: LpackRunner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], Built]:
    """A function from a workload and a target to its zip, each built once."""
    done: dict[tuple[str, str], Built] = {}

    def build_once(workload: str, target: str) -> Built:
        if (workload, target) not in done:
            folder = tmp_path_factory.mktemp("built") / workload
            requirements = workload_requirements(workload, target)
            write_project(folder, workload, target, requirements=requirements)
            done[workload, target] = build(shared_lpack, folder, real_index(target))
        return done[workload, target]

    return build_once


@pytest.mark.parametrize(("workload", "target"), PAIRS)
def test_holds_what_uv_installs(
    workload: str,
    target: str,
    built: Callable[[str, str], Built],
    real_index: Callable[[str], IndexServer],
    shared_lpack: LpackRunner,
    tmp_path: Path,
) -> None:
    installed = install_with_uv(workload, target, real_index(target).url, shared_lpack, tmp_path)
    shipped = built(workload, target).digests()
    ours = {name: digest for name, digest in shipped.items() if not INSTALLERS.fullmatch(name)}
    handler = ours.pop("handler.py")
    assert handler == sha256(workload_requirements(workload, target).with_name("handler.py"))
    distributions = built(workload, target).manifest["distributions"]
    dropped = {row[0] for each in distributions for row in each["dropped"] if row[1] == "inert"}
    stripped = {row[0] for each in distributions for row in each["stripped"]}
    assert ours.keys() <= installed.keys()
    assert installed.keys() - ours.keys() == {n for n in dropped if not INSTALLERS.fullmatch(n)}
    assert {name for name in ours if ours[name] != installed[name]} == stripped


def install_with_uv(
    workload: str, target: str, index: str, lpack: LpackRunner, folder: Path
) -> dict[str, str]:
    """Install the workload with `uv pip install --target`; the digests of what lies there."""
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        pytest.skip("`uv` is not installed")
    known = TARGETS[target]
    # uv knows no manylinux_2_26; the index offers nothing newer than the runtime takes anyway.
    platform = f"{known.machine}-manylinux_2_{max(known.glibc_minor, 28)}"
    command = [str(uv), "pip", "install", "--quiet", "--no-config", "--only-binary", ":all:"]
    command += ["--python", sys.executable, "--python-version", known.python]
    command += ["--python-platform", platform, "--default-index", index, "--no-deps"]
    command += ["--target", str(folder / "installed")]
    command += ["-r", str(workload_requirements(workload, target))]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=lpack.environment()
    )
    assert done.returncode == 0, done.stderr
    root = folder / "installed"
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return {name: sha256(root / name) for name in names if not INSTALLERS.fullmatch(name)}


def sha256(path: Path) -> str:
    """The digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("workload", "target"), PAIRS)
def test_needs_no_newer_glibc(
    workload: str, target: str, built: Callable[[str, str], Built]
) -> None:
    machine = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}[TARGETS[target].machine]
    libraries = 0
    with zipfile.ZipFile(built(workload, target).zip) as archive:
        for name in archive.namelist():
            if re.search(r"\.so(\.|$)", name):
                elf = ELFFile(io.BytesIO(archive.read(name)))
                libraries += 1
                assert elf.header["e_machine"] == machine, name
                assert glibc_needed(elf) <= (2, TARGETS[target].glibc_minor), name
    assert libraries > 0


def glibc_needed(elf: ELFFile) -> tuple[int, int]:
    """The newest GLIBC symbol version that a library asks for."""
    newest = (0, 0)
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                for version in versions:
                    found = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", version.name)
                    if found:
                        newest = max(newest, (int(found[1]), int(found[2])))
    return newest


@pytest.mark.parametrize(("workload", "target"), PAIRS)
def test_is_the_same_from_a_clean_build_elsewhere(
    workload: str,
    target: str,
    built: Callable[[str, str], Built],
    real_index: Callable[[str], IndexServer],
    tmp_path: Path,
) -> None:
    first = built(workload, target)
    folder = tmp_path / "ein anderer Ordner"
    write_project(folder, workload, target, requirements=workload_requirements(workload, target))
    again = build(
        LpackRunner(home=tmp_path / "home"),
        folder,
        real_index(target),
        env={"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4711", "LANG": "C"},
        umask=0o077,
    )
    assert sha256(again.zip) == sha256(first.zip)


# The largest are read by seven readers for one target; `make test-all` reads the other one, too.
READ_LATER = (("W2", "python3.13-arm64"), ("W3", "python3.13-arm64"))


@pytest.mark.parametrize(
    ("workload", "target"),
    [pytest.param(*pair, marks=[pytest.mark.slow] * (pair in READ_LATER)) for pair in PAIRS],
)
def test_all_readers_see_the_same(
    workload: str, target: str, built: Callable[[str, str], Built]
) -> None:
    assert_readers_agree(built(workload, target).zip)


def decisions(built: Built) -> dict[str, dict[str, Any]]:
    """The subtraction's decisions by name."""
    return {entry["name"]: entry for entry in built.manifest["subtraction"]["decisions"]}


def test_an_open_boto3_is_left_to_the_runtime(
    real_index: Callable[[str], IndexServer], shared_lpack: LpackRunner, tmp_path: Path
) -> None:
    target = "python3.13-x86_64"
    requirements = workload_requirements("W1", target).with_name("requirements.in")
    sizes = {}
    for policy in ("compatible", "never"):
        folder = tmp_path / policy / "W1"
        write_project(folder, "W1", target, requirements=requirements)
        found = build(shared_lpack, folder, real_index(target), arguments=["--subtract", policy])
        sizes[policy] = found.zip.stat().st_size
        left_out = {
            name for name, each in decisions(found).items() if each["outcome"] == "subtracted"
        }
        assert left_out == (BOTO3_GROUP if policy == "compatible" else set())
        names = {name.split("/")[0] for name in found.digests()}
        assert ("botocore" in names) is (policy == "never")
    assert sizes["never"] - sizes["compatible"] >= 16_000_000


def test_a_boto3_that_the_runtime_lacks_is_kept_with_its_group(
    real_index: Callable[[str], IndexServer], shared_lpack: LpackRunner, tmp_path: Path
) -> None:
    target = "python3.13-x86_64"
    folder = tmp_path / "W1"
    write_project(folder, "W1", target, requirements=workload_requirements("W1", target))
    found = build(shared_lpack, folder, real_index(target), arguments=[])
    assert {"boto3", "botocore", "s3transfer"} <= {n.split("/")[0] for n in found.digests()}
    boto3 = decisions(found)["boto3"]
    assert boto3["outcome"] != "subtracted"
    assert "boto3==" in boto3["reason"]
    assert boto3["loosen"]
    assert boto3["loosen_compressed_bytes"] >= 16_000_000
