"""What goes into which layer, on values alone."""

import pytest

from packager.errors import CannotBuild, UsageError
from packager.model.layer import OwnLayer
from packager.model.offload import Offloaded
from packager.model.payload import Dependencies, Distribution, Payload, RequiredBy, TargetFacts
from packager.place.layers import LayerUser, Placement, place

TARGET = TargetFacts("python3.13", "x86_64", "lambda", "3.13", "AL2023", "2.34", "active", ())
GRAPH = {"web": ("http", "log"), "http": ("log",), "numbers": (), "log": ()}
"""What each distribution requires; all are required by the project too, but for `log`."""


def distribution(
    name: str,
    *,
    version: str = "1.0",
    key: str | None = None,
    subtracted: bool = False,
    offloaded: Offloaded | None = None,
) -> Distribution:
    size = len(name)
    payload = Payload(key or f"{name}-{version}", "0" * 64, size, size, 1, size, size)
    parents = [parent for parent, needs in GRAPH.items() if name in needs]
    edges = tuple(RequiredBy(parent, f"{name}>=1", parent) for parent in parents)
    if name != "log":
        edges += (RequiredBy("", name, "pyproject.toml"),)
    wheel = f"{name}-{version}-py3-none-any.whl"
    return Distribution(
        name, version, wheel, version * 8, payload, edges, subtracted, offloaded=offloaded
    )


def user(name: str, layers: list[OwnLayer], *held: Distribution) -> LayerUser:
    distributions = held or tuple(map(distribution, sorted(GRAPH)))
    return LayerUser(
        name,
        tuple(layers),
        Dependencies(TARGET, tuple(distributions), (), (), "2026-01-01", "source", "uv"),
    )


def held_by(placement: Placement) -> dict[str, list[str]]:
    return {
        name: [each.name for each in filled.distributions]
        for name, filled in placement.layers.items()
    }


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param({"all": "*"}, {"all": "http log numbers web"}, id="everything"),
        pytest.param({"net": "http"}, {"net": "http log"}, id="what is required comes along"),
        pytest.param(
            {"all": "*", "net": "http"},
            {"all": "numbers web", "net": "http log"},
            id="a name comes before everything",
        ),
        pytest.param(
            {"net": "web", "logs": "log"},
            {"net": "http web", "logs": "log"},
            id="a name comes before what another layer's names require",
        ),
        pytest.param(
            {"one": "http", "two": "web"},
            {"one": "http log", "two": "web"},
            id="what both require goes into the first",
        ),
        pytest.param(
            {"one": "numbers", "two": "numbers"},
            {"one": "numbers"},
            id="nothing twice, and no layer for nothing",
        ),
    ],
)
def test_one_function(layers: dict[str, str], expected: dict[str, str]) -> None:
    own = [OwnLayer(name, distributions=tuple(held.split())) for name, held in layers.items()]
    found = place([user("api", own)])
    assert held_by(found) == {name: held.split() for name, held in expected.items()}
    placed = {name: layer for layer, held in expected.items() for name in held.split()}
    assert found.placed == {"api": placed}


def test_a_layer_holds_the_union_and_each_function_what_it_needs() -> None:
    layer = OwnLayer("all", distributions=("*",))
    api = user("api", [layer], distribution("web"), distribution("http"))
    worker = user("worker", [layer], distribution("numbers"))
    found = place([api, worker])
    assert held_by(found) == {"all": ["http", "numbers", "web"]}
    assert found.placed == {
        "api": {"web": "all", "http": "all"},
        "worker": {"numbers": "all"},
    }
    assert held_by(place([worker, api])) == held_by(found)
    assert found.layers["all"].requires == {"web": ("http>=1",), "http": (), "numbers": ()}


def test_what_a_function_without_the_layer_ships_is_not_in_it() -> None:
    layer = OwnLayer("all", distributions=("*",))
    found = place([user("api", [layer], distribution("web")), user("plain", [])])
    assert held_by(found) == {"all": ["web"]}
    assert found.placed["plain"] == {}


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (distribution("http", version="2.0"), ["http 1.0 for `api`", "http 2.0 for `worker`"]),
        (distribution("http", key="other"), ["http 1.0 twice", "slim it, or compile it"]),
        (distribution("http", subtracted=True), ["`worker` leaves it out", "python3.13 has it"]),
    ],
    ids=["versions", "bytes", "runtime"],
)
def test_functions_that_disagree(theirs: Distribution, words: list[str]) -> None:
    layer = OwnLayer("net", distributions=("http",))
    users = [user("api", [layer], distribution("http")), user("worker", [layer], theirs)]
    with pytest.raises(CannotBuild) as raised:
        place(users)
    assert all(word in str(raised.value) for word in ["the layer `net`", *words])
    assert raised.value.hint


@pytest.mark.parametrize(
    ("named", "held", "words", "hint"),
    [
        ("htp", "http", "none of its functions requires (api)", "did you mean `http`?"),
        ("zebra", "http", "none of its functions requires (api)", "take it off the layer"),
    ],
)
def test_a_name_that_nobody_requires(named: str, held: str, words: str, hint: str) -> None:
    layer = OwnLayer("net", distributions=(named,))
    with pytest.raises(UsageError) as raised:
        place([user("api", [layer], distribution(held))])
    assert f"names {named}, which {words}" in str(raised.value)
    assert raised.value.hint == hint


def test_a_name_that_only_the_runtime_ships() -> None:
    layer = OwnLayer("net", distributions=("http",))
    with pytest.raises(UsageError, match="names http, which does not ship") as raised:
        place([user("api", [layer], distribution("http", subtracted=True))])
    assert raised.value.hint is not None
    assert 'subtract = { http = "never" }' in raised.value.hint


OFFLOADED = Offloaded(
    archive="numbers.zip",
    key="k",
    sha256="0" * 64,
    codec="deflate",
    entries=1,
    compressed_bytes=1,
    uncompressed_bytes=1,
    disk_bytes=4096,
    modules=("numbers/__init__.py",),
    spaces=(),
    pth=False,
    group="numbers",
)


def test_what_is_unpacked_at_start_is_in_no_layer() -> None:
    numbers = distribution("numbers", offloaded=OFFLOADED)
    everything = OwnLayer("all", distributions=("*",))
    assert held_by(place([user("api", [everything], numbers, distribution("web"))])) == {
        "all": ["web"]
    }
    naming = OwnLayer("maths", distributions=("numbers",))
    with pytest.raises(UsageError, match="`api` offloads numbers, and the layer `maths` names it"):
        place([user("api", [naming], numbers)])
