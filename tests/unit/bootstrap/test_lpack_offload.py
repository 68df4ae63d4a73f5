"""The bootstrap of `offload` in real processes of every Python that is installed here."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import backports.zstd
import pytest
from support.fixture_wheels import CHECKOUT
from support.intensity import TORTURE, times
from support.offload_world import CODE, DEMO, Task, killing, make_task
from support.traced_world import PYTHONS, python_of

SOURCE = CHECKOUT / "packager" / "bootstrap" / "lpack_offload.py"
THIS = sys.executable
MOST_LINES = 400


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    return python_of(request.param)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make_task(tmp_path_factory.mktemp("offload") / "built")


@pytest.fixture
def task(built: Task) -> Task:
    built.clear()
    return built


def test_is_one_short_file_of_the_oldest_grammar() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MOST_LINES
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    tops = {str(name).partition(".")[0] for name in imported}
    # `compression` is of Python 3.14.
    assert tops - {"compression"} <= sys.stdlib_module_names


@pytest.mark.parametrize("codec", ["deflate", "xz"])
def test_everything_arrives_whole_and_once(tmp_path: Path, python: str, codec: str) -> None:
    task = make_task(tmp_path / "t", codec=codec)  # type: ignore[arg-type]
    assert task.ok(python).stdout == "whole\n"
    assert task.left() == ["folder", "lock"]
    [folder] = (path for path in task.place.iterdir() if path.is_dir())
    before = folder.stat()
    assert task.ok(python).stdout == "whole\n"
    assert folder.stat() == before
    modes = {path.stat().st_mode & 0o777 for path in (task.place, folder)}
    assert modes == {0o700}
    assert os.access(folder / "demo" / "run.sh", os.X_OK)
    assert not list(folder.rglob("*.pyc"))


def test_zstd_arrives_where_python_has_it(tmp_path: Path) -> None:
    # Before 3.14, its module is called otherwise; what is read is the same.
    module = tmp_path / "older" / "compression"
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "zstd.py").write_text("from backports.zstd import *\n")
    paths = [str(module.parent), str(Path(backports.zstd.__file__).parents[2])]
    task = make_task(tmp_path / "t", codec="zstd")
    done = task.ok(THIS, f"sys.path += {paths}\n{CODE}" if sys.version_info < (3, 14) else CODE)
    assert done.stdout == "whole\n"


QUESTIONS = {
    "version": ("from importlib.metadata import version as v; print(v('demo'))", "1.0", []),
    "nothing": ("print(app.handler.__name__, app.__file__[-7:])", "handler /app.py", []),
    "resources": (
        "import pkgutil; print(pkgutil.get_data('demo', 'data/known.json').decode())",
        '{"known": true}',
        ["folder", "lock"],
    ),
    "lonely": ("import lonely; print(lonely.LONELY)", "1", ["folder", "lock"]),
    "namespace": ("from space.inner import one; print(one.ONE)", "1", ["folder", "lock"]),
    "found": (
        "from importlib.util import find_spec as f; print(f('demo').origin[-17:])",
        "/demo/__init__.py",
        [],
    ),
    "walk": (
        "import demo, pkgutil; print(*(m.name for m in pkgutil.walk_packages(demo.__path__)))",
        "deep",
        ["folder", "lock"],
    ),
    "absent": (
        "try:\n    import demo.nothing\nexcept ModuleNotFoundError as e:\n    print(e.name)",
        "demo.nothing",
        ["folder", "lock"],
    ),
    "thread": (
        (
            "import threading as t\n"
            "x = [t.Thread(target=lambda: __import__('demo.deep.leaf')) for _ in range(8)]\n"
            "[y.start() for y in x]; [y.join() for y in x]\nprint('demo.deep.leaf' in sys.modules)"
        ),
        "True",
        ["folder", "lock"],
    ),
    "fork": (
        (
            "import os\np = os.fork()\nimport demo\n"
            "if not p: os._exit(demo.VALUE)\nprint(os.waitpid(p, 0)[1] >> 8)"
        ),
        "1",
        ["folder", "lock"],
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_python_is_answered(task: Task, python: str, question: str) -> None:
    code, answer, left = QUESTIONS[question]
    done = task.ok(python, f"import app\n{code}")
    assert done.stdout.strip() == answer
    assert task.left() == left


@pytest.mark.parametrize("started", ["snap-start", "provisioned-concurrency", "on-demand"])
def test_a_snapshot_holds_what_was_offloaded(task: Task, started: str) -> None:
    task.ok(THIS, "import app", AWS_LAMBDA_INITIALIZATION_TYPE=started)
    assert task.left() == ([] if started == "on-demand" else ["folder", "lock"])


def test_one_import_is_enough(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, {!r})\nimport lpack_offload, demo; print(demo.VALUE)"
    task = make_task(tmp_path / "t")
    assert task.ok(THIS, code.format(str(task.folder))).stdout == "1\n"


def test_a_namespace_of_several(tmp_path: Path, python: str) -> None:
    files = {name: {f"space/{name}/__init__.py": b"V = 1\n"} for name in ("one", "two")}
    shipped = {"space/three/__init__.py": b"V = 3\n"}
    task = make_task(tmp_path / "t", distributions=files, shipped=shipped, code={"app.py": ""})
    code = "import app, space.three, space.one; print(space.one.V); import space.two"
    task.ok(python, code)
    assert len(task.left()) == 4
    alone = make_task(tmp_path / "u", distributions=files, code={"app.py": ""})
    alone.ok(python, "import app, space, space.two, space.one")


def test_a_package_that_two_share(tmp_path: Path, python: str) -> None:
    files: dict[str, dict[str, bytes]] = {
        "one": {"both/__init__.py": b"", "both/one.py": b"from both.two import V\n"},
        "two": {"both/two.py": b"V = 2\n"},
    }
    task = make_task(tmp_path / "t", distributions=files, together=True, code={"app.py": ""})
    assert task.ok(python, "import app, both.one; print(both.one.V)").stdout == "2\n"
    assert task.left() == ["folder", "lock"]


def test_start_files_run_at_start(tmp_path: Path, python: str) -> None:
    files = {"demo": {"demo.py": b"VALUE = 1\n", "demo.pth": b"import os; os.environ['P'] = '1'\n"}}
    task = make_task(tmp_path / "t", distributions=files)
    assert task.ok(python, "import app, os; print(os.environ.get('P'))").stdout == "1\n"


def test_what_the_runtime_has_comes_later(task: Task, tmp_path: Path) -> None:
    (tmp_path / "demo.py").write_text("VALUE = 'of the runtime'\n")
    code = f"sys.path.append({str(tmp_path)!r})\nimport app; print(app.handler(0, 0))"
    assert task.ok(THIS, code).stdout == "1\n"


def damage(task: Task, change: str) -> None:
    path = task.folder / ".lpack" / "offload" / "demo-1.0.zip"
    for each in (path, path.parent):
        each.chmod(0o755)
    data = bytearray(path.read_bytes())
    if change == "flipped":
        data[len(data) // 2] ^= 1
    path.write_bytes(data[:-9] if change == "cut" else b"" if change == "empty" else data)


@pytest.mark.parametrize("change", ["flipped", "cut", "empty", "gone"])
def test_a_damaged_archive_is_never_imported_from(tmp_path: Path, change: str) -> None:
    task = make_task(tmp_path / "t")
    if change == "gone":
        (task.folder / ".lpack" / "offload").chmod(0o755)
        (task.folder / ".lpack" / "offload" / "demo-1.0.zip").unlink()
    else:
        damage(task, change)
    line = task.refused(THIS)
    assert line.startswith("cannot unpack demo 1.0: ")
    assert task.left() == ["lock"]


@pytest.mark.parametrize("what", ["a file", "a link", "open to all"])
def test_a_place_that_is_not_its_own_is_refused(task: Task, what: str) -> None:
    if what == "a file":
        task.place.write_text("")
    elif what == "a link":
        task.place.symlink_to(task.root)
    else:
        task.place.mkdir()
        task.place.chmod(0o777)
    line = task.refused(THIS)
    assert line.startswith("cannot unpack demo 1.0: ")
    assert str(task.place) in line


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(task: Task) -> None:
    child = subprocess.Popen(["sleep", "60"])
    gone = subprocess.Popen(["true"])
    gone.wait()
    key = "0" * 32
    task.place.mkdir(mode=0o700)
    for process in (child.pid, gone.pid):
        (task.place / f"{key}.{process}.ab").mkdir()
    try:
        task.ok(THIS)
    finally:
        child.kill()
        child.wait()
    assert task.left() == [f"{key}.{child.pid}.ab", "folder", "lock"]


def test_processes_at_once(task: Task) -> None:
    for _ in range(times(2, 10)):
        task.clear()
        begun = threading.Barrier(count := times(8, 64))

        def one(_: int, begun: threading.Barrier = begun) -> str:
            begun.wait()
            return task.ok(THIS).stdout

        with ThreadPoolExecutor(count) as threads:
            assert set(threads.map(one, range(count))) == {"whole\n"}
        assert task.left() == ["folder", "lock"]


@pytest.mark.parametrize("again", [False, True], ids=["first", "after-a-kill"])
def test_killed_anywhere_nothing_partial_is_imported(task: Task, again: bool) -> None:
    step, killed = times(61, 1), 0
    for number in range(1, 10_000, step):
        task.clear()
        if again:
            task.run(THIS, killing(number // 2 or 1) + CODE)
        done = task.run(THIS, killing(number) + CODE)
        if done.code == 0:
            break
        assert done.code == -signal.SIGKILL, done.stderr
        killed += 1
        assert task.ok(THIS).stdout == "whole\n"
        assert task.left() == ["folder", "lock"]
    assert killed > (200 if TORTURE else 3)


def test_a_lock_that_nobody_gives_back_only_delays(task: Task) -> None:
    hurry = "import lpack_offload\nlpack_offload._LOCK_SECONDS = 0.2\n"
    task.place.mkdir(mode=0o700)
    key = (
        '__import__("json").load(open(lpack_offload._LPACK + "/offload.json"))["groups"][0]["key"]'
    )
    lock = (
        f"import fcntl\nheld = open(lpack_offload._PLACE + '/' + {key} + '.lock', 'w')\n"
        "fcntl.flock(held, fcntl.LOCK_EX)\n"
    )
    assert task.ok(THIS, hurry + lock + CODE).stdout == "whole\n"


@pytest.fixture
def small(task: Task) -> Path:
    """The task's /tmp; a tmpfs is mounted there, which only root can do."""
    if os.getuid() or not shutil.which("mount"):
        pytest.skip("only root mounts a tmpfs")
    return task.root / "tmp"


