"""`[tool.lpack]`, the command line and the guesses become functions with every setting resolved.

Precedence: command line, `[tool.lpack.functions.NAME]`, `[tool.lpack]`, guess. A setting replaces
the whole value of a weaker origin, lists and tables included.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from packager.errors import UsageError
from packager.inputs.configuration_file import Configuration, read_configuration
from packager.inputs.documents import shown
from packager.inputs.guessing import (
    guess_handler,
    guess_name,
    guess_requirements,
    guess_runtime,
    guess_sources,
)
from packager.inputs.handlers import Located, is_package, locate_handler
from packager.inputs.settings import (
    SETTINGS,
    Overrides,
    check_overrides,
    nearest,
)
from packager.model.project import Function, Guess

__all__ = ["Overrides", "load_project"]


class _Context(NamedTuple):
    root: Path
    overrides: Overrides
    configuration: Configuration
    runtimes: Sequence[str]
    default_runtime: str


def load_project(
    root: Path,
    overrides: Overrides,
    *,
    runtimes: Sequence[str],
    default_runtime: str | None = None,
    names: Sequence[str] = (),
) -> tuple[Function, ...]:
    """Read the project in `root` and resolve every setting of its functions.

    `runtimes` are the supported runtimes, oldest first; `default_runtime` is taken when nothing
    in the project hints at one. `names` chooses functions; none means all. Relative paths of
    `overrides` belong to `root`. Raises UsageError.
    """
    root = root.resolve()
    if not root.is_dir():
        raise UsageError(f"`{root}` is not a folder")
    check_overrides(overrides, runtimes=runtimes)
    configuration = read_configuration(root, overrides.config, runtimes=runtimes)
    context = _Context(root, overrides, configuration, runtimes, default_runtime or runtimes[-1])
    guessed = guess_name(root, configuration.pyproject)
    known = configuration.functions or {guessed.value: Overrides()}
    chosen = _choose(names, tuple(known), configured=bool(configuration.functions))
    if overrides.handler is not None and len(chosen) > 1:
        raise UsageError(
            f"`--handler` needs one function, and {len(chosen)} are configured",
            hint=f"lpack build {chosen[0]} --handler {overrides.handler}",
        )
    guesses = () if configuration.functions else (guessed,)
    return tuple(_function(name, known[name], context, guesses=guesses) for name in chosen)


def _choose(names: Sequence[str], known: tuple[str, ...], *, configured: bool) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            near = nearest(name, known)
            listed = ", ".join(known)
            where = "is configured" if configured else "was found"
            raise UsageError(
                f"no function `{name}` {where}",
                hint=f"did you mean `{near}`?" if near else f"the functions are {listed}",
            )
    return tuple(name for name in known if name in names) if names else known


class _Chosen(NamedTuple):
    """The strongest value of every setting, and where the handler was said."""

    settings: Overrides
    handler_origin: str


def _strongest(name: str, own: Overrides, context: _Context) -> _Chosen:
    place = context.configuration.place
    layers = (context.overrides, own, context.configuration.defaults)
    values = {
        setting.field: next(
            (value for layer in layers if (value := getattr(layer, setting.field)) is not None),
            None,
        )
        for setting in SETTINGS
    }
    if context.overrides.handler is not None:
        origin = "`--handler`"
    else:
        where = place.below("functions").below(name) if own.handler is not None else place
        origin = f"`{where.dotted('handler')}` in `{place.file}`"
    return _Chosen(Overrides(**values), origin)


def _function(
    name: str, own: Overrides, context: _Context, *, guesses: tuple[Guess, ...]
) -> Function:
    chosen = _strongest(name, own, context)
    settings, root, pyproject = chosen.settings, context.root, context.configuration.pyproject
    made = list(guesses)
    sources = None if settings.source is None else _sources(settings.source, root)
    handler, sources = _handler_and_sources(chosen, sources, context, made=made)
    runtime = settings.runtime
    if runtime is None:
        guess = guess_runtime(
            root, pyproject, runtimes=context.runtimes, default=context.default_runtime
        )
        made.append(guess)
        runtime = guess.value
    if settings.architecture is None:
        made.append(Guess(setting="architecture", value="x86_64", because="lpack's default"))
    requirements = settings.requirements
    if requirements is None:
        requirements, guess = guess_requirements(root, pyproject, function=name)
        made.append(guess)
    return Function(
        name=name,
        root=root,
        handler=handler,
        runtime=runtime,
        architecture=cast("Any", settings.architecture or "x86_64"),
        kind=cast("Any", settings.kind or "lambda"),
        sources=sources,
        requirements=requirements,
        include=settings.include or (),
        exclude=settings.exclude or (),
        allow_secrets=settings.allow_secrets or (),
        allow_sdist=settings.allow_sdist or (),
        allow_record_mismatch=settings.allow_record_mismatch or (),
        subtract=settings.subtract or (),
        catalog=root / settings.catalog if settings.catalog is not None else None,
        index_url=_expand(settings.index_url),
        extra_index_urls=tuple(_expand(url) or "" for url in settings.extra_index_urls or ()),
        index_strategy=settings.index_strategy,
        resolver=cast("Any", settings.resolver or "auto"),
        upload=cast("Any", settings.upload or "direct"),
        target_dir=root / (settings.target_dir or "dist"),
        guesses=tuple(made),
        configuration_files=context.configuration.files,
    )


def _handler_and_sources(
    chosen: _Chosen,
    sources: tuple[Path, ...] | None,
    context: _Context,
    *,
    made: list[Guess],
) -> tuple[str, tuple[Path, ...]]:
    """Resolve the handler, guessing what is missing; guesses are appended to `made`."""
    root, text = context.root, chosen.settings.handler
    bases = _bases(root, sources)
    if text is None:
        project = guess_name(root, context.configuration.pyproject).value
        located, guess = guess_handler(root, project, bases)
        made.append(guess)
    else:
        found = locate_handler(text, root=root, bases=bases, origin=chosen.handler_origin)
        located = found or _missing(text, chosen, context, bases)
    if sources is None:
        sources, guess = guess_sources(root, located)
        made.append(guess)
    return located.handler, sources


def _bases(root: Path, sources: tuple[Path, ...] | None) -> tuple[Path, ...]:
    """List the folders that modules of the user's code are imported from in Lambda."""
    if sources is None:
        layout = root / "src"
        return (root, layout) if layout.is_dir() and not is_package(layout) else (root,)
    bases: list[Path] = []
    for source in sources:
        # A folder that is no regular package ships its contents, or itself when the handler
        # says so (a namespace package).
        inside = () if source.is_file() or is_package(source) else (source,)
        bases += (*inside, source.parent)
    return tuple(dict.fromkeys(bases))


