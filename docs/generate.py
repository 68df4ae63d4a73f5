"""Write docs/configuration.md from the table of settings; `--check` only compares.

Run it after a change of `packager/inputs/settings.py`; a test holds the file against it.
"""

import sys
from pathlib import Path

from packager.inputs.settings import SETTINGS, Setting
from packager.runtime.targets import runtime_names

_PAGE = Path(__file__).parent / "configuration.md"
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
(`LPACK_BUILD_TARGET_DIR`), `NO_COLOR` and `FORCE_COLOR` decide about colour. pip's configuration
and `.netrc` are followed for indexes and credentials.
"""


def page() -> str:
    """Return the text of the page."""
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


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(_PAGE.read_text(encoding="utf-8") != page())
    _PAGE.write_text(page(), encoding="utf-8")
