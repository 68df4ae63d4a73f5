"""Whole builds of images: layouts that others read, layers that stay, bases that fit."""

import json
import shutil
import tarfile
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.build_world import SETTLING_SECONDS, BuildWorld
from support.debian_registry import PASSWORD, USER, DebianRegistry, debian_registry
from support.image_world import (
    documents,
    files_below,
    layer_entries,
    skopeo,
    unpacked_by_umoci,
    write_aws_like_base,
)
from support.lpack_runner import Finished, LpackRunner
from support.readers import read_with_python
from support.store_poison import list_wrongly

import packager

SCHEMA = Path(packager.__file__).parent / "report" / "manifest.schema.json"


@pytest.fixture
def image_world(world: BuildWorld) -> BuildWorld:
    """The project as an image on a base like AWS's, which lies beside it."""
    write_aws_like_base(world.project / "base")
    return configured(world, 'base = "./base"')


def configured(world: BuildWorld, *lines: str) -> BuildWorld:
    """Say what kind of image it is to be."""
    text = (world.project / "pyproject.toml").read_text().partition("[tool.lpack.image]")[0]
    if "package-type" not in text:
        text = text.replace("[tool.lpack]\n", '[tool.lpack]\npackage-type = "image"\n')
    table = "".join(f"{line}\n" for line in ("[tool.lpack.image]", *lines))
    world.write("pyproject.toml", f"{text}{table}")
    return world


def layout_of(world: BuildWorld) -> Path:
    return world.project / "dist" / "api.oci"


def own_digests(world: BuildWorld) -> list[str]:
    return [b["digest"] for b in world.manifest["image"]["blobs"] if not b["from_base"]]


def test_layout_documents_and_manifest(image_world: BuildWorld) -> None:
    image_world.build()
    manifest, config = documents(layout_of(image_world))
    told = image_world.manifest
    assert told["artifact"]["kind"] == "image"
    assert told["artifact"]["path"] == "api.oci"
    assert [each["digest"] for each in manifest["layers"]] == [
        each["digest"] for each in told["image"]["blobs"]
    ]
    assert told["image"]["base"] | {"digest": None} == {
        "kind": "layout",
        "reference": "base",
        "digest": None,
        "index_digest": None,
        "client": False,
        "runtime": True,
    }
    assert told["image"]["manifest_bytes"] < 25_400
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    assert config["config"] == {
        "Cmd": ["app.handler"],
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "Env": ["LANG=en_US.UTF-8", "PATH=/var/lang/bin:/usr/bin", "LAMBDA_TASK_ROOT=/var/task"],
        "Labels": {"maker": "test"},
        "WorkingDir": "/var/task",
    }
    assert (config["architecture"], config["os"]) == ("amd64", "linux")
    # What the runtime provides is left out, as in a zip.
    gone = {d["name"] for d in told["distributions"] if d["subtracted"]}
    assert {"boto3", "botocore"} <= gone
    assert {d["placement"] for d in told["distributions"]} == {None, "image"}
    [limit] = told["limits"]
    assert (limit["name"], limit["limit_bytes"]) == ("image", 10 * 1024**3)
    assert limit["measured_bytes"] == sum(b["uncompressed_bytes"] for b in told["image"]["blobs"])


def test_the_tree_is_that_of_the_zip(image_world: BuildWorld, tmp_path: Path) -> None:
    image_world.build()
    image_world.lpack.ok("verify", "--no-import", cwd=image_world.project)
    root = unpacked_by_umoci(layout_of(image_world), tmp_path / "umoci")
    assert not (root / "etc/gone").exists()
    assert (root / "etc/there").read_text() == "y"
    image_world.build("--package-type", "zip")
    in_zip = {
        name: (digest, mode) for name, (digest, mode) in read_with_python(image_world.zip).items()
    }
    assert files_below(root / "var/task") == in_zip


def test_layers_are_plain_and_ordered(image_world: BuildWorld) -> None:
    image_world.build()
    image = image_world.manifest["image"]
    for number, each in enumerate(image["blobs"]):
        if each["from_base"]:
            continue
        entries = layer_entries(layout_of(image_world), number)
        files = [name for name, entry in entries.items() if entry.isreg()]
        assert files == sorted(files, key=str.encode)
        assert list(entries)[:2] == ["var", "var/task"]
        for entry in entries.values():
            assert (entry.uid, entry.gid, entry.uname, entry.mtime) == (0, 0, "", 0)
            assert entry.mode == (0o755 if entry.isdir() or "run" in entry.name else 0o644)
        for name in files:
            assert name.rpartition("/")[0] in entries
    assert image["blobs"][-1]["owners"] == [""]


