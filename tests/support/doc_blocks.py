"""Reads what a page of the documentation tells its reader to do, so that a test can do it.

- A fence of `console` holds commands behind `$ `; lines without it are what they may print.
- `<!-- file: NAME -->` before a fence names the file that the fence is the content of.
- `<!-- exit: N -->` before a fence says how its last command ends.

Everything else is only read. Commands that need an account or another tool stand in `sh` fences.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"(?:<!-- (?P<key>file|exit): (?P<value>[^\n]+?) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing a reader does: writes `text` into `file`, or runs `command`, which ends with 0.

    `exit_code` is another end that the page announces.
    """

    file: str = ""
    text: str = ""
    command: str = ""
    exit_code: int = 0


def steps_of(page: str) -> list[Step]:
    """Return what the page's reader does, in order."""
    steps: list[Step] = []
    for fence in _FENCE.finditer(page):
        if fence["key"] == "file":
            steps.append(Step(file=fence["value"], text=fence["body"]))
        elif fence["language"] == "console":
            lines = fence["body"].splitlines()
            commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
            code = int(fence["value"]) if fence["key"] == "exit" else 0
            steps += [Step(command=each) for each in commands[:-1]]
            steps += [Step(command=each, exit_code=code) for each in commands[-1:]]
    return steps


def write_file(project: Path, step: Step) -> None:
    """Write the file of a step below `project`."""
    path = project / step.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(step.text, encoding="utf-8")


def mentioned_commands(page: str) -> list[str]:
    """Return every `lpack …` the page shows: in fences, and in backticks within a line."""
    without = _FENCE.sub("", page)
    found = re.findall(r"(?<!`)`(lpack [^`\n]+)`(?!`)", without)
    for fence in _FENCE.finditer(page):
        for line in fence["body"].splitlines():
            match = re.match(r"(?:\s*-?\s*(?:run: )?|\$ |.*[&|(] )(lpack [^&|>)]+)", line)
            if match is not None and fence["language"] in {"console", "sh", "yaml", "make"}:
                found.append(match[1])
    return [" ".join(each.split("  #")[0].split()) for each in found]
