"""What `lpack build` does once it knows the functions and their settings.

Needs neither the command line library nor the configuration: a rebuild after a change of the
user's code starts here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from packager.at_once import at_once
from packager.cli.besides import check_statements, write_statements
from packager.cli.console import Console
from packager.cli.packing import packed
from packager.cli.refusals import render_refusals, shown_path
from packager.cli.sharing import finish_sharing
from packager.cli.signatures import listing_of, signatures_of
from packager.cli.unchanged import Looks, identity_of, is_settled, remember, show
from packager.inputs.source_tree import Identity, collect_source
from packager.model.build import Build, BuildOptions, FunctionLayers
from packager.model.deflating import encoder_file
from packager.model.project import Function, SourceTree
from packager.pipeline.ahead import HeadStart
from packager.pipeline.build import builder_of, inputs_of, layers_of, manifest_path, outputs_of
from packager.report.text import render_build
from packager.wheels.store import Store

Answer = dict[str, Any]


class Request(NamedTuple):
    """A command line after it was understood: what to build, how, and how to tell of it.

    `jobs` is how many functions are built at once. A request that depends on more than files is
    not `replayable`; one that has to be done whenever it is asked is not `remembered`. With
    `depfile` a rule for make is written beside each artifact. `everyone` are all functions of the
    project where the ones to build share layers with others.
    """

    functions: tuple[Function, ...]
    options: BuildOptions
    output_format: str
    verbosity: int
    jobs: int
    replayable: bool = True
    remembered: bool = True
    depfile: bool = False
    everyone: tuple[Function, ...] = ()


def build_all(
    request: Request,
    arguments: Sequence[str],
    *,
    store: Store,
    started_ns: int,
    earlier: Sequence[Answer] = (),
    ahead: HeadStart | None = None,
) -> int:
    """Build what changed since the `earlier` answers, print all answers and keep them.

    `ahead` is at work for one of the functions already.

    Raises LpackError for the first function, in their order, that cannot be built.
    """
    anew = request.options.upgrade or request.options.write_lock or not request.remembered
    known = {} if anew else _usable(earlier)
    answers: dict[str, Answer] = {}
    waiting: list[Function] = []
    for function in request.functions:
        answer = known.get(function.name)
        if answer is not None and answer["function"] == _packed(function):
            answers[function.name] = answer
        else:
            waiting.append(function)
    check_statements(waiting)
    request = request._replace(jobs=min(request.jobs, len(waiting)))
    layers = layers_of(
        waiting, request.everyone, store=store, options=request.options,
        reporter=Console(request.verbosity),
    )  # fmt: skip
    makers = {
        function.name: _Maker(function, request, store, started_ns, earlier, layers, ahead)
        for function in waiting
    }
    at_once([maker.make for maker in makers.values()], request.jobs)
    for name, maker in makers.items():
        answers[name] = maker.answer_or_raise()
    ordered = [answers[function.name] for function in request.functions]
    code = show(ordered, request.output_format)
    _keep(request, arguments, ordered, store=store, started_ns=started_ns)
    finish_sharing(request.verbosity)
    return code


def _usable(earlier: Sequence[Answer]) -> dict[str, Answer]:
    looks = Looks()
    return {
        answer["name"]: answer
        for answer in earlier
        if answer["settled"] and looks.hold(answer["paths"])
    }


class _Maker:
    """Builds one function and words the answer."""

    def __init__(
        self,
        function: Function,
        request: Request,
        store: Store,
        started_ns: int,
        earlier: Sequence[Answer],
        layers: Mapping[str, FunctionLayers],
        ahead: HeadStart | None,
    ) -> None:
        self._ahead = ahead
        self._layers = layers.get(function.name)
        self._function = function
        self._request = request
        self._store = store
        self._started_ns = started_ns
        self._earlier = next((each for each in earlier if each["name"] == function.name), None)
        self._console = Console(request.verbosity, held=request.jobs > 1)
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    def make(self) -> None:
        """Build; what goes wrong is kept for `answer_or_raise`."""
        try:
            self._answer = self._build()
        except BaseException as error:  # noqa: BLE001 -- raised again in the main thread
            self._error = error

    def answer_or_raise(self) -> Answer:
        """Return the answer, or raise what went wrong, after what was said meanwhile."""
        self._console.release()
        if self._error is not None:
            raise self._error
        assert self._answer is not None  # noqa: S101 -- one of both is there
        return self._answer

    def _build(self) -> Answer:
        function, console = self._function, self._console
        for guess in function.guesses:
            console.step(f"{function.name}: {guess.setting} = {guess.value} ({guess.because})")
        tree = collect_source(function, known=self._looked_into())
        if not tree.files:
            console.warn(f"{function.name}: no file of your own code is in the zip")
        options = self._request.options
        build = builder_of(function)(
            function, tree, store=self._store, options=options, reporter=console, **self._more()
        )
        inputs = list(_inputs(build, tree, store=self._store))
        if self._layers is not None:
            sharing = self._request.everyone
            inputs += [path for each in sharing for path in inputs_of(each, store=self._store)]
        written = write_statements(build, tree, store=self._store, reporter=console)
        outputs = [*_outputs(build), *written]
        stderr = render_refusals([build])
        if self._request.depfile:
            from packager.cli.depfiles import write_depfile  # noqa: PLC0415 -- only for make

            listed = [*inputs, *map(str, (function.root, *function.configuration_files))]
            write_depfile(build.artifact.path, listed, started_ns=self._started_ns)
        entries = _entries(inputs)
        # After the look: what changed since the start counts, whenever that was.
        settled = not console.warnings and is_settled(inputs, self._started_ns)
        return {
            "name": function.name,
            "function": _packed(function),
            "settled": settled,
            "paths": [*entries, *_entries(outputs)],
            "outputs": outputs,
            "files": [file.path for file in tree.files],
            "signatures": signatures_of(function, tree),
            "manifest": str(manifest_path(function)),
            "prefix": build.prefix_key,
            "stdout": render_build(build, shown_path=shown_path(build)),
            "stderr": stderr,
            "fits": not stderr,
        }

    def _more(self) -> dict[str, Any]:
        """Return what only some kinds of builds take."""
        more: dict[str, Any] = {} if self._layers is None else {"layers": self._layers}
        if self._ahead is not None and self._function.package_type == "zip":
            more["ahead"] = self._ahead
        return more

    def _looked_into(self) -> dict[str, Identity]:
        """Return the files in which the last build found no secret."""
        earlier = self._earlier
        if earlier is None or not earlier["settled"] or earlier["function"] is None:
            return {}
        if earlier["function"] != _packed(self._function):
            return {}
        files = set(earlier["files"])
        return {
            path: (known[0], known[1], known[2], known[3], known[5])
            for path, known, *_ in earlier["paths"]
            if path in files and known is not None
        }


def _keep(
    request: Request,
    arguments: Sequence[str],
    answers: Sequence[Answer],
    *,
    store: Store,
    started_ns: int,
) -> None:
    """Remember the answers for the next run with the same command line."""
    if request.options.write_lock or request.options.upgrade or not request.remembered:
        return
    roots = dict.fromkeys(str(function.root) for function in request.functions)
    files = dict.fromkeys(
        str(path) for function in request.functions for path in function.configuration_files
    )
    versions = [f"{root}/.python-version" for root in roots]
    paths = [*roots, *files, encoder_file(), *versions]
    entries = _entries(paths)
    settled = is_settled([*files, *versions], started_ns)
    stamp = {
        "replayable": request.replayable and settled and all(each["settled"] for each in answers),
        "output_format": request.output_format,
        "request": _packed(request) if request.replayable and settled else None,
        "paths": entries,
        "answers": list(answers),
    }
    remember(store, arguments, stamp)


def _packed(value: Any) -> Any:  # noqa: ANN401 -- a noun, and what it becomes
    """Return `value` as JSON-ready values; None for settings that cannot be remembered."""
    try:
        return packed(value)
    except TypeError:
        return None


def _entries(paths: Iterable[str]) -> list[list[Any]]:
    """Return path, identity and, for folders, what is in them."""
    return [[path, identity_of(path), listing_of(path)] for path in dict.fromkeys(paths)]


def _inputs(build: Build, tree: SourceTree, *, store: Store) -> Sequence[str]:
    """Everything on disk that the answer stands on, besides the configuration."""
    return [
        *(source.path for source in tree.files),
        *(folder for folder, _ in tree.folders),
        *inputs_of(build.function, store=store),
        *_base_inputs(build.function),
    ]


def _base_inputs(function: Function) -> Sequence[str]:
    if function.package_type != "image":
        return ()
    from packager.pipeline.image_fit import base_inputs  # noqa: PLC0415 -- zips have no base

    return base_inputs(function)


def _outputs(build: Build) -> list[str]:
    function = build.function
    if function.package_type == "image":
        from packager.pipeline.image import image_outputs  # noqa: PLC0415 -- zips need none of it

        return [str(path) for path in (*image_outputs(function), manifest_path(function))]
    paths = [str(path) for path in outputs_of(function, build.dependencies)]
    zips = [layer.artifact.path for layer in build.layers if layer.artifact is not None]
    return [*paths, *zips, *(f"{path[:-4]}.lpack.json" for path in zips)]
