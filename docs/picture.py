"""Draw docs/build.svg: what a terminal shows after `lpack build` in fixtures/demo.

    python docs/picture.py

The command is run for real, on a copy of the demo with a store of its own, as in a terminal with
colour; its output is drawn as it comes. Run it again when the output changes.
"""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PICTURE = Path(__file__).with_name("build.svg")
_COMMAND = ("build",)
_CHARACTER_WIDTH, _LINE_HEIGHT, _MARGIN, _BAR = 8.43, 19, 18, 34
_COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#76e3ea"}
_SEQUENCE = re.compile(r"\x1b\[([\d;]*)m")


def record() -> list[str]:
    """Run the command and return the lines a terminal shows."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "demo"
        ignored = shutil.ignore_patterns("dist", "__pycache__")
        shutil.copytree(_ROOT / "fixtures" / "demo", project, ignore=ignored)
        store = {"LPACK_CACHE_DIR": str(Path(scratch) / "store")}
        environment = {**os.environ, **store, "FORCE_COLOR": "1"}
        environment.pop("NO_COLOR", None)
        done = subprocess.run(
            [sys.executable, "-m", "packager", *_COMMAND],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
    return [f"\x1b[1m$ lpack {' '.join(_COMMAND)}\x1b[0m", *done.stdout.rstrip().splitlines()]


def draw(lines: list[str]) -> str:
    """Return the lines as an SVG that looks like a terminal."""
    columns = max(len(_SEQUENCE.sub("", line)) for line in lines)
    width = round(columns * _CHARACTER_WIDTH + 2 * _MARGIN)
    height = len(lines) * _LINE_HEIGHT + _BAR + _MARGIN
    dots = "".join(
        f'<circle cx="{_MARGIN + 4 + 20 * at}" cy="17" r="6" fill="{colour}"/>'
        for at, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    rows = "\n".join(
        f'<text x="{_MARGIN}" y="{_BAR + 14 + at * _LINE_HEIGHT}">{_spans(line)}</text>'
        for at, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">\n'
        f"<title>lpack {' '.join(_COMMAND)}</title>\n"
        "<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"
        "'DejaVu Sans Mono',monospace;fill:#e6edf3;white-space:pre}"
        ".b{font-weight:bold}.d{fill:#8b949e}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>{dots}\n{rows}\n</svg>\n'
    )


def _spans(line: str) -> str:
    """Turn a line with colour codes into the inside of a text element."""
    parts = _SEQUENCE.split(line)
    spans = [html.escape(parts[0])]
    # What stands between two codes follows the codes that came before it.
    active: list[str] = []
    for codes, text in zip(parts[1::2], parts[2::2], strict=True):
        for code in (codes or "0").split(";"):
            active = [] if code == "0" else [*active, code]
        if text:
            spans.append(_span(active, text))
    return "".join(spans)


def _span(active: list[str], text: str) -> str:
    classes = " ".join({"1": "b", "2": "d"}[code] for code in active if code in {"1", "2"})
    colour = next((_COLOURS[code] for code in active if code in _COLOURS), "")
    attributes = f' class="{classes}"' if classes else ""
    attributes += f' style="fill:{colour}"' if colour else ""
    return f"<tspan{attributes}>{html.escape(text)}</tspan>"


if __name__ == "__main__":
    _PICTURE.write_text(draw(record()), encoding="utf-8")
