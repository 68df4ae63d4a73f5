"""The architecture, held by a machine: DESIGN §8 and the habits in CONTRIBUTING."""

import subprocess
from pathlib import Path

import pytest
from support import architecture
from support.fixture_wheels import CHECKOUT

PACKAGE = CHECKOUT / "packager"

TOUCHES_THE_WORLD: dict[str, set[str]] = {
    "packager.assemble.checked": {"read"},
    "packager.assemble.code_file": {"read"},
    "packager.assemble.docker_archive": {"read"},
    "packager.assemble.image_layout": {"read", "write"},
    "packager.assemble.offload_output": {"read", "write"},
    "packager.assemble.open_payload": {"read"},
    "packager.assemble.output": {"read", "write"},
    "packager.assemble.payload_streams": {"read"},
    "packager.assemble.prefix_copy": {"read", "write"},
    "packager.assemble.pinning": {"read"},
    "packager.assemble.reread": {"read"},
    "packager.assemble.retired": {"read", "write"},
    "packager.assemble.zip_writer": {"read"},
    "packager.attest.trust": {"read"},
    "packager.aws.clients": {"network"},
    "packager.aws.file_parts": {"read"},
    "packager.aws.functions": {"read"},
    "packager.aws.objects": {"read"},
    "packager.bootstrap.lpack_bootstrap": {"environment", "read", "write"},
    "packager.bootstrap.lpack_offload": {"environment", "network", "read", "write"},
    "packager.bootstrap.placing": {"read"},
    "packager.code_identity": {"read"},
    "packager.explain.known_errors": {"read"},
    "packager.gate.asking_git": {"process"},
    "packager.gate.history": {"environment"},
    "packager.gate.locating": {"read"},
    "packager.inputs.configuration": {"read"},
    "packager.inputs.configuration_file": {"read"},
    "packager.inputs.documents": {"read"},
    "packager.inputs.foreign_locks": {"read"},
    "packager.inputs.guessing": {"read"},
    "packager.inputs.handlers": {"read"},
    "packager.inputs.layer_files": {"read"},
    "packager.inputs.layer_tables": {"read"},
    "packager.inputs.own_output": {"read"},
    "packager.inputs.pipfile": {"read"},
    "packager.inputs.project_tables": {"read"},
    "packager.inputs.requirement_line": {"read"},
    "packager.inputs.requirements": {"read"},
    "packager.inputs.requirements_txt": {"environment", "read"},
    "packager.inputs.source_tree": {"read"},
    "packager.inputs.uv_sources": {"read"},
    "packager.inspect.codes": {"read"},
    "packager.inspect.folder_artifact": {"read"},
    "packager.inspect.guesses": {"read"},
    "packager.inspect.image_artifact": {"read", "write"},
    "packager.inspect.image_layers": {"read"},
    "packager.inspect.image_source": {"read"},
    "packager.inspect.opening": {"read"},
    "packager.inspect.zip_artifact": {"read", "write"},
    "packager.inspect.zip_directory": {"read"},
    "packager.leftovers": {"process", "read", "write"},
    "packager.lock.backend": {"environment", "read"},
    "packager.lock.build_environment": {"environment", "process"},
    "packager.lock.build_requirements": {"write"},
    "packager.lock.indexes": {"process"},
    "packager.lock.lockfile": {"read", "write"},
    "packager.lock.locking": {"write"},
    "packager.lock.pip_backend": {"read"},
    "packager.lock.pip_process": {"write"},
    "packager.lock.pip_runner": {"read"},
    "packager.lock.pip_sources": {"write"},
    "packager.lock.processes": {"environment", "process"},
    "packager.lock.resolver_input": {"write"},
    "packager.lock.source_builds": {"process", "read", "write"},
    "packager.lock.uv_backend": {"environment", "read"},
    "packager.pipeline.build": {"read"},
    "packager.pipeline.ahead": {"read", "write"},
    "packager.pipeline.base": {"read"},
    "packager.pipeline.base_source": {"read", "write"},
    "packager.pipeline.bill": {"read"},
    "packager.pipeline.blobs": {"read", "write"},
    "packager.pipeline.bootstrap": {"read"},
    "packager.pipeline.check": {"read", "write"},
    "packager.pipeline.explain": {"read"},
    "packager.pipeline.image": {"read"},
    "packager.pipeline.image_fit": {"environment", "read"},
    "packager.pipeline.memory": {"read"},
    "packager.pipeline.offload": {"read"},
    "packager.pipeline.opt": {"read"},
    "packager.pipeline.payloads": {"read"},
    "packager.pipeline.plan": {"read", "write"},
    "packager.pipeline.prefix": {"read", "write"},
    "packager.pipeline.provenance": {"read"},
    "packager.pipeline.publish": {"read"},
    "packager.pipeline.publish_offload": {"read"},
    "packager.pipeline.runtime": {"read"},
    "packager.pipeline.shared": {"environment", "write"},
    "packager.pipeline.splicing": {"environment"},
    "packager.pipeline.supply": {"read"},
    "packager.pipeline.trims": {"read"},
    "packager.pipeline.why": {"read"},
    "packager.pipeline.workshop": {"environment"},
    "packager.place.calibration": {"write"},
    "packager.place.forbidden": {"read"},
    "packager.place.rates": {"read"},
    "packager.place.solving": {"read", "write"},
    "packager.reference.archives": {"read"},
    "packager.reference.file_map": {"read"},
    "packager.reference.image_files": {"read"},
    "packager.reference.rebuild": {"read"},
    "packager.reference.wheel_files": {"read"},
    "packager.registry.base_layer": {"read"},
    "packager.registry.docker_config": {"environment", "process", "read"},
    "packager.registry.layout": {"read"},
    "packager.registry.pull": {"write"},
    "packager.registry.push": {"network", "read"},
    "packager.registry.root_files": {"read", "write"},
    "packager.registry.sending": {"network"},
    "packager.registry.session": {"network"},
    "packager.registry.tokens": {"network"},
    "packager.report.html_page": {"read"},
    "packager.runtime.capture": {"read"},
    "packager.runtime.capture_handler": {"environment"},
    "packager.runtime.catalog": {"read"},
    "packager.runtime.sonames": {"read"},
    "packager.runtime.system": {"read"},
    "packager.runtime.targets": {"read"},
    "packager.shared.http_place": {"network"},
    "packager.shared.object_place": {"environment", "network"},
    "packager.shared.uploads": {"read"},
    "packager.slim.bytecode": {"process", "read", "write"},
    "packager.slim.bytecode_payload": {"read"},
    "packager.slim.compile_frames": {"read", "write"},
    "packager.slim.inflating": {"read"},
    "packager.slim.mapped": {"read", "write"},
    "packager.slim.offload_archive": {"read", "write"},
    "packager.slim.payload": {"read"},
    "packager.slim.payload_reader": {"read", "write"},
    "packager.slim.payload_writer": {"write"},
    "packager.slim.prune_rules": {"read"},
    "packager.slim.spool": {"read", "write"},
    "packager.slim.tar_archive": {"write"},
    "packager.slim.traced_payload": {"read", "write"},
    "packager.verify.artifact": {"read"},
    "packager.verify.bundle_view": {"read"},
    "packager.verify.emulator": {"network", "read"},
    "packager.verify.image_layout": {"read"},
    "packager.verify.image_run": {"process", "read", "write"},
    "packager.verify.image_tree": {"read", "write"},
    "packager.verify.interpreter": {"environment", "process", "read"},
    "packager.verify.layers": {"read"},
    "packager.verify.miss_cost": {"process", "read", "write"},
    "packager.verify.processes": {"process"},
    "packager.verify.rule_data": {"read"},
    "packager.verify.runtime_folder": {"process", "read", "write"},
    "packager.verify.sandbox": {"read", "write"},
    "packager.verify.statements": {"read"},
    "packager.verify.sandbox_bootstrap": {"environment", "write"},
    "packager.verify.trace": {"read", "write"},
    "packager.verify.trace_preamble": {"read", "write"},
    "packager.verify.unpacking": {"read", "write"},
    "packager.wheels.admission": {"read"},
    "packager.wheels.fetching": {"network"},
    "packager.wheels.http_client": {"network", "read"},
    "packager.wheels.own_words": {"read"},
    "packager.wheels.receiving": {"read", "write"},
    "packager.wheels.store": {"environment", "read", "write"},
    "packager.wheels.store_keeping": {"read", "write"},
    "packager.wheels.zip_end": {"read"},
    "packager.wheels.zip_members": {"read"},
    "packager.wheels.zip_reader": {"read"},
}
"""Which modules may touch what; every other module is pure, and all of model/ is."""

