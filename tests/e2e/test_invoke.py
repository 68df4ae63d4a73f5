"""`lpack invoke` on real builds: AWS's client, the runtime's packages, an event, an answer."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support import sandbox_world
from support.fixture_wheels import workload_requirements
from support.index_server import IndexServer
from support.lpack_runner import Finished, LpackRunner

pytestmark = pytest.mark.index

TARGET = sandbox_world.TARGET
APP = """
import os
import logging

logging.getLogger().setLevel("INFO")

def handler(event, context):
    logging.info("got %d keys", len(event))
    print("printed")
    if "fail" in event:
        raise ValueError(event["fail"])
    if "die" in event:
        os._exit(7)
    if "sleep" in event:
        import time
        time.sleep(event["sleep"])
    return {"event": event, "table": os.environ.get("TABLE"),
            "left": context.get_remaining_time_in_millis(), "id": context.aws_request_id}
"""
EVENT_V2 = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/fernet/hello",
    "rawQueryString": "",
    "headers": {"host": "example.com"},
    "requestContext": {
        "http": {
            "method": "GET",
            "path": "/fernet/hello",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "test",
        },
        "stage": "$default",
    },
    "isBase64Encoded": False,
}
ROUTE = """

@app.get("/fernet/{text}")
def fernet(text: str) -> dict:
    key = Fernet(Fernet.generate_key())
    return {"text": key.decrypt(key.encrypt(text.encode())).decode(),
            "rendered": jinja2.Template("{{ x }}!").render(x=text)}
"""


@pytest.fixture(autouse=True)
def _python() -> None:
    """Skip all of this without a Python that can stand in for the target's."""
    sandbox_world.interpreter()


@pytest.fixture
def index(real_index: Callable[[str], IndexServer]) -> IndexServer:
    """The index with the target's real wheels, AWS's client among them."""
    return real_index(TARGET)


def write_project(folder: Path, files: Mapping[str, str], *, handler: str = "app.handler") -> Path:
    """Write a project with one function called `api`."""
    folder.mkdir(parents=True, exist_ok=True)
    runtime, architecture = TARGET.split("-")
    settings = f'runtime = "{runtime}"\narchitecture = "{architecture}"\nupload = "s3"\n'
    (folder / "lpack.toml").write_text(f'{settings}[functions.api]\nhandler = "{handler}"\n')
    for name, text in {"requirements.txt": "", **files}.items():
        (folder / name).write_text(text)
    return folder


def build(lpack: LpackRunner, folder: Path, index: IndexServer, *more: str) -> None:
    """Build the project in `folder`."""
    lpack.ok("build", "--index-url", index.url, *more, cwd=folder)


def invoke(
    lpack: LpackRunner, folder: Path, index: IndexServer, *arguments: str, code: int = 0
) -> Finished:
    """Run `lpack invoke`; nothing may be left of the sandbox."""
    scratch = lpack.home / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    done = lpack.run(
        "invoke", "--index-url", index.url, *arguments, cwd=folder, env={"TMPDIR": str(scratch)}
    )
    assert done.exit_code == code, done.explain()
    assert "this is a bug in lpack" not in done.stderr, done.explain()
    assert list(scratch.iterdir()) == []
    return done


@pytest.fixture
def project(shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path) -> Path:
    """The small function above, built."""
    folder = write_project(tmp_path / "project", {"app.py": APP})
    build(shared_lpack, folder, index)
    return folder


