"""What in an artifact causes an error line, as far as its files tell. Pure.

Each look-up answers with findings: the message is the cause, the hint what to do about it. None
means that this artifact does not cause the line, which is said as well: then what is deployed is
another one, or the function is configured differently.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from packager.model.explanation import KnownError
from packager.model.finding import Finding
from packager.model.runtime_system import RuntimeSystem
from packager.verify.closure import Loader, Unresolved
from packager.verify.extension_modules import check_extension_modules
from packager.verify.handler import check_handler
from packager.verify.libraries import Library
from packager.verify.missing import missing_libraries
from packager.verify.missing_modules import module_causes
from packager.verify.native import check_native
from packager.verify.surroundings import Surroundings

_ROOTS = ("/var/task/", "/opt/")
_MOST = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactFacts:
    """What is known of one artifact; without `libraries` nothing is said of native files.

    `name` is the artifact's for people, `owners` maps a file to `NAME VERSION`.
    """

    name: str
    manifest: Mapping[str, Any]
    files: Collection[str]
    system: RuntimeSystem
    owners: Mapping[str, str]
    libraries: Sequence[Library] = field(default=())

    def called(self, path: str) -> str:
        """Name a file with the distribution it is from."""
        owner = self.owners.get(path)
        return f"`{path}` of {owner}" if owner else f"`{path}`"

    def place(self, path: str | None) -> str:
        """Return where a path of a log lies in the artifact; empty when it is not in there."""
        for root in _ROOTS:
            inside = (path or "").removeprefix(root)
            if inside != path and inside in self.files:
                return inside
        return ""


def find_causes(error: KnownError, facts: ArtifactFacts) -> list[Finding]:
    """Return what in the artifact causes `error`; empty for an error no file can cause."""
    look = _LOOKUPS.get(error.lookup)
    return list(look(error, facts)) if look is not None else []


def needs_libraries(error: KnownError) -> bool:
    """Tell whether the look-up reads the native files."""
    return error.lookup in {"glibc", "libstdcxx", "machine", "soname"}


def _symbol(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    """Name the libraries that ask for the version, and what the runtime has."""
    family = error.parts["symbol"].partition("_")[0]
    wanted = tuple(map(int, error.parts["version"].split(".")))
    runtime = facts.system.target.runtime
    has = facts.system.symbol_versions.get(family, ())
    shown = ".".join(map(str, has))
    asking = [x for x in facts.libraries if x.facts.versions.get(family, ()) >= wanted]
    for library in asking[:_MOST]:
        needed = ".".join(map(str, library.facts.versions[family]))
        text = f"{facts.called(library.path)} needs {family}_{needed}; {runtime} has {shown}"
        if has >= library.facts.versions[family]:
            text += ", so the function runs on an older runtime than this artifact was built for"
            yield _cause(error, text, _configure(f"--runtime {runtime}"), library.path)
        else:
            owner = facts.owners.get(library.path, "").partition(" ")[0]
            yield _cause(error, text, _rebuild(owner, runtime), library.path)
    if not asking:
        yield _innocent(error, facts, f"no library in it needs {family}_{error.parts['version']}")


def _machine(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    """Name the files for another machine or another Python."""
    target = facts.system.target
    place = facts.place(error.parts.get("path"))
    foreign = [
        each
        for each in (
            *check_native(facts.libraries, facts.system),
            *check_extension_modules(facts.files, target),
        )
        if each.code in {"wrong-machine", "wrong-python-abi"} and each.level == "error"
    ]
    yield from foreign[:_MOST]
    if place and place not in {library.path for library in facts.libraries}:
        text = f"{facts.called(place)} is no library for Linux at all"
        yield _cause(error, text, "take the wheel for Linux: `lpack build`", place)
    elif not foreign:
        text = f"all its {len(facts.libraries)} native files are for {target.label}"
        hint = f"the function has to be {target.architecture} as well: `lpack publish zip`, or "
        hint += "`aws lambda get-function-configuration --function-name NAME --query Architectures`"
        yield _innocent(error, facts, text, hint)


def _soname(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    """Name who needs the library, and whether the runtime or the artifact has it."""
    soname = error.parts["soname"]
    asking = [library for library in facts.libraries if soname in library.facts.needed]
    target = facts.system.target
    if soname in facts.system.sonames:
        text = f"{target.label} has `{soname}` itself, so the function runs on something else"
        yield _innocent(error, facts, text, _configure(f"--runtime {target.runtime}"))
        return
    inside = [name for name in facts.files if PurePosixPath(name).name == soname]
    unresolved = Loader(facts.libraries, facts.system).unresolved()
    faults = [fault for fault in unresolved if fault.soname == soname]
    if not faults and asking and not inside:
        faults = [Unresolved(needing=each, soname=soname, elsewhere="") for each in asking]
    if inside and not faults:
        text = f"it has `{soname}` as {facts.called(inside[0])}, where its libraries find it"
        yield _innocent(error, facts, text)
    elif inside:
        text = (
            f"{facts.called(faults[0].needing.path)} needs `{soname}`, which is in the artifact as "
            f"`{inside[0]}`, where the loader does not look"
        )
        yield _cause(error, text, f"put `{soname}` into a folder `lib` at the top of your code")
    elif faults:
        yield from missing_libraries(faults, target)
    else:
        text = f"no library in it is linked to `{soname}`; a layer's is, or Python code asks for it"
        yield _innocent(error, facts, text)


def _module(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    yield from module_causes(error.parts["module"], _around(facts))


def _name(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    """Tell which of the runtime's and the bundled distributions meet."""
    module = error.parts.get("module", "botocore.session")
    owner = _around(facts).version_of(module)
    if owner:
        text = f"`{module}` is the bundled one, of {owner}"
    else:
        text = f"`{module}` is not in {facts.name}: the runtime's or a layer's is taken"
    left_out = [
        f"{each['name']} {each['version']}"
        for each in facts.manifest.get("distributions", ())
        if each["subtracted"]
    ]
    if left_out:
        text += f"; left to the runtime are {', '.join(left_out)}"
    conflicts = facts.manifest.get("subtraction", {}).get("conflicts", ())
    yield _cause(error, "; ".join([text, *conflicts]), None)


