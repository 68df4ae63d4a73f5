"""The bootstrap in real processes of every Python that is installed here."""

import ast
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.bundles import compile_library
from support.fixture_wheels import CHECKOUT
from support.traced_world import FILES, PYTHONS, TOUCHED, Finished, Task, make_task, python_of

SOURCE = CHECKOUT / "packager" / "bootstrap" / "lpack_bootstrap.py"
THIS = sys.executable
# What a process may see: everything of the distribution, whole, or it fails.
WHOLE = """
import app, os
from demo.deep import leaf
root = os.path.dirname(os.path.dirname(os.path.dirname(leaf.__file__)))
for name, length in {expected!r}.items():
    with open(os.path.join(root, name), "rb") as file:
        assert len(file.read()) == length, name
assert leaf.LEAF == "leaf"
"""


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    return python_of(request.param)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make_task(tmp_path_factory.mktemp("task") / "built")


@pytest.fixture
def task(built: Task) -> Task:
    shutil.rmtree(built.root / "tmp")
    (built.root / "tmp").mkdir()
    return built


def whole() -> str:
    return WHOLE.format(expected={name: len(data) for name, data in FILES.items()})


def test_is_one_file_of_the_oldest_grammar() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    tops = {str(name).partition(".")[0] for name in imported}
    assert tops - {"collections"} <= sys.stdlib_module_names


def test_the_handler_runs_without_bringing_anything_back(task: Task, python: str) -> None:
    done = task.ok(python, "import app; print(app.handler({}, None), app.__file__)")
    assert done.stdout.split() == ["1", str(task.folder / "app.py")]
    assert done.stderr == ""
    assert task.left() == []


IMPORTS = {
    "a module": ("import demo.unused as m; print(m.VALUE)", "1", "demo.unused"),
    "a package": ("from demo.deep import leaf; print(leaf.LEAF)", "leaf", "demo.deep"),
    "a namespace": ("import space.inner.one as m; print(m.ONE)", "1", "space.inner.one"),
    "by name": (
        "import importlib; print(importlib.import_module('demo.deep.leaf').LEAF)",
        "leaf",
        "demo.deep",
    ),
    "in a thread": (
        (
            "import threading\nt = threading.Thread(target=lambda: __import__('demo.unused'))\n"
            "t.start(); t.join(); import sys; print('demo.unused' in sys.modules)"
        ),
        "True",
        "demo.unused",
    ),
}


@pytest.mark.parametrize("case", IMPORTS)
def test_a_missed_import_brings_the_distribution_back(task: Task, python: str, case: str) -> None:
    code, answer, module = IMPORTS[case]
    done = task.ok(python, f"import app\n{code}")
    assert done.stdout.strip() == answer
    [line] = done.restored
    assert line.startswith("lpack: restored demo 1.0 (0.2 MB, ")
    assert line.endswith(f" s) because {module} was imported; run lpack trace again")
    assert task.left() == ["folder", "lock"]
    again = task.ok(python, f"import app\n{code}")
    assert (again.stdout.strip(), again.stderr) == (answer, "")


OTHER = "demo/data/other.json"
OPENINGS = {
    "open": "open(p).read()",
    "open by keyword": "open(file=p, mode='r').read()",
    "open bytes": "open(os.fsencode(p), 'rb').read().decode()",
    "io": "io.open(p).read()",
    "os": "os.read(os.open(p, os.O_RDONLY), 99).decode()",
    "pathlib": "pathlib.Path(p).read_text()",
    "relative": "open(os.path.relpath(p)).read()",
    "get_data": "pkgutil.get_data('demo', 'data/other.json').decode()",
    "resources": "importlib.resources.files('demo').joinpath('data/other.json').read_text()",
    "copy": "open(shutil.copy(p, os.environ['TMPDIR'])).read()",
    "codecs": "codecs.open(p).read() if sys.version_info < (3, 14) else open(p).read()",
}


@pytest.mark.parametrize("early", [True, False], ids=["modules-before", "modules-after"])
@pytest.mark.parametrize("case", OPENINGS)
def test_a_missed_file_brings_the_distribution_back(
    task: Task, python: str, case: str, early: bool
) -> None:
    modules = "import codecs, io, os, pathlib, pkgutil, shutil, sys, importlib.resources\n"
    start = f"{modules}import app\n" if early else f"import app\n{modules}"
    code = f"{start}p = {str(task.folder / OTHER)!r}\nprint({OPENINGS[case]})"
    done = task.ok(python, code)
    assert done.stdout.strip() == FILES[OTHER].decode()
    assert [f"because {OTHER} was opened" in line for line in done.restored] == [True]


