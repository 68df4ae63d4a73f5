"""Checks of the source itself. Every function takes source text and returns complaints.

The rules: DESIGN §8 (directions), files of at most 300 lines, functions of at most 40, input and
output only in the modules whose job it is.
"""

import ast
import re
from collections.abc import Iterator

STAGES = frozenset(
    {
        "assemble",
        "attest",
        "aws",
        "bootstrap",
        "explain",
        "gate",
        "inputs",
        "inspect",
        "lock",
        "measure",
        "place",
    }
    | {"reference", "registry", "report", "runtime", "shared", "slim", "verify", "wheels"}
)
FOR_EVERY_STAGE = frozenset({"at_once", "daemon_threads", "leftovers", "parsing"})
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
BANNED_NAMES = frozenset(
    {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}
)

_MODULE_KINDS = {
    **dict.fromkeys(("build", "subprocess", "multiprocessing"), "process"),
    **dict.fromkeys(("ftplib", "http.client", "requests", "socket", "ssl"), "network"),
    **dict.fromkeys(("boto3", "urllib.request", "urllib3"), "network"),
    **dict.fromkeys(("fcntl", "tempfile"), "write"),
    "mmap": "read",
}
_READS = frozenset(
    {"exists", "glob", "is_dir", "is_file", "iterdir", "read_bytes", "read_text", "rglob"}
    | {"scandir"}
)
_WRITES = frozenset(
    {"chmod", "mkdir", "rmdir", "symlink_to", "touch", "unlink", "write_bytes", "write_text"}
)
_OS_PURE = frozenset({"fspath", "fsdecode", "fsencode", "PathLike", "sep", "linesep", "devnull"})
_OS_PURE |= {"DirEntry", "stat_result", "path", "name", "getpid"}
_OS_ENVIRONMENT = frozenset(
    {"cpu_count", "environ", "get_exec_path", "getenv", "getuid", "sched_getaffinity"}
)
_OS_PROCESS = frozenset(
    {"execv", "execve", "fork", "kill", "killpg", "posix_spawn", "system", "wait4", "waitpid"}
)
_OS_READ = frozenset(
    {"O_RDONLY", "O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_DIRECTORY", "O_NONBLOCK"}
    | {"X_OK", "access", "close", "fstat", "lseek"}
    | {"lstat", "open", "pread", "preadv", "read", "readlink", "scandir", "stat", "walk"}
)
_PATH_PURE = frozenset(
    {"abspath", "basename", "commonpath", "dirname", "expanduser", "isabs", "join", "normpath"}
    | {"relpath", "sep", "split", "splitext"}
)
_SHUTIL_READ = frozenset({"disk_usage", "which"})
# Of urllib.request only these are no network.
_URL_PURE = frozenset({"pathname2url", "url2pathname"})
_HOSTS = re.compile(r"\b(?:pypi|pythonhosted)\.org\b")


def layer_of(module: str) -> str:
    """The layer that `module` (dotted, with the package) belongs to."""
    parts = module.split(".")
    if len(parts) == 1 or parts[1] == "__main__":
        return "root" if len(parts) == 1 else "entry"
    head = parts[1]
    known = {"errors", "model", "pipeline", "cli"} | FOR_EVERY_STAGE | {"code_identity"}
    return head if head in STAGES or head in known else "unknown"


def may_import(importer: str, imported: str) -> bool:
    """Tell whether a module of layer `importer` may import one of layer `imported`."""
    if imported in {importer, "root"}:
        return True
    allowed: dict[str, frozenset[str]] = {
        "root": frozenset(),
        "errors": frozenset(),
        "model": frozenset({"errors"}),
        "code_identity": frozenset(),
        **dict.fromkeys(FOR_EVERY_STAGE, frozenset()),
        "pipeline": STAGES | FOR_EVERY_STAGE | {"errors", "model", "code_identity"},
        "cli": STAGES | FOR_EVERY_STAGE | {"errors", "model", "code_identity", "pipeline"},
        "entry": frozenset({"cli"}),
    }
    return imported in allowed.get(importer, FOR_EVERY_STAGE | {"errors", "model"})


def imports_of(source: str, module: str) -> Iterator[tuple[int, str]]:
    """Every module that `source` imports, wherever in it, with the line; relative ones resolved."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = module.split(".")[: -node.level]
                base = ".".join([*parent, base]) if base else ".".join(parent)
            # `from packager import lock` imports packager.lock; names in modules stay as they are.
            if base == "packager":
                for alias in node.names:
                    yield node.lineno, f"packager.{alias.name}"
            else:
                yield node.lineno, base


def direction_complaints(source: str, module: str) -> list[str]:
    """Imports of `source` that go against errors ← model ← stages ← pipeline ← cli."""
    importer = layer_of(module)
    if importer == "unknown":
        return [f"{module}: belongs to no layer"]
    return [
        f"{module}:{line}: {importer} may not import {imported}"
        for line, imported in imports_of(source, module)
        if imported.split(".")[0] == "packager"
        and not imported.startswith("packager.__version__")
        and not may_import(importer, layer_of(imported))
    ]


def io_kinds(source: str) -> dict[str, list[str]]:
    """What `source` touches: read, write, process, network or environment, each with the places."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(source)):
        for kind, what in _touches(node):
            found.setdefault(kind, []).append(f"line {getattr(node, 'lineno', 0)}: {what}")
    return found


