"""What an artifact has to do with an error line, where its distributions lie elsewhere."""

from typing import Any

import pytest
from support.bundles import system_of

from packager.explain.known_errors import recognize
from packager.verify.error_causes import ArtifactFacts, find_causes


def _facts(*distributions: dict[str, Any], files: tuple[str, ...] = ("app.py",)) -> ArtifactFacts:
    return ArtifactFacts(
        name="dist/api.zip",
        manifest={
            "function": {"handler": "app.handler"},
            "artifact": {"code_sha256": "AAAA", "compressed_bytes": 5},
            "distributions": distributions,
        },
        files=files,
        system=system_of("python3.13/x86_64"),
        owners={},
    )


def _distribution(name: str, placement: str | None, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "subtracted": True, "files": [], "dropped": []} | {
        "placement": placement,
        **more,
    }


@pytest.mark.parametrize(
    ("placement", "said"),
    [
        ("layer:deps", "numpy 1.0 is in the layer `deps`, which the function needs"),
        ("offload", "numpy 1.0 is unpacked to /tmp on first use"),
        (None, "`numpy.linalg` was left to the runtime (numpy 1.0), which does not have it"),
    ],
)
def test_a_module_that_lies_elsewhere(placement: str | None, said: str) -> None:
    (error,) = recognize("No module named 'numpy.linalg'")
    (cause,) = find_causes(error, _facts(_distribution("numpy", placement)))
    assert said in cause.message


def test_a_module_that_the_zip_has_is_not_missing() -> None:
    (error,) = recognize("No module named 'app'")
    (cause,) = find_causes(error, _facts(_distribution("numpy", "layer:deps")))
    assert "what is deployed is another artifact" in cause.message


def test_an_error_that_no_file_causes_has_no_cause() -> None:
    (error,) = recognize("Unable to locate credentials")
    assert find_causes(error, _facts()) == []