TOO_LONG: dict[str, str] = {
    "packager.bootstrap.lpack_bootstrap": "it ships alone: what runs in Lambda is one file",
    "packager.bootstrap.lpack_offload": "likewise; a test of its own says how long it may be",
}
"""Files (`packager.x`) and functions (`packager.x:name`) over the limit, each with a reason."""

READS_ITS_OWN = {
    "packager.assemble.pinning", "packager.cli.checking", "packager.cli.plan_try",
    "packager.cli.refusals", "packager.lock.pip_backend", "packager.lock.pip_runner",
    "packager.pipeline.supply", "packager.reference.image_files", "packager.reference.manifests",
    "packager.slim.bytecode", "packager.verify.miss_cost", "packager.verify.trace",
    "packager.wheels.store", "packager.wheels.store_keeping",
}  # fmt: skip
"""Which modules parse what this lpack has written itself; all else goes through `parsing`."""


def modules() -> dict[str, str]:
    """Every module of the package with its source."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(CHECKOUT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path.read_text()
    return found


MODULES = modules()


def test_there_are_modules() -> None:
    assert {"packager.errors", "packager.pipeline.build", "packager.cli.entry"} <= MODULES.keys()


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    assert architecture.direction_complaints(MODULES[module], module) == []


@pytest.mark.parametrize(
    "module", [name for name in MODULES if not name.startswith("packager.cli")]
)
def test_input_and_output_only_at_the_edges(module: str) -> None:
    found = architecture.io_kinds(MODULES[module])
    allowed = TOUCHES_THE_WORLD.get(module, set())
    assert {kind: places for kind, places in found.items() if kind not in allowed} == {}
    assert allowed - found.keys() == set(), "the list is longer than the truth"


def test_the_list_of_edges_is_current() -> None:
    assert TOUCHES_THE_WORLD.keys() - MODULES.keys() == set()
    assert [module for module in TOUCHES_THE_WORLD if module.startswith("packager.model")] == []


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_are_short(module: str) -> None:
    complaints = architecture.size_complaints(MODULES[module], module)
    assert [text for text in complaints if text.rpartition(": ")[0] not in TOO_LONG] == []


def test_the_list_of_long_things_is_current() -> None:
    found = {
        text.rpartition(": ")[0]
        for module, source in MODULES.items()
        for text in architecture.size_complaints(source, module)
    }
    assert TOO_LONG.keys() - found == set()


@pytest.mark.parametrize("module", MODULES)
def test_names_say_what_things_do(module: str) -> None:
    assert architecture.name_complaints(module) == []


@pytest.mark.parametrize(
    "module", [name for name in MODULES if not name.startswith("packager.cli")]
)
def test_only_the_command_line_prints(module: str) -> None:
    assert architecture.print_complaints(MODULES[module], module) == []


@pytest.mark.parametrize("module", [name for name in MODULES if name != "packager.parsing"])
def test_what_others_wrote_is_parsed_in_one_place(module: str) -> None:
    found = architecture.parser_complaints(MODULES[module], module)
    assert bool(found) == (module in READS_ITS_OWN), found


@pytest.mark.parametrize("module", MODULES)
def test_public_things_are_documented(module: str) -> None:
    assert architecture.docstring_complaints(MODULES[module], module) == []


def test_nothing_tracked_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    # A clone directly below the root, as on build machines, is no telling name.
    paths = tuple(str(p) for p in (CHECKOUT, Path.home()) if len(p.parts) > 2)
    complaints = []
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = CHECKOUT / name
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            complaints += architecture.text_complaints(text, name, machine_paths=paths)
    assert complaints == []


# The rules themselves: each must be able to fail.


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("packager.errors", "from packager.model.target import Target"),
        ("packager.model.target", "import packager.wheels.store"),
        ("packager.wheels.store", "from packager.lock.uv import find"),
        ("packager.wheels.store", "def f():\n    from packager import lock"),
        ("packager.wheels.store", "from ..lock import uv"),
        ("packager.report.text", "from packager.measure.shares import retained"),
        ("packager.lock.uv", "from packager.pipeline.build import build"),
        ("packager.pipeline.build", "from packager.cli import entry"),
        ("packager.stray", ""),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert architecture.direction_complaints(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("packager.model.target", "from packager.errors import UsageError"),
        ("packager.wheels.store", "from . import admission\nfrom .names import check"),
        ("packager.wheels.store", "import json\nfrom packager.model.wheel import WheelMember"),
        ("packager.pipeline.memory", "from packager.wheels.store import Store"),
        (
            "packager.cli.build",
            "from packager.pipeline.build import build\nfrom packager import report",
        ),
        ("packager.__main__", "from packager.cli.entry import main"),
    ],
)
def test_a_right_import_passes(module: str, source: str) -> None:
    assert architecture.direction_complaints(source, module) == []


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import subprocess", "process"),
        ("from urllib.request import urlopen", "network"),
        ("def f():\n    import requests", "network"),
        ("import os\nos.environ['A']", "environment"),
        ("import os\nos.replace(a, b)", "write"),
        ("import os\nos.path.exists(a)", "read"),
        ("import tempfile", "write"),
        ("import shutil\nshutil.rmtree(a)", "write"),
        ("from shutil import which", "read"),
        ("open('x')", "read"),
        ("open('x', 'wb')", "write"),
        ("path.open('a')", "write"),
        ("path.open(mode='x')", "write"),
        ("path.read_text()", "read"),
        ("path.write_text('')", "write"),
    ],
)
def test_input_and_output_are_found(source: str, kind: str) -> None:
    assert architecture.io_kinds(source).keys() == {kind}


def test_pure_text_is_not_taken_for_input() -> None:
    source = (
        "import os, urllib.parse\nfrom urllib.request import url2pathname\n"
        "name = os.fspath(p)\nbase = os.path.join(a, b)\ntext = 'open(x)'.replace('a', 'b')"
    )
    assert architecture.io_kinds(source) == {}


def test_length_is_found() -> None:
    body = "".join(f"    x = {n}\n" for n in range(architecture.MAX_FUNCTION_LINES))
    assert architecture.size_complaints(f"def f():\n{body}", "m") == ["m:f: 41 lines, at most 40"]
    documented = f'def f():\n    """Say\n\n    much.\n    """\n{body[: -len("    x = 39") - 1]}'
    assert architecture.size_complaints(documented, "m") == []
    assert architecture.size_complaints("x = 1\n" * 301, "m") == ["m: 301 lines, at most 300"]


def test_empty_names_are_found() -> None:
    assert architecture.name_complaints("packager.lock.utils")
    assert architecture.name_complaints("packager.lock.uv") == []


def test_printing_is_found() -> None:
    assert architecture.print_complaints("print('x')", "m")
    assert architecture.print_complaints("import sys\nsys.stderr.write('x')", "m")
    assert architecture.print_complaints("TEXT = 'print(1)'", "m") == []


def test_missing_docstrings_are_found() -> None:
    source = '"""M."""\nclass A:\n    """A."""\n    def f(self): ...\ndef _g(): ...\n'
    assert architecture.docstring_complaints(source, "m") == ["m:4: f has no docstring"]


def test_traces_of_machines_are_found() -> None:
    host = "https://files." + "python" + "hosted.org/x"
    assert architecture.text_complaints(host, "f")
    assert architecture.text_complaints("see /ho" + "me/somebody/x", "f")
    assert architecture.text_complaints("in /a/b/c", "f", machine_paths=("/a/b",))
    assert architecture.text_complaints("http://127.0.0.1/simple", "f") == []
