"""Lets atheris look for inputs that break a harness: `fuzz_run.py HARNESS SECONDS`.

Without arguments every harness in turn, each LPACK_FUZZ_SECONDS long. What was found is kept in
`.cache/fuzz`: the corpus for the next run, and each input that broke something.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve()
CACHE = HERE.parents[2] / ".cache" / "fuzz"
MOST_SECONDS = 5
MOST_MEBIBYTES = 1024
LARGEST_INPUT_BYTES = 16_384


def fuzz(harness: str, seconds: int) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris  # noqa: PLC0415 -- only `make fuzz` installs it

    with atheris.instrument_imports(include=["packager", "packaging"]):
        from support import fuzz_harnesses, fuzz_seeds  # noqa: PLC0415 -- to be instrumented

        # What is loaded late shall be instrumented too, and not count as the first input's time.
        fuzz_harnesses.run(harness, b"")

    corpus, start = CACHE / harness / "corpus", CACHE / harness / "seeds"
    for folder in (corpus, start, CACHE / harness / "found"):
        folder.mkdir(parents=True, exist_ok=True)
    for title, data in fuzz_seeds.seeds(harness):
        (start / title.replace(" ", "-")).write_bytes(data)
    options = [
        f"-max_total_time={seconds}", f"-timeout={MOST_SECONDS}",
        f"-rss_limit_mb={MOST_MEBIBYTES}", f"-max_len={LARGEST_INPUT_BYTES}",
        f"-artifact_prefix={CACHE / harness / 'found'}/", "-print_final_stats=1", "-verbosity=1",
    ]  # fmt: skip
    arguments = [sys.argv[0], *options, str(corpus), str(start)]
    atheris.Setup(arguments, lambda data: fuzz_harnesses.run(harness, data) and None)
    atheris.Fuzz()


def main() -> int:
    """Run one harness here, or all of them in processes of their own."""
    sys.path.insert(0, str(HERE.parents[1]))
    if len(sys.argv) == 3:
        fuzz(sys.argv[1], int(sys.argv[2]))
    from support.fuzz_harnesses import HARNESSES  # noqa: PLC0415 -- after the path is set

    seconds = os.environ.get("LPACK_FUZZ_SECONDS", "600")
    broken = [
        name
        for name in HARNESSES
        if subprocess.run([sys.executable, str(HERE), name, seconds], check=False).returncode
    ]
    print(f"fuzzing: {len(HARNESSES)} harnesses, {seconds} s each, broken: {broken or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
