"""Which files of the user's folders are code that ships, as data, and the globs that change it.

Whatever is left out is returned with its rule, never dropped in silence. Tests are not left out:
a `tests` folder may hold what the code imports, and `exclude` is one line.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

# Left out wherever they are: made by tools, never imported in Lambda.
FOLDERS = {
    "__pycache__": "bytecode of another Python",
    ".git": "version control",
    ".hg": "version control",
    ".svn": "version control",
    ".venv": "virtual environment",
    "venv": "virtual environment",
    "node_modules": "JavaScript packages",
    ".mypy_cache": "cache",
    ".pytest_cache": "cache",
    ".ruff_cache": "cache",
    ".hypothesis": "cache",
    ".ipynb_checkpoints": "cache",
    ".tox": "virtual environments",
    ".nox": "virtual environments",
    ".eggs": "build leftovers",
    ".terraform": "Terraform's working folder",
    ".serverless": "output of another packager",
    ".aws-sam": "output of another packager",
    "cdk.out": "output of another packager",
    ".idea": "editor settings",
    ".vscode": "editor settings",
}
FOLDER_ENDINGS = {".egg-info": "build leftovers"}
FILES = {
    ".DS_Store": "file of the operating system",
    "Thumbs.db": "file of the operating system",
    ".coverage": "test results",
}
FILE_ENDINGS = {".pyc": "bytecode of another Python", ".pyo": "bytecode of another Python"}

# Left out only when the source is the project's root, where these names belong to the project.
ROOT_FOLDERS = {
    "dist": "build output",
    "build": "build output",
    ".github": "continuous integration",
    ".gitlab": "continuous integration",
    ".circleci": "continuous integration",
    ".devcontainer": "editor settings",
    "htmlcov": "test results",
}
# Words, not one expression: compiling it took a tenth of a rebuild.
ROOT_FILES = frozenset(
    [
        "pyproject.toml",
        "lpack.toml",
        "poetry.toml",
        "uv.toml",
        "setup.py",
        "setup.cfg",
        "MANIFEST.in",
        "Pipfile",
        "pylock.toml",
        "tox.ini",
        "noxfile.py",
        "pytest.ini",
        "conftest.py",
        "mypy.ini",
        "ruff.toml",
        ".ruff.toml",
        ".coveragerc",
        ".flake8",
        ".pylintrc",
        ".pre-commit-config.yaml",
        ".editorconfig",
        "Makefile",
        "justfile",
        "Taskfile.yml",
        "Taskfile.yaml",
        ".dockerignore",
        ".gitignore",
        ".gitattributes",
        ".gitmodules",
        ".git-blame-ignore-revs",
        ".gitlab-ci.yml",
        ".python-version",
        ".tool-versions",
        "README",
        "CHANGELOG",
        "CONTRIBUTING",
        "CODEOWNERS",
        "samconfig.toml",
        "serverless.yml",
        "serverless.yaml",
        "cdk.json",
        "zappa_settings.json",
    ]
)
# How such names begin and end.
ROOT_FILE_SHAPES = (
    ("", ".lock"),
    (".lpack-", ""),
    ("requirements", ".txt"),
    ("requirements", ".in"),
    ("constraints", ".txt"),
    ("Dockerfile", ""),
    ("docker-compose", ""),
    ("README.", ""),
    ("CHANGELOG.", ""),
    ("CONTRIBUTING.", ""),
)
PROJECT_FILE = "project file"


class Glob(NamedTuple):
    """A pattern of the user, as in `.gitignore`; `keep` is True for `!PATTERN`.

    A pattern without a slash fits a name at any depth, one with a slash fits from the top. It
    fits a folder's whole contents. `*` and `?` stop at slashes, `**` does not.
    """

    text: str
    keep: bool
    expression: re.Pattern[str]


def compile_globs(texts: Sequence[str]) -> tuple[Glob, ...]:
    """Compile the globs of a setting."""
    return tuple(_compile(text) for text in texts)


def _compile(text: str) -> Glob:
    keep = text.startswith("!")
    pattern = text[1:] if keep else text
    body = pattern.removeprefix("./").strip("/")
    anchored = "/" in pattern.removeprefix("./").rstrip("/")
    start = "" if anchored else "(?:.*/)?"
    return Glob(text, keep, re.compile(f"{start}{_translate(body)}(?:/.*)?", re.DOTALL))


def _translate(pattern: str) -> str:
    parts: list[str] = []
    position = 0
    for found in re.finditer(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]", pattern):
        parts.append(re.escape(pattern[position : found.start()]))
        wild = found[0]
        simple = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        parts.append(simple.get(wild) or wild.replace("[!", "[^").replace("\\", "\\\\"))
        position = found.end()
    parts.append(re.escape(pattern[position:]))
    return "".join(parts)


def matching(globs: Sequence[Glob], *names: str) -> Glob | None:
    """Give the last glob that fits one of `names`, unless it is a `!` one."""
    for glob in reversed(globs):
        if any(glob.expression.fullmatch(name) for name in names):
            return None if glob.keep else glob
    return None


def reaches_into(globs: Sequence[Glob], *folders: str) -> bool:
    """Tell whether a glob fits something below one of `folders`, which must then be listed."""
    return any(
        glob.text.lstrip("!./").startswith(f"{folder}/") for glob in globs for folder in folders
    )


def default_rule(name: str, *, is_folder: bool, at_root: bool) -> str | None:
    """Say why lpack leaves out a file or folder of this name, or None when it ships."""
    if is_folder:
        rule = FOLDERS.get(name) or (ROOT_FOLDERS.get(name) if at_root else None)
        return rule or _ending(name, FOLDER_ENDINGS)
    rule = FILES.get(name) or _ending(name, FILE_ENDINGS)
    if rule is None and at_root and _is_of_the_project(name):
        return PROJECT_FILE
    return rule


def _is_of_the_project(name: str) -> bool:
    if name in ROOT_FILES or any(
        name.startswith(start) and name.endswith(end) for start, end in ROOT_FILE_SHAPES
    ):
        return True
    # PEP 751: pylock.NAME.toml, where NAME has no dot.
    first, _, rest = name.partition(".")
    named, _, last = rest.partition(".")
    return first == "pylock" and bool(named) and last == "toml"


def _ending(name: str, endings: dict[str, str]) -> str | None:
    for ending, rule in endings.items():
        if name.endswith(ending):
            return rule
    return None
