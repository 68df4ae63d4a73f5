"""What is done to payloads for one function: files set aside by a trace, bytecode within a budget.

Both begin with payloads in the store and end with payloads in the store, each made once.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from packager.errors import CannotBuild, UsageError
from packager.model.deflating import encoder
from packager.model.offload import Offloaded
from packager.model.payload import Payload, json_ready, payload_from_document
from packager.model.progress import Reporter
from packager.model.project import Function
from packager.model.prune import Dropped
from packager.model.target import Target
from packager.model.trace import Trace
from packager.parsing import parse_json
from packager.pipeline.memory import is_whole, key_of, proven_payload
from packager.slim.bytecode import RECIPE as BYTECODE_RECIPE
from packager.slim.bytecode_choice import PycFact, choose_bytecode
from packager.slim.bytecode_payload import bytecode_facts, write_bytecode_payload, write_chosen
from packager.slim.traced_payload import RECIPE, traced_payload
from packager.verify.interpreter import Interpreter, find_interpreter
from packager.wheels.store import Store

# Each is a process of the target's interpreter.
_COMPILERS_AT_ONCE = 2

Payloads = dict[tuple[str, str], Payload]
"""By (name, version) of the distribution, in the order they ship."""


class Placed(NamedTuple):
    """What ships: payloads, bytecode, archives for /tmp by name, and who made those bytes."""

    payloads: Payloads
    bytecode: Payloads
    archives: Mapping[str, Offloaded]
    makers: tuple[str, ...]


def read_trace(function: Function) -> Trace | None:
    """Return the function's trace, None without one; raises UsageError for another file."""
    try:
        document = parse_json(function.trace.read_text(encoding="utf-8"))
        trace = Trace.from_document(document)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"`{function.trace}` is not a trace of lpack: {error}", hint="lpack trace --replace"
        ) from error
    if (trace.runtime, trace.architecture) != (function.runtime, function.architecture):
        raise UsageError(
            f"`{function.trace}` is of {trace.runtime}/{trace.architecture}, and "
            f"{function.runtime}/{function.architecture} is built",
            hint="lpack trace --replace",
        )
    return trace


def set_aside(payloads: Payloads, trace: Trace, *, store: Store, reporter: Reporter) -> Payloads:
    """Return `payloads` with what the trace did not see moved into archives inside them.

    Distributions that the trace does not know, in this version, stay whole.
    """
    done: Payloads = {}
    unknown = []
    for (name, version), payload in payloads.items():
        touched = trace.touched(name, version)
        if touched is None:
            unknown.append(f"{name} {version}")
            done[name, version] = payload
        else:
            done[name, version] = _traced(payload, touched, store=store, of=(name, version))
    if unknown:
        reporter.warn(f"not traced, so they stay whole: {', '.join(unknown)}")
    return done


def _traced(
    payload: Payload, touched: frozenset[str], *, store: Store, of: tuple[str, str]
) -> Payload:
    name, version = of
    key = key_of("traced", RECIPE, payload.key, sorted(touched))
    known = _known(store, "traced", key)
    if known is not None:
        return known
    source = proven_payload(store, payload)
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        made = traced_payload(source, touched, temporary, key=key, name=name, version=version)
    if made is None:
        store.discard("payloads", key, ".zip")
        done = payload
    else:
        done = made.payload._replace(
            dropped=(*payload.dropped, *made.payload.dropped), stripped=payload.stripped
        )
    store.write_document("traced", key, json_ready(done))
    return done


def with_bytecode(
    function: Function, target: Target, payloads: Payloads, *, store: Store, reporter: Reporter
) -> tuple[Payloads, str]:
    """Return payloads of bytecode for `payloads`, within the function's budget, and who made it.

    Raises UsageError without an interpreter of the target's version on this machine.
    """
    interpreter = find_interpreter(target)
    if interpreter is None:
        minor = f"{target.python[0]}.{target.python[1]}"
        raise UsageError(
            f"bytecode for {target.runtime} needs Python {minor}, and there is none here",
            hint=f"uv python install {minor}, or build without `bytecode`",
        )
    reporter.step(f"bytecode by Python {interpreter.version}")

    def one(payload: Payload) -> Payload:
        return _compiled(payload, interpreter, target, store=store)

    with ThreadPoolExecutor(_COMPILERS_AT_ONCE) as threads:
        whole = dict(zip(payloads, threads.map(one, payloads.values()), strict=True))
    chosen = _chosen(function, whole, store=store, reporter=reporter)
    return chosen, f"bytecode by CPython {interpreter.version}"


def _compiled(
    payload: Payload, interpreter: Interpreter, target: Target, *, store: Store
) -> Payload:
    key = key_of("bytecode", BYTECODE_RECIPE, encoder(), payload.key, interpreter.version)
    known = _known(store, "bytecode", key)
    if known is not None:
        return known
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        made = write_bytecode_payload(
            proven_payload(store, payload),
            temporary,
            key=key,
            interpreter=Path(interpreter.executable),
            python=target.python,
        )
    not_made = [Dropped(each.source, "bytecode", each.reason, 0, 0) for each in made.not_compiled]
    done = made.payload._replace(dropped=tuple(not_made))
    store.write_document("bytecode", key, json_ready(done))
    return done


def _chosen(function: Function, whole: Payloads, *, store: Store, reporter: Reporter) -> Payloads:
    """Choose what fits the budget: what the trace saw imported first."""
    facts: dict[str, PycFact] = {}
    owned: dict[tuple[str, str], Mapping[str, PycFact]] = {}
    for of, payload in whole.items():
        owned[of] = bytecode_facts(store.file("payloads", payload.key, ".zip"))
        facts.update(owned[of])
    trace = read_trace(function)
    imported = [
        name for each in (trace.distributions if trace else ()) for name in each.files
        if name.endswith(".py")
    ]  # fmt: skip
    selection = choose_bytecode(facts, imported=imported, budget_bytes=function.bytecode)
    if trace is None and selection.left_out:
        reporter.step("which modules get bytecode is a guess; `lpack trace` finds out")
    reasons = {each.name: each.reason for each in selection.left_out}
    result: Payloads = {}
    for of, payload in whole.items():
        names = sorted(selection.names & owned[of].keys())
        part = payload if len(names) == len(owned[of]) else _part(payload, names, store=store)
        left_out = [
            Dropped(name, "bytecode", reasons[name], fact.uncompressed_bytes, fact.compressed_bytes)
            for name, fact in sorted(owned[of].items())
            if name in reasons
        ]
        result[of] = part._replace(dropped=(*payload.dropped, *left_out))
    return result


def _part(payload: Payload, names: list[str], *, store: Store) -> Payload:
    key = key_of("bytecode-part", payload.key, names)
    known = _known(store, "bytecode", key)
    if known is not None:
        return known
    source = proven_payload(store, payload)
    with store.writing("payloads", key, ".zip", durable=False) as temporary:
        made = write_chosen(source, frozenset(names), temporary, key=key)
    store.write_document("bytecode", key, json_ready(made))
    return made


def _known(store: Store, kind: str, key: str) -> Payload | None:
    """Return the payload that was made before, when its file is whole."""
    document: dict[str, Any] | None = store.read_document(kind, key)
    if document is None:
        return None
    payload = payload_from_document(document)
    return payload if is_whole(store, payload) else None


def no_trace(function: Function) -> CannotBuild:
    """Word that a traced build was asked for and nothing was traced."""
    return CannotBuild(
        f'`slim = "traced"` needs a trace, and `{function.trace}` is not there',
        hint="lpack build --slim declared && lpack trace --event event.json",
    )