LOOKS = {
    "exists": "print(os.path.exists(p), os.path.isfile(p), os.path.isdir(p))",
    "folder": "print(os.path.isdir(f'{t}/demo/deep'), os.path.isfile(f'{t}/demo/deep'))",
    "length": "print(os.stat(p).st_size, os.lstat(p).st_size, os.path.getsize(p))",
    "pathlib": "q = pathlib.Path(p); print(q.exists(), q.is_file(), q.stat().st_size)",
    "listdir": "print(sorted(os.listdir(f'{t}/demo')))",
    "listdir of a moved folder": "print(sorted(os.listdir(f'{t}/demo/deep')))",
    "listdir of bytes": "print(sorted(os.listdir(os.fsencode(f'{t}/demo/deep'))))",
    "scandir": "with os.scandir(f'{t}/demo') as s:\n"
    " print(sorted((e.name, e.is_dir(), e.is_file(), e.is_symlink()) for e in s))",
    "walk": "print(sorted(os.path.join(r, n)[len(t):] for r, _, f in os.walk(t + '/demo') "
    "for n in f))",
    "glob": "print(sorted(g[len(t):] for g in glob.glob(t + '/demo/**/*.py', recursive=True)))",
    "rglob": "print(sorted(str(g)[len(t):] for g in pathlib.Path(t, 'demo').rglob('*.json')))",
    "modules": "import demo; print(sorted(m.name for m in pkgutil.walk_packages(demo.__path__)))",
    "find_spec": "s = importlib.util.find_spec('demo.unused'); print(s.name, bool(s.origin))",
    "files of the distribution": "import importlib.metadata as m; "
    "print(sorted(str(f) for f in m.files('demo') if f.locate().exists()))",
    "absent": "print(os.path.exists(t + '/demo/no'), importlib.util.find_spec('demo.no'))",
}


@pytest.mark.parametrize("case", LOOKS)
def test_looking_is_answered_from_the_index(
    task: Task, tmp_path: Path, python: str, case: str
) -> None:
    untraced = tmp_path / "untraced"
    for name, data in FILES.items():
        path = untraced / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    info = "demo-1.0.dist-info"
    shutil.copytree(task.folder / info, untraced / info)
    begin = "import glob, importlib.util, os, pathlib, pkgutil\n"
    seen, plain = (
        task.ok(python, f"{first}{begin}t = {str(root)!r}\np = t + '/{OTHER}'\n{LOOKS[case]}")
        for root, first in (
            (task.folder, "import app\n"),
            (untraced, f"sys.path[0] = {str(untraced)!r}\n"),
        )
    )
    assert seen.stdout == plain.stdout
    assert seen.stdout.strip()
    assert seen.stderr == ""
    assert task.left() == []


def test_what_is_in_no_archive_stays_missing(task: Task, python: str) -> None:
    code = f"""
import app, os
for call in (
    lambda: open({str(task.folder / "demo" / "no.json")!r}),
    lambda: open("no-such-file"),
    lambda: open({str(task.folder / OTHER)!r} + "/below"),
    lambda: os.stat({str(task.folder / "no")!r}),
    lambda: os.listdir({str(task.folder / "no")!r}),
    lambda: os.scandir({str(task.folder / "no")!r}),
    lambda: os.open({str(task.folder / "no")!r}, os.O_RDONLY),
):
    try:
        call()
    except (FileNotFoundError, NotADirectoryError) as error:
        print(type(error).__name__)
try:
    import demo.no
except ModuleNotFoundError as error:
    print(error.name)
try:
    open({str(task.folder / "demo" / "deep" / "leaf.py")!r}, "w")
except OSError:
    print("not written")
"""
    done = task.ok(python, code)
    assert len(done.stdout.split("\n")) == 10
    assert done.stdout.split("\n")[7:9] == ["demo.no", "not written"]
    assert task.left() == []


