"""Start-up times for a report, from what `lpack verify` or Python itself wrote."""

from typing import Any

from packager.parsing import parse_json
from packager.verify.import_times import module_times

_MOST_MODULES = 60


def read_times(text: str) -> dict[str, Any] | None:
    """Return `{"source", "total_ms", "modules": [[name, own ms]]}`; None when nothing is there.

    `text` is the JSON of `lpack verify`, or the lines of `python -X importtime`.
    """
    if text.lstrip().startswith("{"):
        return _from_verify(text)
    modules = module_times(text.splitlines(), module="__main__", total_ms=0)
    timed = [each for each in modules if each.self_ms > 0]
    if not timed:
        return None
    return {
        "source": "python -X importtime",
        "total_ms": round(sum(each.self_ms for each in timed), 3),
        "modules": [[each.name, round(each.self_ms, 3)] for each in timed[:_MOST_MODULES]],
    }


def _from_verify(text: str) -> dict[str, Any] | None:
    try:
        verified = parse_json(text)["verified"]
        for row in verified:
            if row["import_ms"] is not None:
                modules = [(float(m["self_ms"]), str(m["name"])) for m in row["modules"]]
                slowest = sorted(modules, reverse=True)[:_MOST_MODULES]
                return {
                    "source": "lpack verify",
                    "total_ms": float(row["import_ms"]),
                    "modules": [[name, ms] for ms, name in slowest],
                }
    except (ValueError, KeyError, TypeError):
        return None
    return None
