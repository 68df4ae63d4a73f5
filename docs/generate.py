"""Write the reference pages from the code's own tables, and what shows the benchmarks.

`--check` only compares.

Run it after a change of `packager/inputs/setting_table.py`, `packager/gate/codes.py`,
`packager/inspect/data/findings.toml`, `packager/explain/data/errors.toml` or a command, and after
`make bench`; a test holds the files against it.
"""

import sys
from pathlib import Path

from packager.gate.codes import CODES
from packager.inputs.settings import SETTINGS, Setting
from packager.inspect.codes import load_codes
from packager.runtime.targets import runtime_names

_FOLDER = Path(__file__).parent
# As a script its folder is on the path, loaded by a test it is not.
sys.path.insert(0, str(_FOLDER))
from benchmark_table import benchmark_page, pictures, put_in  # noqa: E402
from reference import commands_page, error_lines_page, exit_codes_page  # noqa: E402

_HEAD = """\
# Configuration

Generated from the table of settings by `python docs/generate.py`.

Settings stand in `[tool.lpack]` of `pyproject.toml` (or at the top level of `lpack.toml`, or of a
file given with `--config`). `[tool.lpack.functions.NAME]` overrides them for one function, the
command line overrides both. What nobody sets is guessed, and the guess is printed.

| key | default | values | what it does |
|---|---|---|---|
"""
_TAIL = """
Globs take `*` within a folder name and `**` across folders. Relative paths belong to the folder
of the configuration. Environment variables: `LPACK_CACHE_DIR` moves the store,
`SOURCE_DATE_EPOCH` sets the date of every file, `LPACK_BUILD_…` sets an option of `lpack build`
(`LPACK_BUILD_TARGET_DIR`), `LPACK_SHARED_STORE` names [a store of many machines](shared-store.md),
`NO_COLOR` and `FORCE_COLOR` decide about colour. pip's configuration and `.netrc` are followed for
indexes and credentials.
"""


_FINDINGS = """\
# Findings

Generated from `packager/gate/codes.py` (LP1 to LP4, of [lpack check](check.md)) and
`packager/inspect/data/findings.toml` (LP5 to LP7, of [lpack report](report.md)) by
`python docs/generate.py`. Codes never change their meaning. Errors of `lpack check` end in exit
code 1; with `--strict`, warnings do too. `lpack report` tells and never fails for what it finds.

| code | name | level | what it means | what to do |
|---|---|---|---|---|
"""


def findings_page() -> str:
    """Return the text of docs/findings.md."""
    return _FINDINGS + "".join(
        f"| {each.code} | `{each.name}` | {each.level} | {each.meaning} | {each.advice} |\n"
        for each in (*CODES, *load_codes())
    )


def page() -> str:
    """Return the text of docs/configuration.md."""
    return _HEAD + "".join(_row(setting) for setting in SETTINGS) + _TAIL


def _row(setting: Setting) -> str:
    choices = runtime_names() if setting.key == "runtime" else setting.choices
    if choices:
        values = ", ".join(f"`{choice}`" for choice in choices)
    else:
        values = {"texts": "list of texts", "policies": "text or table"}.get(
            setting.shape, setting.shape
        )
    return f"| `{setting.key}` | {setting.default} | {values} | {setting.doc} |\n"


def pages() -> dict[str, str]:
    """Return every generated page by its name."""
    return {
        "benchmarks.md": benchmark_page(),
        "commands.md": commands_page(),
        "configuration.md": page(),
        "error-lines.md": error_lines_page(),
        "exit-codes.md": exit_codes_page(),
        "findings.md": findings_page(),
        **pictures(),
        "../README.md": put_in((_FOLDER.parent / "README.md").read_text(encoding="utf-8")),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        if "--check" not in sys.argv:
            (_FOLDER / name).write_text(text, encoding="utf-8")
        elif (_FOLDER / name).read_text(encoding="utf-8") != text:
            sys.exit(f"docs/{name} is not what its table says")