def test_a_missed_library_is_loaded_with_what_it_needs(tmp_path: Path, python: str) -> None:
    inner = compile_library(tmp_path / "libs" / "libinner.so", "-Wl,-soname,libinner.so")
    outer = compile_library(
        tmp_path / "libs" / "outer.so",
        *("-L", str(tmp_path / "libs"), "-linner", "-Wl,-rpath,$ORIGIN/../demo.libs"),
        source="int f(void); int g(void) { return f() + 41; }\n",
    )
    files = {**FILES, "demo/outer.so": outer, "demo.libs/libinner.so": inner}
    task = make_task(tmp_path / "task", files=files)
    assert "demo/outer.so" not in task.names
    assert "demo.libs/libinner.so" not in task.names
    for first in ("import ctypes, app", "import app, ctypes"):
        code = f"{first}\nprint(ctypes.CDLL({str(task.folder / 'demo/outer.so')!r}).g())"
        assert task.ok(python, code).stdout.strip() == "42"
        shutil.rmtree(task.place)


def test_a_package_as_handler_is_the_real_one(tmp_path: Path, python: str) -> None:
    code = {
        "orders/__init__.py": '"""Orders."""\nimport demo.unused\nfrom . import rest\n',
        "orders/rest.py": "REST = __name__\n",
        "orders/app.py": "from . import rest\nfrom demo.deep import leaf\n"
        "def handler(e, c): return rest.REST\n",
    }
    task = make_task(tmp_path, code=code, handler="orders.app.handler")
    done = task.ok(
        python,
        "import importlib; app = importlib.import_module('orders.app')\nimport orders, inspect\n"
        "print(app.handler({}, None), orders.__doc__, orders.__file__, orders.__path__)\n"
        "print(inspect.getfile(orders.app.handler), orders.rest.REST)",
    )
    folder = task.folder / "orders"
    first, second = done.stdout.splitlines()
    assert first == f"orders.rest Orders. {folder / '__init__.py'} ['{folder}']"
    assert second == f"{folder / 'app.py'} orders.rest"


def test_a_handler_that_fails_fails_as_itself(tmp_path: Path, python: str) -> None:
    task = make_task(tmp_path, code={"app.py": "import json\n\nraise ValueError('mine')\n"})
    done = task.run(python, "import app")
    assert done.code == 1
    assert done.stderr.splitlines()[-1] == "ValueError: mine"
    assert f'File "{task.folder / "app.py"}", line 3' in done.stderr


def test_threads_wait_for_one_unpacking(task: Task, python: str) -> None:
    code = f"""
import app, threading
def look(name):
    __import__(name)
    assert open({str(task.folder / OTHER)!r}).read()
    found.append(name)
found = []
threads = [threading.Thread(target=look, args=[name])
    for name in ("demo.unused", "demo.deep.leaf", "space.inner.one") * 4]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found))
"""
    done = task.ok(python, code)
    assert done.stdout.strip() == "12"
    assert len(done.restored) == 1


def test_a_fork_in_the_middle_does_not_wait_for_ever(task: Task, python: str) -> None:
    code = """
import app, os, threading, time, lpack_bootstrap as b
[archive] = b._index().archives.values()
def hold():
    with archive.lock, b._loading:
        held.set(); time.sleep(600)
held = threading.Event()
thread = threading.Thread(target=hold, daemon=True); thread.start(); held.wait()
child = os.fork()
if not child:
    began = time.monotonic()
    import demo.unused
    os._exit(0 if time.monotonic() - began < 60 else 1)
print(os.waitpid(child, 0)[1])
"""
    assert (
        task.ok(python, f"import warnings; warnings.simplefilter('ignore')\n{code}").stdout == "0\n"
    )


def test_a_cleaned_tmp_is_filled_again(task: Task, python: str) -> None:
    code = f"""
import app, os, shutil
import demo.unused
place = {str(task.place)!r}
[name] = [name for name in os.listdir(place) if "." not in name]
os.remove(os.path.join(place, name, "space/inner/one.py"))
import space.inner.one
shutil.rmtree(place)
import demo.deep.leaf
print(open({str(task.folder / OTHER)!r}).read())
"""
    done = task.ok(python, code)
    assert done.stdout.strip() == FILES[OTHER].decode()
    assert len(done.restored) in (2, 3)
    assert task.left() == ["folder", "lock"]


def test_a_damaged_archive_is_never_unpacked(tmp_path: Path, python: str) -> None:
    task = make_task(tmp_path)
    path = task.folder / task.made.fallback.archive
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    done = task.run(python, "import app\nimport demo.unused")
    assert done.code == 1
    message = "demo 1.0: its archive is damaged"
    assert f"lpack: cannot restore {message}" in done.stderr
    assert done.stderr.splitlines()[-1] == f"lpack_bootstrap.RestoreError: [Errno 5] {message}"
    assert task.left() == ["lock"]


