"""Poetry's own dependency tables (Poetry documentation, "Dependency specification")."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from packager.errors import UsageError
from packager.inputs.documents import joined
from packager.model.requirement import Declared, IndexSettings


def poetry_requirements(
    poetry: Mapping[str, Any], *, origin: str, folder: Path
) -> Iterator[Declared]:
    """Turn `[tool.poetry.dependencies]` into PEP 508; optional ones are left to extras.

    Paths become `file:` URLs. Raises UsageError for git sources and malformed entries.
    """
    table = poetry.get("dependencies", {})
    yield from _requirements(table, "dependencies", origin=origin, folder=folder)


def poetry_group(
    poetry: Mapping[str, Any], name: str, *, origin: str, folder: Path
) -> Iterator[Declared]:
    """Turn `[tool.poetry.group.NAME.dependencies]` into PEP 508. Raises UsageError."""
    table = poetry.get("group", {}).get(name, {}).get("dependencies", {})
    yield from _requirements(table, f"group.{name}.dependencies", origin=origin, folder=folder)


def poetry_extra(
    poetry: Mapping[str, Any], name: str, *, origin: str, folder: Path
) -> Iterator[Declared]:
    """Give the optional dependencies that `[tool.poetry.extras]` lists. Raises UsageError."""
    wanted = {canonicalize_name(each) for each in poetry.get("extras", {}).get(name, [])}
    table = {
        key: value
        for key, value in poetry.get("dependencies", {}).items()
        if canonicalize_name(key) in wanted
    }
    yield from _requirements(
        table, "dependencies", origin=origin, folder=folder, with_optional=True
    )


def poetry_indexes(poetry: Mapping[str, Any], *, origin: str) -> IndexSettings:
    """Read `[[tool.poetry.source]]`: primary sources replace the default index.

    A source without a URL is the public index. Raises UsageError when the table is malformed.
    """
    primary: list[str] = []
    others: list[str] = []
    for source in poetry.get("source", []):
        if not isinstance(source, dict):
            raise UsageError(f"`tool.poetry.source` in `{origin}` must be a list of tables")
        url = source.get("url")
        if isinstance(url, str):
            is_primary = source.get("priority", "primary") in ("primary", "default")
            (primary if is_primary else others).append(url)
    default = primary[0] if primary else None
    return IndexSettings(index_url=default, extra_index_urls=(*primary[1:], *others))


def _requirements(
    dependencies: Mapping[str, Any],
    path: str,
    *,
    origin: str,
    folder: Path,
    with_optional: bool = False,
) -> Iterator[Declared]:
    for name, value in dependencies.items():
        if name.lower() == "python":
            continue
        where = f"{origin} (tool.poetry.{path}.{name})"
        for entry in value if isinstance(value, list) else [value]:
            table = {"version": entry} if isinstance(entry, str) else entry
            if not isinstance(table, dict):
                raise UsageError(f"{where}: neither a version nor a table")
            if table.get("optional") and not with_optional:
                continue
            text = _text(name, table, where=where, folder=folder)
            try:
                requirement = Requirement(text)
            except InvalidRequirement as error:
                raise UsageError(f"{where}: `{text}` is not a requirement") from error
            yield Declared(requirement=requirement, origin=where)


def _text(name: str, table: Mapping[str, Any], *, where: str, folder: Path) -> str:
    extras = table.get("extras") or []
    suffix = f"[{','.join(extras)}]" if extras else ""
    marker = _marker(table, where)
    end = f" ; {marker}" if marker else ""
    if "git" in table:
        raise UsageError(
            f"{where}: `{name}` comes from git, whose files no hash can name",
            hint="build a wheel of it (`pip wheel --no-deps URL -w wheels`) and name that file",
        )
    if "url" in table:
        return f"{name}{suffix} @ {table['url']}{end}"
    for key in ("path", "file"):
        if key in table:
            path = joined(folder, table[key])
            return f"{name}{suffix} @ {path.as_uri()}{end}"
    return f"{name}{suffix}{_specifier(table.get('version', '*'), where)}{end}"


def _specifier(constraint: object, where: str) -> str:
    """Turn `^1.2`, `~1.2`, `1.2.*` and ranges into PEP 440."""
    from poetry.core.constraints.version import (  # noqa: PLC0415 -- loaded only for Poetry
        Version,
        VersionRange,
        VersionUnion,
    )

    parsed = _parsed(constraint, where)
    if parsed.is_any():
        return ""
    if isinstance(parsed, Version):
        return f"=={parsed}"
    if isinstance(parsed, VersionRange):
        return str(parsed)
    if isinstance(parsed, VersionUnion) and parsed.excludes_single_version:
        return str(parsed)
    raise UsageError(
        f"{where}: `{constraint}` is a choice between ranges, which no requirement can say",
        hint="keep one range",
    )


def _parsed(constraint: object, where: str) -> Any:  # noqa: ANN401 -- poetry-core is untyped
    from poetry.core.constraints.version import (  # noqa: PLC0415 -- loaded only for Poetry
        parse_constraint,
    )

    try:
        return parse_constraint(str(constraint))
    except ValueError as error:  # poetry-core's own errors, and a number without end
        raise UsageError(f"{where}: `{constraint}` is not a version constraint") from error


def _marker(table: Mapping[str, Any], where: str) -> str:
    parts = []
    if table.get("markers"):
        parts.append(f"({table['markers']})" if table.get("python") else str(table["markers"]))
    if table.get("python"):
        from poetry.core.packages.utils.utils import (  # noqa: PLC0415 -- loaded only for Poetry
            create_nested_marker,
        )

        parts.append(create_nested_marker("python_version", _parsed(table["python"], where)))
    if table.get("platform"):
        parts.append(f"sys_platform == '{table['platform']}'")
    joined = " and ".join(part for part in parts if part)
    try:
        return str(Marker(joined)) if joined else ""
    except InvalidMarker as error:
        raise UsageError(f"{where}: `{joined}` is not a marker") from error
