"""The README's table, a page and its pictures, all from benchmarks/results.json."""

import json
import statistics
from pathlib import Path
from typing import Any

from charts import Bar, Group, bar_chart

_RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results.json"
_WHAT = {
    "W1": "boto3, requests, pydantic",
    "W2": "pandas, numpy, pyarrow",
    "W3": "scikit-learn, scipy, pandas",
    "W4": "pillow, opencv, numpy",
    "W5": "fastapi, mangum, sqlalchemy",
}
_REFERENCE = "uv pip install --target + zip -9"
_COLUMNS = (_REFERENCE, "first build, slimmed anew", "one line of the handler changed")
_MARK = "<!-- benchmarks -->"
_SMALLEST = "--release --slim declared"
_PAGE = """\
# Benchmarks

Written by `python docs/generate.py` from `benchmarks/results.json`; `make bench` measures.
[benchmarks/README.md](../benchmarks/README.md) tells how, and
[benchmarks/results.md](../benchmarks/results.md) has every figure, those that miss their goal too.

{machine}

## Seconds

![Bars: the seconds of each build](benchmark-times.svg)

## Megabytes

![Bars: the megabytes of each zip](benchmark-sizes.svg)
"""


def put_in(readme: str) -> str:
    """Return the README with the table between its marks as the results say."""
    before, _, rest = readme.partition(_MARK)
    _, _, after = rest.partition(_MARK)
    return f"{before}{_MARK}\n{table()}{_MARK}{after}"


def pictures() -> dict[str, str]:
    """Return the pictures by their names."""
    results = json.loads(_RESULTS.read_text(encoding="utf-8"))
    smallest = _smallest(results)
    times = [
        Group(_named(each), [_seconds(number, each, name) for number, name in enumerate(_COLUMNS)])
        for each in results["speed"]
    ]
    sizes = [
        Group(
            _named(each),
            [
                Bar(number, size / 1e6, f"{size / 1e6:.1f} MB")
                for number, size in enumerate(_sizes(each, smallest.get(each["workload"])))
            ],
        )
        for each in results["speed"]
    ]
    return {
        "benchmark-times.svg": bar_chart(
            "Seconds of a build (shorter is better)",
            ["uv + zip -9", "lpack, first build, wheels in the store", "lpack, one line changed"],
            times,
        ),
        "benchmark-sizes.svg": bar_chart(
            "MB of the zip (shorter is better)",
            ["uv + zip -9", "lpack", f"lpack {_SMALLEST}"],
            sizes,
        ),
    }


def benchmark_page() -> str:
    """Return the text of docs/benchmarks.md."""
    results = json.loads(_RESULTS.read_text(encoding="utf-8"))
    machine = " · ".join(f"{name} {value}" for name, value in results["machine"].items())
    return _PAGE.format(machine=machine) + _peers(results) + _growth(results)


def _peers(results: dict[str, Any]) -> str:
    rows = results.get("peers", [])
    own = {
        (row["workload"], row["way"]): statistics.median(row["seconds"])
        for row in rows
        if row["tool"] == "lpack"
    }
    lines = []
    for row in rows:
        seconds = statistics.median(row["seconds"])
        times = seconds / own[row["workload"], row["way"]]
        cells = [row["workload"], row["way"], row["tool"], f"{seconds:.2f}", f"{times:.1f} ×"]
        lines.append(f"| {' | '.join(cells)} |\n")
    head = (
        "\n## Against others\n\n| workload | way | tool | seconds | of lpack's |\n"
        "|---|---|---|--:|--:|\n"
    )
    return head + "".join(lines) if lines else ""


def _growth(results: dict[str, Any]) -> str:
    lines = [
        f"| {name} | {'flat' if each['exponent'] is None else format(each['exponent'], '.2f')} |\n"
        for name, each in results.get("growth", {}).items()
    ]
    head = "\n## Growth\n\nThe k of *a + b × size^k*.\n\n| cost by | k |\n|---|--:|\n"
    return head + "".join(lines) if lines else ""


def _named(speed: dict[str, Any]) -> str:
    return f"{speed['workload']}: {_WHAT[speed['workload']]}"


def _seconds(series: int, speed: dict[str, Any], name: str) -> Bar:
    seconds = statistics.median(speed["seconds"][name])
    return Bar(series, seconds, _shown(seconds))


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


def _sizes(speed: dict[str, Any], smallest_bytes: int | None) -> list[int]:
    """Return what is known: the section about sizes may have failed, or been left out."""
    known = [speed["reference_zip_bytes"], speed["zip_bytes"]]
    return known if smallest_bytes is None else [*known, smallest_bytes]


def _smallest(results: dict[str, Any]) -> dict[str, int]:
    return {
        row["workload"]: row["zip_bytes"] for row in results["sizes"] if row["variant"] == _SMALLEST
    }


def table() -> str:
    """Return the table."""
    results = json.loads(_RESULTS.read_text(encoding="utf-8"))
    smallest = _smallest(results)
    rows = "".join(_row(each, smallest.get(each["workload"])) for each in results["speed"])
    return (
        "| | uv + `zip -9` | lpack, first build | after a change | uv + `zip -9` | lpack "
        "| `--release --slim declared` |\n|---|--:|--:|--:|--:|--:|--:|\n" + rows
    )


def _row(speed: dict[str, Any], smallest_bytes: int | None) -> str:
    seconds = [statistics.median(speed["seconds"][name]) for name in _COLUMNS]
    sizes = _sizes(speed, smallest_bytes)
    cells = [_shown(value) for value in seconds] + [f"{size / 1e6:.1f} MB" for size in sizes]
    cells += ["not measured"] * (6 - len(cells))
    return f"| {_WHAT[speed['workload']]} | " + " | ".join(cells) + " |\n"
