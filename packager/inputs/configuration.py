"""`[tool.lpack]`, the command line and the guesses become functions with every setting resolved.

Precedence: command line, `[tool.lpack.functions.NAME]`, `[tool.lpack]`, guess. A setting replaces
the whole value of a weaker origin, lists and tables included.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import UsageError
from packager.inputs.configuration_file import Configuration, read_configuration
from packager.inputs.documents import joined, shown
from packager.inputs.guessing import (
    guess_handler,
    guess_name,
    guess_requirements,
    guess_runtime,
    guess_sources,
)
from packager.inputs.handlers import (
    Located,
    is_package,
    is_required,
    locate_handler,
    missing_handler,
    ships,
)
from packager.inputs.layer_tables import chosen_layers
from packager.inputs.nearest import nearest
from packager.inputs.setting_values import parse_bytes
from packager.inputs.settings import SETTINGS, Overrides, check_overrides
from packager.model.image_settings import ImageSettings
from packager.model.layer import LayerReference, OwnLayer
from packager.model.project import Function, Guess

_LISTS = (
    "include",
    "exclude",
    "allow_secrets",
    "allow_sdist",
    "allow_record_mismatch",
    "subtract",
    "attestations",
    "publishers",
    "slim_rules",
    "keep",
    "drop",
    "services",
    "offload",
)

__all__ = ["Overrides", "load_project"]


class _Context(NamedTuple):
    root: Path
    overrides: Overrides
    configuration: Configuration
    runtimes: Sequence[str]
    default_runtime: str


_DEFAULTS = (
    ("architecture", "x86_64"),
    ("kind", "lambda"),
    ("slim", "inert"),
    ("resolver", "auto"),
    ("upload", "direct"),
    ("package_type", "zip"),
    ("image", ImageSettings()),
    ("image_archive", False),
    ("sbom", False),
    ("provenance", False),
    ("builder_id", ""),
    ("release", False),
    ("offload_from", "zip"),
    ("offload_codec", "auto"),
    ("offload_url", ""),
    ("ephemeral_storage", 512),
    ("snapstart", False),
)


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
    chosen, made = _strongest(name, own, context), list(guesses)
    settings, root = chosen.settings, context.root
    sources = None if settings.source is None else _sources(settings.source, root)
    handler, sources = _handler_and_sources(chosen, sources, context, made=made)
    runtime, requirements = _runtime_and_requirements(name, settings, context, made=made)
    others: dict[str, Any] = {name: getattr(settings, name) or () for name in _LISTS}
    others |= {name: getattr(settings, name) or default for name, default in _DEFAULTS}
    return Function(
        name=name,
        root=root,
        handler=handler,
        runtime=runtime,
        sources=sources,
        requirements=requirements,
        catalog=joined(root, settings.catalog) if settings.catalog is not None else None,
        trusted_root=joined(root, settings.trusted_root) if settings.trusted_root else None,
        index_url=_expand(settings.index_url) if settings.index_url else None,
        extra_index_urls=tuple(_expand(url) for url in settings.extra_index_urls or ()),
        index_strategy=settings.index_strategy,
        exclude_newer=settings.exclude_newer,
        strip=settings.strip is not False,
        bytecode=parse_bytes(settings.bytecode or 0, name="`--bytecode`"),
        layers=_layers(settings, context),
        trace=joined(root, settings.trace or ".lpack-trace.json"),
        budgets=context.configuration.budgets_of(name),
        target_dir=joined(root, settings.target_dir or "dist"),
        guesses=tuple(made),
        configuration_files=context.configuration.files,
        **others,
    )


def _runtime_and_requirements(
    name: str, settings: Overrides, context: _Context, *, made: list[Guess]
) -> tuple[str, tuple[str, ...]]:
    """Take or guess the target and the requirements; guesses are appended to `made`."""
    root, pyproject = context.root, context.configuration.pyproject
    runtime, requirements = settings.runtime, settings.requirements
    if runtime is None:
        default = context.default_runtime
        guess = guess_runtime(root, pyproject, runtimes=context.runtimes, default=default)
        made.append(guess)
        runtime = guess.value
    if settings.architecture is None:
        made.append(Guess(setting="architecture", value="x86_64", because="lpack's default"))
    if requirements is None:
        requirements, guess = guess_requirements(root, pyproject, function=name)
        made.append(guess)
    return runtime, requirements


def _layers(settings: Overrides, context: _Context) -> tuple[OwnLayer | LayerReference, ...]:
    """Take the named layers; without a word all configured ones, where AWS has layers at all."""
    texts = settings.layers
    if texts is None and (settings.package_type == "image" or settings.kind == "edge"):
        texts = ()
    return chosen_layers(texts, context.configuration.layers, context.root)


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
        located, guess = guess_handler(root, project, bases, sources=sources)
        made.append(guess)
    else:
        found = locate_handler(text, root=root, bases=bases, origin=chosen.handler_origin)
        located = found or _elsewhere(text, chosen, context, bases)
        if found is not None and sources is not None and not ships(found.file, sources):
            raise UsageError(
                f"{chosen.handler_origin}: `{shown(found.file, root)}` is not in `source`",
                hint="add its file or folder to `source`",
            )
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


def _elsewhere(text: str, chosen: _Chosen, context: _Context, bases: tuple[Path, ...]) -> Located:
    """Accept a handler that a distribution provides, as wrappers do; otherwise raise."""
    root, module = context.root, text.rpartition(".")[0]
    names = ["pyproject.toml", *(chosen.settings.requirements or ())]
    if chosen.settings.requirements is None:
        pyproject = context.configuration.pyproject
        names += guess_requirements(root, pyproject, function="")[0]
    files = [path for name in names if (path := joined(root, name)).is_file()]
    if module and is_required(module.partition(".")[0], files):
        return Located(text, root, root / f"{module.partition('.')[0]}.py")
    raise missing_handler(text, root=root, bases=bases, origin=chosen.handler_origin)


def _sources(texts: Sequence[str], root: Path) -> tuple[Path, ...]:
    found = tuple(joined(root, text) for text in texts)
    for text, path in zip(texts, found, strict=True):
        if not path.exists():
            near = nearest(path.name, [each.name for each in path.parent.glob("*")])
            hint = f"did you mean `{shown(path.with_name(near), root)}`?" if near else None
            raise UsageError(f"`source`: there is no `{text}`", hint=hint)
    return found


def _expand(url: str) -> str:
    """Fill in `${NAME}` from the environment, as pip does, so that no file holds a password."""
    if "${" not in url:
        return url
    from packager.inputs.requirements_txt import expand_environment  # noqa: PLC0415 -- only then

    return expand_environment(url)
