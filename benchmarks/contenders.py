"""Who is timed on a workload: the ways a user meets lpack, the floor, and uv with zip."""

import hashlib
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from support.fixture_wheels import TARGETS
from timing import Contender
from workload import BIN, Bench

SLIMMED = "first build, slimmed anew"
CACHED = "first build, slimmed wheels in the store"
SPLICED = "first build, --slim off --no-strip"
CHANGED = "one line of the handler changed"
FIRST_CHANGED = "the first such change after a first build"
UNCHANGED = "nothing changed"
LPACK = (SLIMMED, CACHED, SPLICED, FIRST_CHANGED, CHANGED, UNCHANGED)
REFERENCE = "uv pip install --target + zip -9"
START = "python -c 'import click'"
COPY = "cp of the zip"
DIGEST = "hashlib.sha256 of the zip"

WHEELS = ("wheels",)
# What is known of wheels, and nothing of any project: neither resolutions nor pointers.
_WHEELS_AND_PAYLOADS = ("wheels", "admitted", "members", "payloads", "slimmed")


def lpack_contenders(fresh: Bench, kept: Bench, *, rounds: int) -> list[Contender]:
    """The ways a user meets lpack; in `fresh` payloads are forgotten, in `kept` they are not."""
    few = min(rounds, 3)

    def settle() -> None:
        # Build what is there now, a moment after it was written: dates alone cannot mislead.
        time.sleep(0.2)
        kept.build()

    def change_again() -> None:
        kept.change_handler()
        settle()
        kept.change_handler()

    return [
        _prepared(fresh, SLIMMED, lambda: fresh.forget(keep=WHEELS), rounds=few),
        _prepared(
            fresh,
            SPLICED,
            lambda: fresh.forget(keep=WHEELS),
            "--slim",
            "off",
            "--no-strip",
            rounds=few,
        ),
        # A round of these is cheap, so that they get a run that does not count before.
        _prepared(kept, CACHED, lambda: kept.forget(keep=_WHEELS_AND_PAYLOADS), rounds=rounds),
        _prepared(kept, FIRST_CHANGED, kept.change_handler, rounds=rounds),
        _prepared(kept, CHANGED, change_again, rounds=rounds),
        _prepared(kept, UNCHANGED, settle, rounds=rounds),
    ]


def _prepared(
    bench: Bench, name: str, prepare: Callable[[], None], *options: str, rounds: int
) -> Contender:
    contender = bench.lpack(name, *options, rounds=rounds)
    return replace(contender, prepare=prepare, warm_up=name not in (SLIMMED, SPLICED))


def reference(bench: Bench, *, rounds: int) -> Contender:
    """`uv pip install --target` and `zip -9` on the same lock, uv's cache filled."""
    target = TARGETS[bench.target]
    folder = bench.folder / "uv-target"
    # uv has no manylinux_2_26; the index offers nothing newer than the runtime takes anyway.
    platform = f"{target.machine}-manylinux_2_{max(target.glibc_minor, 28)}"
    install = [str(BIN / "uv"), "pip", "install", "--quiet", "--no-config", "--no-deps"]
    install += ["--python", sys.executable, "--python-version", target.python]
    install += ["--python-platform", platform, "--only-binary", ":all:"]
    install += ["--default-index", bench.index_url, "--target", str(folder)]
    install += ["-r", str(bench.project / "requirements.txt")]
    copy = ["cp", str(bench.project / "handler.py"), str(folder)]
    pack = ["sh", "-c", 'cd "$0" && zip -9 -q -r -X ../uv.zip .', str(folder)]

    def clean() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        reference_zip(bench).unlink(missing_ok=True)

    whole = Contender(
        name=REFERENCE,
        commands=[install, copy, pack],
        env=bench.runner.environment(),
        prepare=clean,
        rounds=rounds,
        warm_up=False,
    )
    # Installing alone fills uv's cache; packing would only be three quarters of a minute.
    replace(whole, commands=[install]).run_once(keep=False)
    return whole


def reference_zip(bench: Bench) -> Path:
    """The zip that the reference makes."""
    return bench.folder / "uv.zip"


def floor(bench: Bench, *, rounds: int) -> list[Contender]:
    """What nobody can do without: start Python, write the zip, take its digest."""
    copied = bench.folder / "copy.zip"

    def remove_copy() -> None:
        copied.unlink(missing_ok=True)

    def digest() -> str:
        with bench.artifact.open("rb") as artifact:
            return hashlib.file_digest(artifact, "sha256").hexdigest()

    return [
        Contender(
            name=START,
            commands=[[sys.executable, "-c", "import click"]],
            env=bench.runner.environment(),
            rounds=rounds,
        ),
        Contender(
            name=COPY,
            commands=[["cp", str(bench.artifact), str(copied)]],
            prepare=remove_copy,
            rounds=rounds,
        ),
        Contender(name=DIGEST, call=digest, rounds=rounds),
    ]
