"""A place to run an artifact in that is as near to Lambda's as one process can be.

Source: Lambda Developer Guide (lambda-runtimes, configuration-envvars, python-package) and what
was recorded inside functions. What differs, because a process without privileges cannot change
it: absolute paths (`/var/task`, `/tmp`; only code that asks `tempfile` or TMPDIR gets the fresh
folder), system libraries, kernel, processor share, and for root the read-only task folder, which
is therefore compared after the run.
"""

import ast
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packager.model.target import Target
from packager.verify.image_layout import is_image_layout
from packager.verify.image_tree import unpack_code
from packager.verify.interpreter import Interpreter
from packager.verify.unpacking import changes_below, make_read_only, remove_tree, unpack

_BOOTSTRAP = Path(__file__).with_name("sandbox_bootstrap.py")
_RESULT = "result"
_NAME = "function"
MEMORY_MB = 512
"""What the function is told to have; nothing here enforces it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is to be run: an artifact's handler on a target, with its environment variables.

    `runtime` is the folder with the runtime's own packages (`runtime_folder`), `layers` are zips
    that are unpacked into /opt in their order.
    """

    artifact: Path
    handler: str
    target: Target
    interpreter: Interpreter
    runtime: Path
    variables: tuple[tuple[str, str], ...] = ()
    layers: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sandbox:
    """An unpacked artifact with everything around it; `files` are the names in `task`.

    `mark` is a line that no handler can know; it brackets the import of the handler in the
    output.
    """

    subject: Subject
    root: Path
    files: frozenset[str]
    mark: str

    @property
    def task(self) -> Path:
        """What `/var/task` is in Lambda."""
        return self.root / "task"

    @property
    def result(self) -> Path:
        """Where the bootstrap writes what it found."""
        return self.root / _RESULT

    def command(self, mode: str) -> list[str]:
        """Return the command that imports the handler (`import`) or waits for events (`serve`)."""
        self.result.unlink(missing_ok=True)
        options = ["-S", "-X", "faulthandler"]
        if mode == "import":
            options += ["-X", "importtime"]
        subject = self.subject
        places = (self.task, subject.runtime, self.result)
        return [
            *(subject.interpreter.executable, *options, str(_BOOTSTRAP), mode, subject.handler),
            *(*map(str, places), self.mark, *self._search_path()),
        ]

    def environment(self) -> dict[str, str]:
        """Return all variables a function on this target sees, and the user's on top of them."""
        target, interpreter = self.subject.target, self.subject.interpreter
        binaries = str(Path(interpreter.executable).parent)
        values = {
            **CONSTANT_VARIABLES,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{target.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
            "AWS_LAMBDA_FUNCTION_NAME": _NAME,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{_NAME}",
            "LAMBDA_RUNTIME_DIR": str(self.subject.runtime),
            "LAMBDA_TASK_ROOT": str(self.task),
            "LD_LIBRARY_PATH": ":".join(self._placed(target.ld_library_path)),
            "PATH": f"{binaries}:/usr/local/bin:/usr/bin/:/bin:{self.root / 'opt' / 'bin'}",
            "PWD": str(self.task),
            "TMPDIR": str(self.root / "tmp"),
            "_HANDLER": self.subject.handler,
        }
        if target.python >= (3, 12):
            values["LC_CTYPE"] = "C.UTF-8"
        return values | dict(self.subject.variables)

    def read_result(self) -> Mapping[str, object] | None:
        """Return what the bootstrap wrote, None when it did not get that far."""
        try:
            value = ast.literal_eval(self.result.read_text(encoding="ascii"))
        except (OSError, ValueError, SyntaxError):
            return None
        return value if isinstance(value, dict) else None

    def changed_files(self) -> tuple[str, ...]:
        """Return the files of the task folder that the function wrote, changed or removed."""
        return changes_below(self.task, self.files)

    def _search_path(self) -> list[str]:
        """Return the runtime's `sys.path` here; empty stands for the interpreter's own library."""
        path: list[str] = []
        for entry in self.subject.target.sys_path:
            own = entry.startswith("/var/lang/") and not entry.endswith("/site-packages")
            if not own:
                path.extend(self._placed((entry,)))
            elif "" not in path:
                path.append("")
        return path

    def _placed(self, folders: tuple[str, ...]) -> list[str]:
        """Replace Lambda's folders by those that stand for them here."""
        placed = []
        for folder in folders:
            if folder.startswith("/var/task"):
                placed.append(str(self.task) + folder.removeprefix("/var/task"))
            elif folder.startswith("/opt"):
                placed.append(str(self.root / "opt") + folder.removeprefix("/opt"))
            elif folder.startswith("/var/runtime"):
                placed.append(str(self.subject.runtime) + folder.removeprefix("/var/runtime"))
            elif folder.endswith("/site-packages"):
                placed.append(str(self.subject.runtime))
            elif folder != "/var/lang/lib":
                placed.append(folder)
            elif self.subject.interpreter.libpython_folder:
                placed.append(self.subject.interpreter.libpython_folder)
        return placed


@contextmanager
def open_sandbox(subject: Subject) -> Iterator[Sandbox]:
    """Unpack the artifact of `subject` into a temporary folder, which goes away at the end.

    Raises CannotBuild for a broken artifact or a full disk.
    """
    root = Path(tempfile.mkdtemp(prefix="lpack-sandbox-")).resolve()
    try:
        for name in ("task", "tmp", "opt"):
            (root / name).mkdir()
        is_image = is_image_layout(subject.artifact)
        files = (unpack_code if is_image else unpack)(subject.artifact, root / "task")
        for layer in subject.layers:
            unpack(layer, root / "opt", overwrite=True)
        for name in ("task", "opt"):
            make_read_only(root / name)
        yield Sandbox(subject=subject, root=root, files=files, mark=f"lpack {secrets.token_hex(8)}")
    finally:
        remove_tree(root)


CONSTANT_VARIABLES = {
    # No key of anybody's: it only keeps the SDK from looking for one on this machine. A call to
    # AWS fails with an answer of AWS unless the user hands real ones over.
    "AWS_ACCESS_KEY_ID": "lpack-sandbox",
    "AWS_SECRET_ACCESS_KEY": "lpack-sandbox",
    "AWS_SESSION_TOKEN": "lpack-sandbox",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]00000000000000000000000000000000",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "LANG": "en_US.UTF-8",
    "SHLVL": "0",
    "TZ": ":UTC",
}