def mounted(place: Path, amount: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={amount}", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tmpfs here: {done.stderr.strip()}")


def test_too_little_space_is_told_with_figures(task: Task, small: Path) -> None:
    needed = sum(each.archive.disk_bytes for each in task.archives)
    outcomes = []
    for percent in range(1, 111, times(12, 1)):
        mounted(small, max(needed * percent // 100, 4096))
        try:
            done = task.run(THIS)
            outcomes.append(done.code == 0)
            if done.code:
                figures = f"it needs {needed / 1048576:.1f} MiB in {task.place}, and "
                assert figures in done.stderr
                assert " are free; raise the ephemeral storage" in done.stderr
                assert task.left() in ([], ["lock"])
            else:
                assert done.stdout == "whole\n"
        finally:
            subprocess.run(["umount", str(small)], check=True)
    assert not outcomes[0]
    assert outcomes[-1]
    assert outcomes == sorted(outcomes)


def test_a_read_only_tmp_is_told(task: Task, small: Path) -> None:
    mounted(small, 1 << 20)
    try:
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        assert "Read-only file system" in task.refused(THIS)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_files_are_those_of_the_wheel(task: Task) -> None:
    task.ok(THIS)
    [folder] = (path for path in task.place.iterdir() if path.is_dir())
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found == DEMO
