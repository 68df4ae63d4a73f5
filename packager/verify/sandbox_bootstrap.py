"""Runs in the target's interpreter, never in lpack's: starts the handler as Lambda does.

Usage: python -S sandbox_bootstrap.py MODE HANDLER TASK RUNTIME RESULT MARK ENTRY...
Standard library only, Python 3.9 and later, and as few modules as possible: what is loaded here
cannot be shadowed by the artifact any more, as it would be in Lambda. It does what
/var/runtime/bootstrap.py of AWS's images does: sets `sys.path` (the entries; an empty one stands
for the interpreter's own library), runs the `.pth` files of the site folders, then hands over to
awslambdaric, the client that AWS runs too.
"""

from __future__ import annotations

import os
import site
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


def main(arguments: list[str]) -> None:
    """`import` the handler and write what became of it to RESULT, or `serve` events."""
    mode, handler, task, runtime, result, mark, *entries = arguments
    _set_up(entries, task=task, runtime=runtime)
    if mode == "import":
        _write(result, _import_handler(handler, mark))
        return
    _watch_errors(result)
    _module("awslambdaric.__main__").main([task, handler])


def _set_up(entries: list[str], *, task: str, runtime: str) -> None:
    own = [entry for entry in sys.path[1:] if entry]
    path: list[str] = []
    for entry in entries:
        path.extend([entry] if entry else own)
    sys.path[:] = path
    # What `import site` does at every start but one with -S, which keeps this machine's
    # site-packages, and the .pth files in there, out.
    site.setquit()
    site.setcopyright()
    site.sethelper()
    layers = os.path.join(os.path.dirname(task), "opt", "")  # noqa: PTH118, PTH120 -- no pathlib
    opt = dict.fromkeys(entry for entry in entries if entry.startswith(layers))
    for folder in (runtime, task, *opt):
        site.addsitedir(folder)
    os.environ["PYTHONPATH"] = runtime
    # The task folder is read-only in Lambda; here root could write into it.
    sys.dont_write_bytecode = True


def _import_handler(handler: str, mark: str) -> dict[str, Any]:
    try:
        load = _module("awslambdaric.bootstrap")._get_handler  # noqa: SLF001 -- what AWS runs
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the answer
        return {"seconds": None, "ok": False, "client": True, **_describe(error, handler)}
    os.write(2, f"\n{mark}\n".encode())
    started = time.perf_counter()
    fault: BaseException | None = None
    try:
        load(handler)
    except BaseException as error:  # noqa: BLE001 -- likewise
        fault = error
    result = {"seconds": time.perf_counter() - started, "ok": fault is None}
    os.write(2, f"\n{mark}\n".encode())
    if fault is not None:
        result.update(_describe(fault, handler))
    return result


def _describe(fault: BaseException, handler: str) -> dict[str, Any]:
    """Return the facts of a failed import; awslambdaric wraps the cause in an error of its own."""
    cause = fault
    if type(fault).__name__ == "FaultException" and fault.__context__ is not None:
        cause = fault.__context__
    frames = []
    trace = cause.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append([code.co_filename, trace.tb_lineno, code.co_name])
        trace = trace.tb_next
    module = sys.modules.get(handler.rpartition(".")[0].replace("/", "."))
    names = [name for name in dir(module) if callable(getattr(module, name, None))]
    is_syntax = isinstance(cause, SyntaxError)
    return {
        "fault": getattr(fault, "exception_type", "") or "",
        "type": type(cause).__name__,
        "said": str(getattr(fault, "msg", fault)),
        "message": str(cause),
        "name": getattr(cause, "name", None) if isinstance(cause, ImportError) else None,
        "path": getattr(cause, "path", None) if isinstance(cause, ImportError) else None,
        "syntax": [getattr(cause, "filename", ""), getattr(cause, "lineno", 0), str(cause.args[0])]
        if is_syntax and cause.args
        else None,
        "frames": frames,
        "names": [name for name in names if not name.startswith("_")] if module else [],
    }


def _watch_errors(result: str) -> None:
    """Note that the function failed: AWS's emulator answers errors like any other result."""
    client = _module("awslambdaric.lambda_runtime_client").LambdaRuntimeClient
    for kind in ("post_invocation_error", "post_init_error"):
        original = getattr(client, kind, None)
        if original is not None:
            setattr(client, kind, _noting(original, kind, result))


def _noting(original: Callable[..., Any], kind: str, result: str) -> Callable[..., Any]:
    def noted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- hands all through
        _write(result, {"failed": kind})
        return original(*arguments, **named)

    return noted


def _module(name: str) -> ModuleType:
    """Import a module as the statement does; `importlib` need not be loaded for that."""
    __import__(name)
    return sys.modules[name]


def _write(path: str, value: dict[str, Any]) -> None:
    """Write a Python literal: the artifact may have a `json` of its own."""
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 -- pathlib is not loaded
        file.write(ascii(value))


if __name__ == "__main__":
    main(sys.argv[1:])