def test_equal_input_gives_an_equal_image(image_world: BuildWorld, tmp_path: Path) -> None:
    image_world.build()
    first = image_world.manifest
    other = BuildWorld(
        project=image_world.project,
        index_url=image_world.index_url,
        lpack=type(image_world.lpack)(home=tmp_path / "other-home"),
    )
    other.build("--target-dir", "elsewhere", umask=0o077)
    again = json.loads((image_world.project / "elsewhere/api.lpack.json").read_text())
    assert again == first
    image_world.build(env={"SOURCE_DATE_EPOCH": "1700000000"})
    entries = layer_entries(layout_of(image_world), len(first["image"]["blobs"]) - 1)
    assert {entry.mtime for entry in entries.values()} == {1_700_000_000}
    assert documents(layout_of(image_world))[1]["created"] == "2023-11-14T22:13:20Z"


def test_a_change_of_the_code_makes_one_layer(image_world: BuildWorld) -> None:
    image_world.build()
    layout = layout_of(image_world)
    before = own_digests(image_world)
    kept = {path.name: path.stat() for path in (layout / "blobs/sha256").iterdir()}
    image_world.write("app.py", "def handler(event, context):\n    return 2\n")
    image_world.build()
    after = own_digests(image_world)
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    now = {path.name: path.stat() for path in (layout / "blobs/sha256").iterdir()}
    # Three new blobs, three old ones gone, all others untouched.
    assert len(now.keys() - kept.keys()) == len(kept.keys() - now.keys()) == 3
    assert all(now[name] == kept[name] for name in now.keys() & kept.keys())


def test_nothing_changed_is_answered_at_once(image_world: BuildWorld) -> None:
    first = image_world.build()
    for _ in range(4):
        time.sleep(SETTLING_SECONDS)
        image_world.build()
    index = layout_of(image_world) / "index.json"
    before = index.stat()
    last = image_world.build()
    assert (last.stdout, index.stat()) == (first.stdout, before)
    # Another base is noticed.
    write_aws_like_base(image_world.project / "other", label="other")
    shutil.rmtree(image_world.project / "base")
    (image_world.project / "other").rename(image_world.project / "base")
    image_world.build()
    assert documents(layout_of(image_world))[1]["config"]["Labels"] == {"maker": "other"}
    # A blob that was removed is noticed.
    blob = layout_of(image_world) / "blobs/sha256" / own_digests(image_world)[0][7:]
    blob.unlink()
    image_world.build()
    assert blob.is_file()


def test_skopeo_copies_it_and_the_archive(image_world: BuildWorld, tmp_path: Path) -> None:
    image_world.build("--image-archive")
    digest = f"sha256:{image_world.manifest['artifact']['sha256']}"
    layout, archive = layout_of(image_world), image_world.project / "dist/api.image.tar"
    shown = json.loads(skopeo("inspect", f"oci:{layout}:latest"))
    assert (shown["Digest"], shown["Architecture"]) == (digest, "amd64")
    for number, source in enumerate(
        (f"oci:{layout}:latest", f"oci-archive:{archive}", f"docker-archive:{archive}:api:latest")
    ):
        skopeo("copy", source, f"dir:{tmp_path / str(number)}")
    assert image_world.manifest["image"]["archive"] == "api.image.tar"
    with tarfile.open(archive) as opened:
        [loaded] = json.loads(opened.extractfile("manifest.json").read())  # type: ignore[union-attr]
        assert loaded["RepoTags"] == ["api:latest"]
        assert set(loaded["Layers"]) < set(opened.getnames())


def test_docker_format(image_world: BuildWorld, tmp_path: Path) -> None:
    configured(image_world, 'base = "./base"', 'format = "docker"').build("--image-archive")
    manifest, _ = documents(layout_of(image_world))
    types = {manifest["mediaType"], manifest["config"]["mediaType"]}
    types |= {each["mediaType"] for each in manifest["layers"]}
    assert all("vnd.docker." in each for each in types)
    # skopeo reads layouts with OCI's media types only, and the same blobs from the archive.
    archive = image_world.project / "dist/api.image.tar"
    skopeo("copy", f"docker-archive:{archive}:api:latest", f"dir:{tmp_path / 'copy'}")


