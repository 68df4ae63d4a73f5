"""Measures `lpack build` on the five workloads, side by side with what people do without it.

    python benchmarks/run.py [--workloads W1,W2] [--target python3.11-x86_64] [--quick]

Writes benchmarks/results.md and benchmarks/results.json. With `--quick` every contender runs
once and nothing is written: it shows that the benchmark works, not how fast lpack is.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from results_table import WorkloadResult, machine_facts, render  # noqa: E402 -- needs the path above
from support.fixture_wheels import (  # noqa: E402 -- needs the path above
    TARGETS,
    WORKLOADS,
    MissingWheelsError,
    wheels_for,
)
from support.index_server import IndexServer  # noqa: E402 -- needs the path above
from timing import ContenderFailedError, run_interleaved  # noqa: E402 -- likewise
from workload import Bench  # noqa: E402 -- needs the path above


def measure(bench: Bench, *, rounds: int, reference_rounds: int) -> WorkloadResult:
    """Build once with an empty store, then let all contenders take turns."""
    bench.set_up()
    cold = bench.cold()
    reference = bench.reference(rounds=reference_rounds)
    contenders = [
        *bench.floor(rounds=rounds),
        *bench.lpack_contenders(rounds=rounds),
        reference,
    ]
    if reference_rounds <= 2:
        # Without a warm-up of its own, uv's cache would be empty.
        reference.run_once(keep=False)
    run_interleaved(contenders, warm_up=rounds > 1)
    return WorkloadResult(
        workload=bench.workload,
        target=bench.target,
        contenders={contender.name: contender for contender in contenders},
        cold_seconds=cold.seconds,
        cold_peak_bytes=cold.peak_bytes,
        zip_bytes=bench.artifact.stat().st_size,
        reference_bytes=bench.reference_zip.stat().st_size,
    )


def main() -> int:
    """Run the command line described at the top."""
    parser = argparse.ArgumentParser(description="benchmarks of lpack build")
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--target", default="python3.11-x86_64", choices=sorted(TARGETS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of results.md and .json")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    results = []
    try:
        with IndexServer(wheels_for(options.target)) as index:
            for workload in options.workloads.split(","):
                print(f"{workload} on {options.target} …", file=sys.stderr, flush=True)
                with tempfile.TemporaryDirectory(prefix="lpack-bench-") as folder:
                    bench = Bench(
                        workload=workload,
                        target=options.target,
                        index_url=index.url,
                        folder=Path(folder),
                    )
                    results.append(
                        measure(bench, rounds=rounds, reference_rounds=1 if options.quick else 3)
                    )
    except (ContenderFailedError, MissingWheelsError) as error:
        print(f"benchmark stopped: {error}", file=sys.stderr)
        return 1
    facts = machine_facts()
    page = render(results, facts)
    print(page)
    if not options.quick:
        document = {"machine": facts, "results": [result.to_document() for result in results]}
        (options.output / "results.md").write_text(page)
        (options.output / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
