"""What the shell proposes after the Tab key: functions, distributions, runtimes.

click's own completion scripts ask for it (`_LPACK_COMPLETE`, see docs/terminal.md). Nothing here
may fail or print: half a configuration proposes nothing. What is needed is loaded when a shell
asks, because the commands name these functions at every start.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packager.parsing import parse_json, parse_toml

if TYPE_CHECKING:
    from click import Context, Parameter
    from click.shell_completion import CompletionItem

Completer = Callable[["Context", "Parameter", str], list[str]]
_SUFFIX = ".lpack.json"
_TABLES = (("pyproject.toml", ("tool", "lpack", "functions")), ("lpack.toml", ("functions",)))


def functions(_: "Context", __: "Parameter", incomplete: str) -> list[str]:
    """Propose the functions that are configured here, or built in dist."""
    return _matching(sorted({*_configured(), *_built()}), incomplete)


def functions_or_files(
    context: "Context", parameter: "Parameter", incomplete: str
) -> "list[CompletionItem]":
    """Let the shell propose files, and propose functions.

    The files come first: bash forgets what was proposed before them.
    """
    from click.shell_completion import CompletionItem  # noqa: PLC0415 -- only for a shell

    found = functions(context, parameter, incomplete)
    return [CompletionItem(incomplete, type="file"), *map(CompletionItem, found)]


def distributions(_: "Context", __: "Parameter", incomplete: str) -> list[str]:
    """Propose the distributions in the manifests of dist."""
    from packager.cli.manifests import manifests_in  # noqa: PLC0415 -- likewise

    names: set[str] = set()
    for path in manifests_in(Path("dist")):
        try:
            manifest = parse_json(path.read_text(encoding="utf-8"))
            names.update(str(each["name"]) for each in manifest["distributions"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return _matching(sorted(names), incomplete)


def runtimes(_: "Context", __: "Parameter", incomplete: str) -> list[str]:
    """Propose the runtimes, the newest first."""
    from packager.runtime.targets import runtime_names  # noqa: PLC0415 -- only for a shell

    return _matching(reversed(runtime_names()), incomplete)


def one_of(*choices: str) -> Completer:
    """Return what proposes `choices`."""

    def complete(_: "Context", __: "Parameter", incomplete: str) -> list[str]:
        return _matching(choices, incomplete)

    return complete


def _matching(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _configured() -> Iterator[str]:
    for file, path in _TABLES:
        try:
            table: Any = parse_toml(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for key in path:
            table = table.get(key) if isinstance(table, dict) else None
        if isinstance(table, dict):
            yield from table


def _built() -> Iterator[str]:
    from packager.cli.manifests import manifests_in  # noqa: PLC0415 -- only for a shell

    return (path.name.removesuffix(_SUFFIX) for path in manifests_in(Path("dist")))
