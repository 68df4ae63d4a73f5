"""What a statement of provenance tells of the settings, and what it keeps to itself."""

import json
from pathlib import Path

from support.functions import make_function

from packager.inputs.setting_table import SETTINGS
from packager.inputs.shown_settings import shown_settings
from packager.model.image_settings import ImageSettings
from packager.model.layer import LayerReference, OwnLayer


def test_only_what_differs_is_told_and_places_are_those_of_the_project(tmp_path: Path) -> None:
    function = make_function(
        tmp_path,
        sources=(tmp_path / "src",),
        requirements=(str(tmp_path / "requirements.txt"), "/elsewhere/more.txt", "project"),
        layers=(OwnLayer("heavy"), LayerReference("theirs", Path("/elsewhere/theirs.zip"))),
        subtract=(("boto3", "never"),),
        bytecode=1 << 20,
        index_url="https://me:secret@index.example/simple",
        image=ImageSettings(command=("app.handler",), environment=(("TOKEN", "secret"),)),
    )
    shown = json.loads(json.dumps(shown_settings(function)))
    assert shown["source"] == ["src"]
    assert shown["requirements"] == ["requirements.txt", "more.txt", "project"]
    assert shown["layers"] == ["heavy", "theirs"]
    assert shown["subtract"] == [["boto3", "never"]]
    assert shown["bytecode"] == 1 << 20
    assert shown["image"]["environment"] == ["TOKEN"]
    assert "release" not in shown
    assert "secret" not in json.dumps(shown)
    assert str(tmp_path) not in json.dumps(shown)
    assert shown.keys() <= {setting.key for setting in SETTINGS}
