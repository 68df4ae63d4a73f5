"""Data of cloud services that are not used: boto3 and botocore, google-api-python-client. Pure.

Both libraries read a service's description only when a client for it is made. Which services a
program uses is its author's to say: a proposal read from the code is never applied by itself.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packager.errors import UsageError

BOTOCORE = "botocore"
GOOGLE = "googleapiclient"

ALWAYS_KEPT = ("signin", "sso", "sso-oidc", "sts")
"""What botocore's own credential providers make clients for (botocore 1.44.5: credentials.py
lines 957, 1020, 2325 and 2639, tokens.py, utils.py): roles, web identity, single sign-on."""

# botocore.utils.SERVICE_NAME_ALIASES
_ALIASES = {"runtime.sagemaker": "sagemaker-runtime"}
_DATA = {BOTOCORE: "botocore/data/", "boto3": "boto3/data/"}
_DOCUMENTS = "googleapiclient/discovery_cache/documents/"
_RULES = {BOTOCORE: "botocore-services", GOOGLE: "googleapiclient-services"}
_MAKERS = frozenset({"client", "resource", "create_client"})
_SERVICE_NAME = re.compile(r"[a-z][a-z0-9.-]*")


def service_drops(
    distribution: str, names: Sequence[str], services: Mapping[str, tuple[str, ...]] | None
) -> dict[str, str]:
    """Give the files among `names` that belong to services outside `services`, with the rule.

    Files beside the services' folders (endpoints.json, partitions.json, _retry.json,
    sdk-default-configuration.json) are no service and stay. Raises UsageError when a wanted
    service is not in the distribution that has the descriptions, or a key is unknown.
    """
    for key in services or ():
        if key not in _RULES:
            raise UsageError(
                f"services of `{key}` cannot be chosen", hint=f"known are: {', '.join(_RULES)}"
            )
    if distribution in _DATA:
        return _boto_drops(distribution, names, (services or {}).get(BOTOCORE))
    if distribution == "google-api-python-client":
        return _google_drops(names, (services or {}).get(GOOGLE))
    return {}


def _boto_drops(
    distribution: str, names: Sequence[str], wanted: tuple[str, ...] | None
) -> dict[str, str]:
    if wanted is None:
        return {}
    folder = _DATA[distribution]
    by_service: dict[str, list[str]] = {}
    for name in names:
        service, slash, _ = name.removeprefix(folder).partition("/")
        if name.startswith(folder) and slash:
            by_service.setdefault(service, []).append(name)
    chosen = {_ALIASES.get(name, name) for name in wanted}
    if distribution == BOTOCORE:  # boto3 describes resources for a handful of services only.
        _check(chosen, set(by_service), BOTOCORE)
    kept = chosen.union(ALWAYS_KEPT)
    return {
        name: _RULES[BOTOCORE]
        for service, files in by_service.items()
        if service not in kept
        for name in files
    }


def _google_drops(names: Sequence[str], wanted: tuple[str, ...] | None) -> dict[str, str]:
    """Judge documents `NAME.VERSION.json`: `drive` means every version, `drive.v3` one."""
    if wanted is None:
        return {}
    documents = {
        name.removeprefix(_DOCUMENTS).removesuffix(".json"): name
        for name in names
        if name.startswith(_DOCUMENTS) and name.endswith(".json")
    }
    documents.pop("index", None)
    chosen = {name.replace(":", ".") for name in wanted}
    known = set(documents) | {document.partition(".")[0] for document in documents}
    _check(chosen, known, GOOGLE)
    return {
        name: _RULES[GOOGLE]
        for document, name in documents.items()
        if document not in chosen and document.partition(".")[0] not in chosen
    }


def _check(wanted: set[str], known: set[str], key: str) -> None:
    if not known:
        return
    for name in sorted(wanted - known):
        from difflib import get_close_matches  # noqa: PLC0415 -- loaded only for an error

        near = get_close_matches(name, sorted(known), 1)
        raise UsageError(
            f"{key} knows no service `{name}`", hint=f"did you mean `{near[0]}`?" if near else None
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposedServices:
    """Services that code asks for in so many words.

    `services` is shaped as `SlimSettings.services`, without keys for libraries nobody calls.
    `uncertain` are calls whose service is not written there: with any of them the proposal may
    lack services. `unreadable` counts sources that are no Python.
    """

    services: dict[str, tuple[str, ...]]
    uncertain: tuple[str, ...]
    unreadable: int


def propose_services(sources: Iterable[bytes]) -> ProposedServices:
    """Read which services the Python `sources` make clients for. Nothing is run.

    Understands `boto3.client("s3")`, `resource("dynamodb")`, `session.client(service_name="sqs")`,
    `create_client`, names of constants assigned once in the same file, and googleapiclient's
    `build("drive", "v3")`.
    """
    found: dict[str, set[str]] = {BOTOCORE: set(), GOOGLE: set()}
    uncertain: list[str] = []
    unreadable = 0
    for source in sources:
        if not re.search(rb"client|resource|googleapiclient", source):
            continue
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(source)
        except (SyntaxError, ValueError):
            unreadable += 1
            continue
        for library, service, call in _calls(tree, uses_google=b"googleapiclient" in source):
            if service is None:
                uncertain.append(ast.unparse(call)[:120])
            else:
                found[library].add(service)
    return ProposedServices(
        services={library: tuple(sorted(names)) for library, names in found.items() if names},
        uncertain=tuple(sorted(set(uncertain))),
        unreadable=unreadable,
    )


def _calls(tree: ast.Module, *, uses_google: bool) -> Iterator[tuple[str, str | None, ast.Call]]:
    """Yield library, service (None when it is not written there) and call."""
    constants = _constants(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = getattr(function, "attr", None) or getattr(function, "id", None)
        if name in _MAKERS:
            service = _text(_argument(node, 0, "service_name"), constants)
            if service is not None and _SERVICE_NAME.fullmatch(service):
                yield BOTOCORE, _ALIASES.get(service, service), node
            elif service is None and _is_boto(function, name):
                yield BOTOCORE, None, node
        elif uses_google and name == "build":
            service = _text(_argument(node, 0, "serviceName"), constants)
            version = _text(_argument(node, 1, "version"), constants)
            yield GOOGLE, f"{service}.{version}" if service and version else service, node


def _is_boto(function: ast.expr, name: str) -> bool:
    """Tell whether a maker without a literal is likely to make an AWS client."""
    if name == "create_client":
        return True
    return isinstance(function, ast.Attribute) and bool(
        re.search("boto|session", ast.unparse(function.value), re.IGNORECASE)
    )


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    for each in call.keywords:
        if each.arg == keyword:
            return each.value
    return call.args[position] if len(call.args) > position else None


def _text(node: ast.expr | None, constants: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return constants.get(node.id) if isinstance(node, ast.Name) else None


def _constants(tree: ast.Module) -> dict[str, str]:
    """Names that are bound exactly once in the file, to a text."""
    bound: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.setdefault(node.id, []).append(None)
        elif isinstance(node, ast.arg):
            bound.setdefault(node.arg, []).append(None)
    values: dict[str, str] = {}
    for node in ast.walk(tree):
        target: ast.expr | None = None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        if isinstance(target, ast.Name) and len(bound.get(target.id, ())) == 1:
            text = _text(getattr(node, "value", None), {})
            if text is not None:
                values[target.id] = text
    return values