def _touches(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The kind and the name of what one node of the syntax tree touches."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _module_kind(alias.name)
    elif isinstance(node, ast.ImportFrom):
        if node.module == "shutil":
            for alias in node.names:
                yield "read" if alias.name in _SHUTIL_READ else "write", f"shutil.{alias.name}"
        pure = node.module == "urllib.request" and {a.name for a in node.names} <= _URL_PURE
        if not pure and not node.level:
            yield from _module_kind(node.module or "")
    elif isinstance(node, ast.Attribute):
        yield from _attribute_kind(node)
    elif isinstance(node, ast.Call):
        yield from _call_kind(node)


def _module_kind(name: str) -> Iterator[tuple[str, str]]:
    """What importing the module `name` means."""
    kind = _MODULE_KINDS.get(name) or _MODULE_KINDS.get(name.split(".", maxsplit=1)[0])
    if kind is not None:
        yield kind, f"imports {name}"


def _attribute_kind(node: ast.Attribute) -> Iterator[tuple[str, str]]:
    """What `os.NAME` and `os.path.NAME` mean; everything unknown counts as writing."""
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr=name) if name not in _OS_PURE:
            if name in _OS_ENVIRONMENT:
                yield "environment", f"os.{name}"
            elif name in _OS_PROCESS:
                yield "process", f"os.{name}"
            else:
                yield "read" if name in _OS_READ else "write", f"os.{name}"
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="os"), attr="path"), attr=name):
            if name not in _PATH_PURE:
                yield "read", f"os.path.{name}"
        case ast.Attribute(value=ast.Name(id="shutil"), attr=name):
            yield "read" if name in _SHUTIL_READ else "write", f"shutil.{name}"
        case _:
            return


def _call_kind(node: ast.Call) -> Iterator[tuple[str, str]]:
    """What calling `open` or a method of a path means."""
    if isinstance(node.func, ast.Name):
        name = node.func.id
        mode = node.args[1:2]
    elif isinstance(node.func, ast.Attribute):
        name = node.func.attr
        mode = node.args[:1]
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "os":
            return
    else:
        return
    if name == "open":
        mode += [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
        text = "".join(str(each.value) for each in mode if isinstance(each, ast.Constant))
        yield "write" if set(text) & set("wax+") else "read", f"{name}()"
    elif isinstance(node.func, ast.Attribute) and name in _READS | _WRITES:
        yield "read" if name in _READS else "write", f".{name}()"


def size_complaints(source: str, module: str) -> list[str]:
    """The file when it is too long, and every function of it that is."""
    lines = len(source.splitlines())
    complaints = (
        [f"{module}: {lines} lines, at most {MAX_FILE_LINES}"] if lines > MAX_FILE_LINES else []
    )
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = function_lines(node)
            if length > MAX_FUNCTION_LINES:
                complaints.append(
                    f"{module}:{node.name}: {length} lines, at most {MAX_FUNCTION_LINES}"
                )
    return complaints


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, its docstring and decorators left out."""
    first = node.body[0]
    documented = ast.get_docstring(node) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def name_complaints(module: str) -> list[str]:
    """The parts of the module's name that say nothing."""
    return [
        f"{module}: a module called {part} says nothing of what it does"
        for part in module.split(".")
        if part in BANNED_NAMES
    ]


def print_complaints(source: str, module: str) -> list[str]:
    """Calls of print and uses of sys.stdout or sys.stderr."""
    complaints = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "print":
                complaints.append(f"{module}:{node.lineno}: prints")
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in {("sys", "stdout"), ("sys", "stderr")}
        ):
            complaints.append(f"{module}:{node.lineno}: uses sys.{node.attr}")
    return complaints


def parser_complaints(source: str, module: str) -> list[str]:
    """Calls of the parsers of the standard library, which fail in more than one way."""
    parsers = {("json", "loads"), ("tomllib", "loads")}
    return [
        f"{module}:{node.lineno}: calls {node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in parsers
    ]


def docstring_complaints(source: str, module: str) -> list[str]:
    """Public modules, classes and functions without a docstring."""
    tree = ast.parse(source)
    complaints = [] if ast.get_docstring(tree) else [f"{module}: no docstring"]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for parent in ast.walk(tree):
        if not isinstance(parent, ast.Module | ast.ClassDef):
            continue
        if isinstance(parent, ast.ClassDef) and parent.name.startswith("_"):
            continue
        complaints += [
            f"{module}:{node.lineno}: {node.name} has no docstring"
            for node in parent.body
            if isinstance(node, kinds)
            and not node.name.startswith("_")
            and ast.get_docstring(node) is None
        ]
    return complaints


def text_complaints(text: str, name: str, *, machine_paths: tuple[str, ...] = ()) -> list[str]:
    """Traces of one machine in any tracked file: its paths, and hosts of package registries."""
    complaints = [f"{name}: names the registry host {host}" for host in _HOSTS.findall(text)]
    complaints += [f"{name}: names the path {path}" for path in machine_paths if path in text]
    for match in re.finditer(r"/(?:home|Users)/(?!user\b|me\b|you\b|NAME\b)\w+/", text):
        complaints.append(f"{name}: names the path {match[0]}")
    return complaints
