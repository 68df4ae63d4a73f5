"""Versions of a Lambda layer: a new one only when its content changed."""

from collections.abc import Mapping
from typing import Any

from packager.aws.functions import CodeSource
from packager.errors import CannotPublish


def latest_version(client: Any, name: str) -> Mapping[str, Any] | None:  # noqa: ANN401 -- boto3 has no types
    """Return the newest version of the layer as GetLayerVersion tells it; None without any.

    Raises botocore's errors.
    """
    # The newest comes first (Lambda API reference, ListLayerVersions), on the first page.
    listed = client.list_layer_versions(LayerName=name).get("LayerVersions", [])
    if not listed:
        return None
    newest = max(int(each["Version"]) for each in listed)
    answer: Mapping[str, Any] = client.get_layer_version(LayerName=name, VersionNumber=newest)
    return answer


def publish_version(
    client: Any,  # noqa: ANN401 -- as above
    name: str,
    source: CodeSource,
    *,
    runtime: str,
    architecture: str,
    code_sha256: str,
) -> Mapping[str, Any]:
    """Publish a new version and return AWS's answer.

    Raises CannotPublish when AWS has other bytes than were built, and botocore's errors.
    """
    answer: Mapping[str, Any] = client.publish_layer_version(
        LayerName=name,
        Content=source.for_function(),
        CompatibleRuntimes=[runtime],
        CompatibleArchitectures=[architecture],
    )
    if answer["Content"]["CodeSha256"] != code_sha256:
        raise CannotPublish(
            f"the layer `{name}` has other content than was built: CodeSha256 "
            f"{answer['Content']['CodeSha256']}, not {code_sha256}",
            hint=f"aws lambda delete-layer-version --layer-name {name} --version-number "
            f"{answer['Version']}, then the same command again",
        )
    return answer