def test_the_answer_is_all_of_stdout(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    done = invoke(
        shared_lpack, project, index, '{"a": [1, "ä"]}', "--env", "TABLE=orders", "--timeout", "20"
    )
    answer = json.loads(done.stdout)
    assert answer["event"] == {"a": [1, "ä"]}
    assert answer["table"] == "orders"
    assert 10_000 < answer["left"] <= 20_000
    assert "printed" in done.stderr
    assert f"{answer['id']}\tgot 1 keys" in done.stderr
    assert "init took" in done.stderr


def test_events_come_from_files_and_stdin(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    (project / "event.json").write_text('{"from": "file"}')
    done = invoke(shared_lpack, project, index, "event.json", "-q")
    assert json.loads(done.stdout)["event"] == {"from": "file"}
    assert "init took" not in done.stderr
    done = invoke(shared_lpack, project, index)
    assert json.loads(done.stdout)["event"] == {}
    done = invoke(shared_lpack, project, index, "-", code=2)
    assert "`stdin` is not JSON" in done.stderr
    done = invoke(shared_lpack, project, index, "{nothing", code=2)
    assert "`{nothing` is neither JSON nor a file" in done.stderr


def test_a_failing_function_is_exit_1(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    done = invoke(shared_lpack, project, index, '{"fail": "no luck"}', code=1)
    answer = json.loads(done.stdout)
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "no luck")
    assert "[ERROR] ValueError: no luck" in done.stderr


def test_a_dying_function_is_exit_1(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    done = invoke(shared_lpack, project, index, '{"die": true}', code=1)
    answer = json.loads(done.stdout)
    assert answer["errorType"] == "Runtime.ExitError"
    assert "exit status 7" in answer["errorMessage"]


def test_a_slow_function_is_ended(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    done = invoke(shared_lpack, project, index, '{"sleep": 60}', "--timeout", "2", code=1)
    assert json.loads(done.stdout)["errorMessage"] == "Task timed out after 2.00 seconds"
    assert done.seconds < 30


def test_a_handler_that_cannot_be_imported_is_explained(
    shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "project", {"app.py": "import yaml\nhandler = print\n"})
    build(shared_lpack, folder, index)
    done = invoke(shared_lpack, folder, index, code=1)
    assert json.loads(done.stdout)["errorType"] == "Runtime.ImportModuleError"
    assert "error: `yaml`, imported by `app.py:1`, is neither in the zip nor in" in done.stderr
    assert "hint: add `pyyaml` to the requirements" in done.stderr


def test_a_subtracted_sdk_is_the_runtime_s(
    shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path
) -> None:
    text = (
        "import boto3, botocore, urllib3\n"
        "def handler(event, context):\n"
        "    client = boto3.client('s3')\n"
        "    return [boto3.__version__, botocore.__version__, urllib3.__version__,\n"
        "            client.meta.region_name]\n"
    )
    folder = write_project(tmp_path / "project", {"app.py": text, "requirements.txt": "boto3\n"})
    build(shared_lpack, folder, index)
    with zipfile.ZipFile(folder / "dist" / "api.zip") as archive:
        assert not [name for name in archive.namelist() if name.startswith("boto")]
    versions = [sandbox_world.SDK[name] for name in ("boto3", "botocore", "urllib3")]
    done = invoke(shared_lpack, folder, index)
    assert json.loads(done.stdout) == [*versions, "us-east-1"]
    # Everything is remembered now: neither the index nor a resolver is needed again.
    again = invoke(shared_lpack, folder, index, "--offline")
    assert json.loads(again.stdout) == [*versions, "us-east-1"]
    assert "installed" not in again.stderr


def test_the_workload_w1_answers(
    shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path
) -> None:
    requirements = workload_requirements("W1", TARGET)
    handler = requirements.with_name("handler.py").read_text()
    folder = write_project(
        tmp_path / "W1",
        {"handler.py": handler, "requirements.txt": requirements.read_text()},
        handler="handler.lambda_handler",
    )
    build(shared_lpack, folder, index)
    done = invoke(shared_lpack, folder, index, '{"x": 1}')
    assert json.loads(done.stdout) == {"statusCode": 200, "v": 1}


def test_the_workload_w5_answers_an_http_request(
    shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path
) -> None:
    requirements = workload_requirements("W5", TARGET)
    handler = requirements.with_name("handler.py").read_text() + ROUTE
    folder = write_project(
        tmp_path / "W5",
        {"handler.py": handler, "requirements.txt": requirements.read_text()},
        handler="handler.lambda_handler",
    )
    build(shared_lpack, folder, index)
    (folder / "event.json").write_text(json.dumps(EVENT_V2))
    done = invoke(shared_lpack, folder, index, "event.json")
    answer = json.loads(done.stdout)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"text": "hello", "rendered": "hello!"}


@pytest.fixture(scope="session")
def emulator(
    real_index: Callable[[str], IndexServer], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder for PATH with AWS's emulator, taken out of the wheel of the SAM CLI."""
    real_index(TARGET)
    [wheel] = sandbox_world.named(sandbox_world.fixtures(), {"aws-sam-cli": None})
    folder = tmp_path_factory.mktemp("emulator")
    member = "samcli/local/rapid/aws-lambda-rie-x86_64"
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
        path = folder / "aws-lambda-rie"
        with path.open("wb") as file:
            shutil.copyfileobj(source, file)
    path.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("event", "code", "expected"),
    [
        ('{"a": 1}', 0, '"event": {"a": 1}'),
        ('{"fail": "no luck"}', 1, '"errorMessage": "no luck"'),
        ('{"die": true}', 1, "Runtime.ExitError"),
        ('{"sleep": 60}', 1, "timed out after 2"),
    ],
)
def test_through_aws_s_emulator(
    event: str,
    code: int,
    expected: str,
    shared_lpack: LpackRunner,
    index: IndexServer,
    project: Path,
    emulator: Path,
) -> None:
    path = shared_lpack.environment()["PATH"]
    argv = ["invoke", "--index-url", index.url, "--emulator", "aws", "--timeout", "2", event]
    done = shared_lpack.run(*argv, cwd=project, env={"PATH": f"{emulator}{os.pathsep}{path}"})
    assert done.exit_code == code, done.explain()
    assert expected in done.stdout
    assert "(rapid)" not in done.stderr
    assert "answered through the Runtime Interface Emulator" in done.stderr
    if code == 0:
        assert "init took" in done.stderr
        assert "handler took" in done.stderr
        assert "printed" in done.stderr


def test_a_missing_emulator_is_a_usage_error(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    if shutil.which("aws-lambda-rie") or shutil.which("sam"):
        pytest.skip("this machine has an emulator")
    done = invoke(shared_lpack, project, index, "--emulator", "aws", code=2)
    assert "`aws-lambda-rie` is not on PATH" in done.stderr


def test_a_changed_zip_is_refused(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    with (project / "dist" / "api.zip").open("ab") as file:
        file.write(b"x")
    done = invoke(shared_lpack, project, index, code=2)
    assert "api.zip` is not the zip its manifest describes" in done.stderr


def test_another_processor_is_refused(
    shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "project", {"app.py": APP})
    build(shared_lpack, folder, index, "--arch", "arm64")
    done = invoke(shared_lpack, folder, index, code=2)
    assert "python3.11/arm64 cannot run on linux x86_64" in done.stderr


def test_without_the_right_python_there_is_a_hint(
    shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "project", {"app.py": APP})
    build(shared_lpack, folder, index, "--runtime", "python3.14")
    if sandbox_world.has_python("python3.14"):
        pytest.skip("this machine has a Python 3.14")
    done = invoke(shared_lpack, folder, index, code=2)
    assert "needs a Python 3.14" in done.stderr
    assert "hint: uv python install 3.14" in done.stderr


def test_an_index_without_the_runtime_s_packages_is_told(
    lpack: LpackRunner, tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "project", {"app.py": APP})
    with IndexServer([]) as empty:
        build(lpack, folder, empty)
        done = invoke(lpack, folder, empty, code=3)
    assert "the packages that python3.11 has itself cannot be had" in done.stderr


def test_several_functions_need_a_name(
    shared_lpack: LpackRunner, index: IndexServer, tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "project", {"app.py": APP})
    with (folder / "lpack.toml").open("a") as file:
        file.write('[functions.worker]\nhandler = "app.handler"\n')
    build(shared_lpack, folder, index)
    done = invoke(shared_lpack, folder, index, code=2)
    assert "there are 2 functions: api, worker" in done.stderr
    done = invoke(shared_lpack, folder, index, "--function", "worker")
    assert json.loads(done.stdout)["event"] == {}
    done = invoke(shared_lpack, folder, index, "--function", "nobody", code=2)
    assert "no function is called `nobody`" in done.stderr


def test_a_variable_without_value_comes_from_here(
    shared_lpack: LpackRunner, index: IndexServer, project: Path
) -> None:
    argv = ["invoke", "--index-url", index.url, "--env", "TABLE"]
    done = shared_lpack.run(*argv, cwd=project, env={"TABLE": "here"})
    assert done.exit_code == 0, done.explain()
    assert json.loads(done.stdout)["table"] == "here"
    done = shared_lpack.run(*argv, cwd=project)
    assert done.exit_code == 2, done.explain()
    assert "`TABLE` is not set here" in done.stderr