def _missing(text: str, chosen: _Chosen, context: _Context, bases: tuple[Path, ...]) -> Located:
    """Word the error of a handler whose module is nowhere."""
    root = context.root
    module = text.rpartition(":")[0] or text.rpartition(".")[0]
    path = module.removesuffix(".py").replace(".", "/") + ".py"
    places = " or ".join(f"`{shown(base, root)}`" for base in bases)
    raise UsageError(
        f"{chosen.handler_origin}: there is no `{path}` in {places}",
        hint=_hint_for_missing(text, path, root, bases),
    )


def _hint_for_missing(text: str, path: str, root: Path, bases: tuple[Path, ...]) -> str:
    function = text.rpartition(":")[2].rpartition(".")[2]
    wanted = Path(path).stem
    files = sorted(
        file
        for base in bases
        for pattern in ("*.py", "*/*.py", "*/*/*.py")
        for file in base.glob(pattern)
        if not any(part.startswith((".", "venv")) for part in file.relative_to(base).parts)
    )
    stems = {file.stem: file for file in reversed(files)}
    near = nearest(wanted, tuple(stems))
    if near is None:
        return "lpack build --handler src/main.handler"
    stem = shown(stems[near], root).removesuffix(".py")
    return f"did you mean `{stem}.{function}`?"


def _sources(texts: Sequence[str], root: Path) -> tuple[Path, ...]:
    found = tuple(Path(os.path.normpath(root / text)) for text in texts)
    for text, path in zip(texts, found, strict=True):
        if not path.exists():
            near = nearest(path.name, [each.name for each in path.parent.glob("*")])
            hint = f"did you mean `{shown(path.with_name(near), root)}`?" if near else None
            raise UsageError(f"`source`: there is no `{text}`", hint=hint)
    return found


def _expand(url: str | None) -> str | None:
    """Fill in `${NAME}` from the environment, as pip does, so that no file holds a password."""
    if url is None or "${" not in url:
        return url
    from packager.inputs.requirements_txt import expand_environment  # noqa: PLC0415 -- only then

    return expand_environment(url)