def _handler(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    handler = str(facts.manifest.get("function", {}).get("handler", ""))
    findings = list(check_handler(facts.files, handler, facts.system))
    yield from findings
    if not findings:
        text = f"it was built for the handler `{handler}`, whose module is in it"
        yield _innocent(error, facts, text, _configure(f"--handler {handler}"))


def _distribution(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    """Tell whether the distribution's metadata ships, was subtracted, or was never there."""
    wanted = error.parts["distribution"].replace("_", "-").replace(".", "-").lower()
    for each in facts.manifest.get("distributions", ()):
        if each["name"] != wanted:
            continue
        called = f"{each['name']} {each['version']}"
        if each["subtracted"]:
            text = f"{called} was left out; what has it instead has no metadata of that name"
            yield _cause(error, text, f"`lpack build --subtract {wanted}=never`")
        else:
            yield _innocent(error, facts, f"it has {called} with its .dist-info")
        return
    text = f"{facts.name} has no distribution `{wanted}`"
    yield _cause(error, text, f"add `{wanted}` to the requirements")


def _path(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    place = facts.place(error.parts.get("path"))
    if place:
        yield _cause(error, f"the file is {facts.called(place)}", None, place)
    elif error.parts.get("path", "").startswith("/var/task/"):
        yield _innocent(error, facts, f"it has no file `{error.parts['path']}`")


def _digest(error: KnownError, facts: ArtifactFacts) -> Iterator[Finding]:
    claimed = facts.manifest["artifact"]
    text = f"{facts.name} is CodeSha256 {claimed.get('code_sha256')}, "
    text += f"{claimed['compressed_bytes']:,} bytes"
    yield _cause(error, text, f"`lpack verify {facts.name}`")


def _around(facts: ArtifactFacts) -> Surroundings:
    return Surroundings(
        handler=str(facts.manifest.get("function", {}).get("handler", "")),
        target=facts.system.target,
        manifest=facts.manifest,
        files=facts.files,
        task="/var/task",
        runtime="/var/runtime",
        sonames=facts.system.sonames,
    )


def _cause(error: KnownError, text: str, hint: str | None, path: str = "") -> Finding:
    return Finding(code=error.code, level="error", message=text, hint=hint, path=path)


def _innocent(
    error: KnownError, facts: ArtifactFacts, text: str, hint: str | None = None
) -> Finding:
    """Say why this artifact does not cause the error; its digest tells whether it is deployed."""
    sha = facts.manifest.get("artifact", {}).get("code_sha256")
    compare = "`aws lambda get-function-configuration --function-name NAME --query CodeSha256`"
    deployed = f"is it deployed? {compare} is {sha}" if sha else None
    message = f"{facts.name} is not to blame: {text}"
    return Finding(code=error.code, level="note", message=message, hint=hint or deployed)


def _configure(option: str) -> str:
    return f"`aws lambda update-function-configuration --function-name NAME {option}`"


def _rebuild(owner: str, runtime: str) -> str:
    if not owner:
        return "it is in your own code: build it on a system as old as the runtime's"
    return f"let lpack choose the wheel: `lpack build --runtime {runtime} --upgrade`"


_LOOKUPS: Mapping[str, Callable[[KnownError, ArtifactFacts], Iterator[Finding]]] = {
    "digest": _digest,
    "distribution": _distribution,
    "glibc": _symbol,
    "handler": _handler,
    "libstdcxx": _symbol,
    "machine": _machine,
    "module": _module,
    "name": _name,
    "path": _path,
    "soname": _soname,
}
