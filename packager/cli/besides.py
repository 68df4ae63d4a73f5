"""What is written beside an artifact when somebody asks for it: bills, statements, make rules."""

from collections.abc import Iterable, Sequence

from packager.model.build import Build
from packager.model.progress import Reporter
from packager.model.project import Function, SourceTree
from packager.wheels.store import Store


def has_statements(function: Function) -> bool:
    """Tell whether a bill of materials or a statement of provenance is wanted."""
    return function.sbom or function.provenance


def check_statements(functions: Iterable[Function]) -> None:
    """Raise UsageError, before any work, when an extra is missing or a setting is wrong."""
    wanted = [each for each in functions if has_statements(each)]
    if wanted:
        from packager.pipeline.supply import check_supply  # noqa: PLC0415 -- not for every build

        for each in wanted:
            check_supply(each)


def write_statements(
    build: Build, tree: SourceTree, *, store: Store, reporter: Reporter
) -> Sequence[str]:
    """Write what is wanted of both and return the paths."""
    if not has_statements(build.function):
        return ()
    from packager.pipeline.supply import write_supply  # noqa: PLC0415 -- not for every build

    return [str(path) for path in write_supply(build, tree, store=store, reporter=reporter)]
