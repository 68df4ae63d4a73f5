"""Files of a bundle that run, or change `sys.path`, before the handler is imported. Pure.

AWS's bootstrap calls `site.addsitedir` for /var/task, which reads its `.pth` files at every cold
start. PEP 829 adds `.start` files, from Python 3.15 on.
"""

from collections.abc import Iterator

from packager.model.finding import Finding
from packager.model.finding_code import Level
from packager.model.target import Target
from packager.verify.bundle_view import BundleFile, BundleView

_LARGEST_READ_BYTES = 2**20
_KNOWN = {
    "distutils-precedence.pth": "of setuptools: it lets setuptools offer `distutils`",
    "-nspkg.pth": "of an old namespace package: it makes the package's parts one",
}
_START_FILES_FROM = (3, 15)


def check_start_files(view: BundleView, target: Target) -> Iterator[Finding]:
    """Yield what each start file does; one that runs code nobody knows is a warning."""
    folders = {file.name.partition("/")[0] for file in view if "/" in file.name}
    for file in view:
        if "/" in file.name or file.name.startswith("."):
            continue
        if file.name.endswith(".pth"):
            yield from _check_pth(file, folders)
        elif file.name.endswith(".start") and target.python >= _START_FILES_FROM:
            yield _runs(file, "its entry points", "warning")


def _check_pth(file: BundleFile, folders: set[str]) -> Iterator[Finding]:
    try:
        lines = file.read(_LARGEST_READ_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        # Reported with the other damaged files.
        return
    code = [line for line in lines if line.startswith(("import ", "import\t"))]
    if code:
        known = next((text for end, text in _KNOWN.items() if file.name.endswith(end)), None)
        yield _runs(file, known or f"`{_shown(code[0])}`", "note" if known else "warning")
    for line in lines:
        folder = line.strip()
        if not folder or line.startswith(("#", "import ", "import\t")):
            continue
        if folder.startswith("/") or folder.partition("/")[0] not in folders | {"."}:
            yield Finding(
                code="path-outside",
                level="warning",
                path=file.name,
                message=f"`{file.name}` adds `{_shown(folder)}` to `sys.path`, which is not there",
                hint="install the project itself, not as editable",
            )
        else:
            yield Finding(
                code="adds-path",
                level="note",
                path=file.name,
                message=f"`{file.name}` adds `{_shown(folder)}` to `sys.path`",
            )


def _runs(file: BundleFile, what: str, level: Level) -> Finding:
    return Finding(
        code="runs-at-start",
        level=level,
        path=file.name,
        message=f"`{file.name}` runs code at every cold start: {what}",
        hint=None if level == "note" else "read it; leave it out when the function works without",
    )


def _shown(text: str) -> str:
    """Cut `text` to a line that is safe to print."""
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= 80 else printable[:77] + "..."