def test_settings(image_world: BuildWorld) -> None:
    configured(
        image_world,
        'base = "./base"',
        'command = ["other.handler"]',
        'entry-point = ["/opt/start", "-x"]',
        'user = "1000"',
        'working-directory = "/srv/app/"',
        'environment = { TABLE = "orders", LANG = "C" }',
        'labels = { team = "a" }',
    ).build()
    config = documents(layout_of(image_world))[1]["config"]
    assert config["Cmd"] == ["other.handler"]
    assert config["Entrypoint"] == ["/opt/start", "-x"]
    assert config["User"] == "1000"
    assert config["WorkingDir"] == "/srv/app"
    assert config["Labels"] == {"maker": "test", "team": "a"}
    assert "LAMBDA_TASK_ROOT=/srv/app" in config["Env"]
    assert {"TABLE=orders", "LANG=C"} <= set(config["Env"])
    count = len(image_world.manifest["image"]["blobs"])
    assert "srv/app/app.py" in layer_entries(layout_of(image_world), count - 1)
    image_world.lpack.ok("verify", "--no-import", cwd=image_world.project)


# Bad input: one line, before anything is written.


def refused(world: BuildWorld, *arguments: str) -> Finished:
    done = world.run(*arguments)
    assert done.exit_code in (2, 3), done.explain()
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    assert not (world.project / "dist").exists()
    return done


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['base = "./nowhere"'], "there is no `./nowhere`"),
        (['base = "./app.py"'], "neither a root file system nor an image"),
        (['base = "Not/A Reference"'], "is no name of a repository"),
        (['base = "127.0.0.1:9/x"'], "Connection refused"),
        (["base = 3"], "must be a string"),
        (['bases = "x"'], "did you mean `base`?"),
        (['working-directory = "app"'], "must be an absolute folder"),
        (['working-directory = "/a/../b"'], "must be an absolute folder"),
        (['command = "app.handler"'], 'command = ["app.handler"]'),
        (["environment = { A = 1 }"], "must be a string"),
        (['format = "zstd"'], "is no format of images"),
    ],
)
def test_wrong_settings(world: BuildWorld, lines: list[str], said: str) -> None:
    assert said in refused(configured(world, *lines)).stderr


def test_a_base_for_the_other_processor(world: BuildWorld) -> None:
    write_aws_like_base(world.project / "base", machine="arm64")
    done = refused(configured(world, 'base = "./base"'))
    assert "is for linux/arm64, and the function for linux/amd64" in done.stderr


def test_a_base_with_another_python(world: BuildWorld) -> None:
    write_aws_like_base(world.project / "base", python="3.12")
    done = refused(configured(world, 'base = "./base"'))
    assert "has Python 3.12, and the runtime is python3.13" in done.stderr


def test_a_damaged_base(image_world: BuildWorld) -> None:
    for path in (image_world.project / "base/blobs/sha256").iterdir():
        if path.read_bytes().startswith(b"\x1f\x8b"):
            path.write_bytes(path.read_bytes() + b"more")
    done = image_world.run()
    assert done.exit_code == 3, done.explain()
    assert not layout_of(image_world).exists()
    said = done.stderr
    # The second is for a base whose layers were looked at before.
    assert "has the digest sha256:" in said or "has other bytes than its name says" in said


def test_no_images_at_the_edge(image_world: BuildWorld) -> None:
    assert "takes no container images" in refused(image_world, "--kind", "edge").stderr


def test_a_folder_of_somebody_else_is_not_touched(image_world: BuildWorld) -> None:
    image_world.write("dist/api.oci/precious", "x")
    done = image_world.run()
    assert done.exit_code == 3
    assert "is no image layout" in done.stderr
    assert (image_world.project / "dist/api.oci/precious").read_text() == "x"


def test_what_a_killed_build_left_is_finished(image_world: BuildWorld) -> None:
    image_world.build()
    wanted = files_below(layout_of(image_world))
    (layout_of(image_world) / "index.json").unlink()
    for path in (layout_of(image_world) / "blobs/sha256").iterdir():
        path.unlink()
    image_world.build()
    assert files_below(layout_of(image_world)) == wanted


