"""One finding for many files that have the same fault: people read one sentence, not ninety."""

from collections.abc import Iterator

from packager.model.finding import Finding
from packager.model.finding_code import Level
from packager.verify.optional_files import optional_reason


class Grouped:
    """Collects faults; files below the same top-level folder with the same words become one."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._paths: dict[tuple[str, Level, str, str, str | None], list[str]] = {}

    def add(
        self, code: str, level: Level, path: str, predicate: str, *, hint: str | None = None
    ) -> None:
        """Say of the file at `path` what `predicate` (`needs …`, `is …`) says.

        A file that its distribution works without gives a note that says so.
        """
        reason = optional_reason(path)
        if reason is not None and level != "note":
            level, predicate, hint = "note", f"{predicate}; {reason}", None
        top = path.partition("/")[0]
        self._paths.setdefault((code, level, top, predicate, hint), []).append(path)

    def findings(self) -> Iterator[Finding]:
        """Yield one finding for each group, in the order they came up."""
        for (code, level, _, predicate, hint), paths in self._paths.items():
            more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
            yield Finding(
                code=code,
                level=level,
                path=paths[0],
                message=f"`{paths[0]}`{more} {predicate}",
                hint=hint,
            )