def test_an_optional_import_does_not_hide_that_it_could_not_be_brought_back(
    tmp_path: Path,
) -> None:
    task = make_task(tmp_path)
    (task.root / "tmp").rmdir()
    (task.root / "tmp").write_text("no folder")
    code = "import app\ntry:\n import demo.unused\nexcept ImportError:\n print('hidden')"
    done = task.run(THIS, code)
    assert done.code == 1
    assert done.stdout == ""
    assert "RestoreError" in done.stderr


def mounted(folder: Path, kilobytes: int) -> bool:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def test_a_tmp_that_is_too_small_is_said_with_both_figures(task: Task, python: str) -> None:
    temporary = task.root / "tmp"
    if shutil.which("mount") is None or not mounted(temporary, 128):
        pytest.skip("mounting a small disk needs root")
    try:
        done = task.run(python, "import app\nimport demo.unused")
        assert done.code == 1
        assert (
            f"lpack: cannot restore demo 1.0: it needs 0.3 MB below {task.place} and 0.1 MB are "
            "free; raise the function's ephemeral storage, or run lpack trace again"
        ) in done.stderr
        assert task.left() == ["lock"]
    finally:
        subprocess.run(["umount", str(temporary)], check=True, capture_output=True)


@pytest.mark.slow
def test_many_processes_at_once_unpack_once(task: Task) -> None:
    for _ in range(3):
        with ThreadPoolExecutor(64) as pool:
            done = list(pool.map(lambda _: task.run(THIS, whole()), range(64)))
        assert [each.stderr for each in done if each.code] == []
        assert sum(len(each.restored) for each in done) == 1
        assert task.left() == ["folder", "lock"]
        shutil.rmtree(task.place)


# An audit event is raised before each operation; the process kills itself at the Nth.
KILLED = """
import os, signal, sys
left = [{when}]
def hook(event, arguments):
    if arguments and isinstance(arguments[0], str) and arguments[0].startswith({place!r}):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


@pytest.mark.slow
def test_killed_at_every_operation_it_is_never_half(task: Task) -> None:
    survivors = 0
    for when in range(1, 200):
        killer = KILLED.format(when=when, place=str(task.place))
        done = task.run(THIS, killer + whole())
        if done.code == 0:
            survivors += 1
            if survivors == 3:
                break
        else:
            assert done.code == -signal.SIGKILL, done.stderr
        healthy = task.run(THIS, whole())
        assert healthy.code == 0, healthy.stderr
        assert task.left() == ["folder", "lock"], when
        shutil.rmtree(task.place)
    assert survivors == 3
    assert when > 20


@pytest.mark.slow
def test_killed_at_random_among_others_it_is_never_half(task: Task) -> None:
    chance = random.Random(7)  # noqa: S311 -- no secret

    def one(number: int) -> Finished | None:
        if number % 2:
            return task.run(THIS, whole())
        with subprocess.Popen(
            task.command(THIS, whole()), env=task.environment, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(chance.uniform(0.02, 0.3))
            process.kill()
        return None

    for _ in range(3):
        with ThreadPoolExecutor(16) as pool:
            done = [each for each in pool.map(one, range(64)) if each is not None]
        assert [each.stderr for each in done if each.code] == []
        task.ok(THIS, whole())
        assert task.left()[:1] == ["folder"]
        shutil.rmtree(task.place)


def test_another_task_folder_has_a_place_of_its_own(tmp_path: Path) -> None:
    places: set[str] = set()
    for name in ("one", "two"):
        task = make_task(tmp_path / name)
        task.ok(THIS, "import app, demo.unused")
        places.update(path.name for path in task.place.iterdir() if path.is_dir())
    assert len(places) == 2


def test_links_lead_to_what_stayed(task: Task) -> None:
    task.ok(THIS, "import app, demo.unused")
    [folder] = [path for path in task.place.iterdir() if path.is_dir()]
    for name in TOUCHED:
        assert os.readlink(folder / name) == str(task.folder / name)  # noqa: PTH115 -- exact text
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_loaded_library_is_the_same_through_a_link(tmp_path: Path) -> None:
    library = compile_library(
        tmp_path / "real" / "libx.so", source="int n; int *f(void){return &n;}"
    )
    link = tmp_path / "link.so"
    link.symlink_to(tmp_path / "real" / "libx.so")
    assert library
    addresses: set[int] = set()
    for path in (tmp_path / "real" / "libx.so", link):
        function = ctypes.CDLL(str(path)).f
        function.restype = ctypes.c_void_p
        addresses.add(function())
    assert len(addresses) == 1
