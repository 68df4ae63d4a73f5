"""The table of the README, from benchmarks/results.json."""

import json
import statistics
from pathlib import Path
from typing import Any

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


def put_in(readme: str) -> str:
    """Return the README with the table between its marks as the results say."""
    before, _, rest = readme.partition(_MARK)
    _, _, after = rest.partition(_MARK)
    return f"{before}{_MARK}\n{table()}{_MARK}{after}"


def table() -> str:
    """Return the table."""
    results = json.loads(_RESULTS.read_text(encoding="utf-8"))
    smallest = {
        row["workload"]: row["zip_bytes"]
        for row in results["sizes"]
        if row["variant"] == "--release --slim declared"
    }
    rows = "".join(_row(each, smallest[each["workload"]]) for each in results["speed"])
    return (
        "| | uv + `zip -9` | lpack, first build | after a change | uv + `zip -9` | lpack "
        "| `--release --slim declared` |\n|---|--:|--:|--:|--:|--:|--:|\n" + rows
    )


def _row(speed: dict[str, Any], smallest_bytes: int) -> str:
    seconds = [statistics.median(speed["seconds"][name]) for name in _COLUMNS]
    sizes = [speed["reference_zip_bytes"], speed["zip_bytes"], smallest_bytes]
    cells = [f"{value:.1f} s" for value in seconds] + [f"{size / 1e6:.1f} MB" for size in sizes]
    return f"| {_WHAT[speed['workload']]} | " + " | ".join(cells) + " |\n"