# What is remembered of the layers decides nothing but how long a build takes.


def test_remembered_layers_make_the_same_image(image_world: BuildWorld) -> None:
    image_world.build()
    image_world.write("app.py", "import alpha\n\nhandler = print\n")
    image_world.build()
    wanted = files_below(image_world.project / "dist")
    shutil.rmtree(image_world.project / "dist")
    shutil.rmtree(image_world.lpack.store / "v1/image-layers")
    image_world.build()
    assert files_below(image_world.project / "dist") == wanted


def test_a_file_that_collides_later_is_refused(image_world: BuildWorld) -> None:
    image_world.build()
    text = (image_world.project / "pyproject.toml").read_text()
    image_world.write("pyproject.toml", text.replace('"pkg"]', '"pkg", "alpha"]'))
    image_world.write("alpha/__init__.py", "VALUE = 0\n")
    done = image_world.run()
    assert done.exit_code == 3
    assert "your code" in done.stderr
    assert "`alpha/__init__.py`" in done.stderr


# Damage is found, and healed where it can be.


def test_damage_in_the_store_is_healed(lone_world: BuildWorld) -> None:
    write_aws_like_base(lone_world.project / "base")
    configured(lone_world, 'base = "./base"').build()
    first = lone_world.manifest["artifact"]["sha256"]
    for path in (lone_world.lpack.store / "v1/blobs").rglob("*.gz"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    for path in (layout_of(lone_world) / "blobs/sha256").iterdir():
        path.unlink()
    done = lone_world.build()
    assert "made again" in done.stderr
    assert lone_world.manifest["artifact"]["sha256"] == first
    documents(layout_of(lone_world))


def test_damage_that_looks_like_a_collision_blames_nobody(lone_world: BuildWorld) -> None:
    write_aws_like_base(lone_world.project / "base")
    configured(lone_world, 'base = "./base"').build()
    first = lone_world.manifest["artifact"]["sha256"]
    list_wrongly(
        lone_world.lpack.store / "v1", member="alpha/__init__.py", name="gamma/__init__.py"
    )
    shutil.rmtree(lone_world.project / "dist")
    # What is remembered of the layers would do without a look at the payloads.
    shutil.rmtree(lone_world.lpack.store / "v1/image-layers")
    done = lone_world.build()
    assert "made again" in done.stderr
    assert lone_world.manifest["artifact"]["sha256"] == first


@pytest.mark.parametrize("what", ["blob", "config", "manifest", "claim"])
def test_verify_finds_changes(image_world: BuildWorld, what: str) -> None:
    image_world.build()
    manifest = image_world.manifest
    blobs = layout_of(image_world) / "blobs/sha256"
    if what == "claim":
        manifest["code"]["files"][0][3] ^= 1
        image_world.manifest_path.write_text(json.dumps(manifest))
    else:
        digests = {
            "blob": own_digests(image_world)[-1][7:],
            "config": manifest["image"]["config_digest"][7:],
            "manifest": manifest["artifact"]["sha256"],
        }
        path = blobs / digests[what]
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = image_world.lpack.run("verify", "--no-import", cwd=image_world.project)
    assert done.exit_code in (1, 3), done.explain()
    assert "Traceback" not in done.stderr
    assert "FAIL" in done.stdout or "error:" in done.stderr


# To Debian's registry, and from there.


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with debian_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def with_login(world: BuildWorld, registry: DebianRegistry) -> BuildWorld:
    """Write the configuration that `docker login` would write."""
    import base64  # noqa: PLC0415 -- only here

    folder = world.lpack.home / ".docker"
    folder.mkdir(parents=True, exist_ok=True)
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": pair}}}))
    return world


def publish(world: BuildWorld, reference: str, *arguments: str) -> Finished:
    return world.lpack.run("publish", "image", "api", reference, *arguments, cwd=world.project)


def test_to_a_registry_and_back(
    image_world: BuildWorld, registry: DebianRegistry, tmp_path: Path
) -> None:
    with_login(image_world, registry)
    image_world.build()
    reference = f"{registry.host}/team/api:1"
    dry = publish(image_world, reference, "--dry-run")
    assert dry.exit_code == 0, dry.explain()
    assert "would be uploaded" in dry.stdout
    assert registry.sent_blobs() == []
    done = publish(image_world, reference)
    assert done.exit_code == 0, done.explain()
    digest = f"sha256:{image_world.manifest['artifact']['sha256']}"
    assert done.stdout.splitlines()[-1] == f"{reference}@{digest}"
    first = registry.sent_blobs()
    blobs = image_world.manifest["image"]["blobs"]
    assert sorted(first) == sorted(
        [*(b["digest"] for b in blobs), image_world.manifest["image"]["config_digest"]]
    )
    login = f"{USER}:{PASSWORD}"
    skopeo("copy", "--src-tls-verify=false", f"--src-creds={login}", f"docker://{reference}",
           f"oci:{tmp_path / 'back'}:latest")  # fmt: skip
    assert documents(tmp_path / "back") == documents(layout_of(image_world))

    image_world.write("app.py", "def handler(event, context):\n    return 3\n")
    image_world.build()
    again = publish(image_world, reference, "--output-format", "json")
    assert again.exit_code == 0, again.explain()
    sent = registry.sent_blobs()[len(first) :]
    told = image_world.manifest["image"]
    assert sorted(sent) == sorted([told["blobs"][-1]["digest"], told["config_digest"]])
    document = json.loads(again.stdout)
    uploaded = {b["digest"] for b in document["blobs"] if b["outcome"] == "uploaded"}
    assert uploaded == set(sent)


def test_a_base_from_a_registry(
    image_world: BuildWorld, registry: DebianRegistry, tmp_path: Path
) -> None:
    with_login(image_world, registry)
    login, base = f"{USER}:{PASSWORD}", f"{registry.host}/team/base:1"
    skopeo("copy", "--dest-tls-verify=false", f"--dest-creds={login}",
           f"oci:{image_world.project / 'base'}", f"docker://{base}")  # fmt: skip
    image_world.build()
    from_layout = image_world.manifest["image"]["blobs"]
    configured(image_world, f'base = "{base}"').build()
    told = image_world.manifest["image"]
    assert told["base"]["kind"] == "registry"
    assert told["base"]["reference"] == base
    assert told["blobs"] == from_layout
    # The tag moves; the digest stays until --upgrade, without asking anybody.
    newer = write_aws_like_base(tmp_path / "newer", label="newer")
    skopeo("copy", "--dest-tls-verify=false", f"--dest-creds={login}", f"oci:{newer}",
           f"docker://{base}")  # fmt: skip
    asked = len(registry.requests())
    image_world.build("--offline")
    assert len(registry.requests()) == asked
    assert image_world.manifest["image"]["base"]["digest"] == told["base"]["digest"]
    # Another machine has the manifest only: it asks for the pinned digest, not for the tag.
    lone = BuildWorld(
        project=image_world.project,
        index_url=image_world.index_url,
        lpack=LpackRunner(home=tmp_path / "other-home"),
    )
    with_login(lone, registry).build()
    assert lone.manifest["image"]["base"]["digest"] == told["base"]["digest"]
    lone.build("--upgrade")
    assert lone.manifest["image"]["base"]["digest"] != told["base"]["digest"]
    assert documents(layout_of(lone))[1]["config"]["Labels"] == {"maker": "newer"}
    image_world.build()
    # Blobs of the base are mounted from its repository.
    done = publish(image_world, f"{registry.host}/other/api:1")
    assert done.exit_code == 0, done.explain()
    assert "2 blobs mounted" in done.stdout


def test_failures_to_publish(image_world: BuildWorld, registry: DebianRegistry) -> None:
    with_login(image_world, registry)
    image_world.build()
    reference = f"{registry.host}/team/api:1"
    for arguments, said in (
        ([reference.replace("api:1", "api@sha256:" + "0" * 64)], "names a digest"),
        (["127.0.0.1:9/team/api:1"], "Connection refused"),
    ):
        done = publish(image_world, *arguments)
        assert done.exit_code == 4, done.explain()
        assert said in done.stderr
        assert "hint:" in done.stderr
    (image_world.lpack.home / ".docker/config.json").unlink()
    done = publish(image_world, reference)
    assert done.exit_code == 4
    assert "wants credentials, and there are none" in done.stderr
    index = layout_of(image_world) / "index.json"
    index.write_text(index.read_text().replace("sha256:", "sha256:0", 1))
    assert publish(image_world, reference).exit_code == 4
