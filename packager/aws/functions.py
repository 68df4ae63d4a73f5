"""The code of an existing function: replaced when it differs, held against AWS's digest.

Creating and configuring functions stays with the user's own tool.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packager.aws.places import Place
from packager.errors import CannotPublish


class CodeSource(NamedTuple):
    """Where Lambda takes a zip from: the request itself, or an object in S3 with its version."""

    path: Path | None = None
    place: Place | None = None
    version: str | None = None

    def for_function(self) -> dict[str, Any]:
        """Return the arguments of UpdateFunctionCode; raises OSError."""
        if self.path is not None:
            return {"ZipFile": self.path.read_bytes()}
        assert self.place is not None  # noqa: S101 -- one of both is given
        version = {"S3ObjectVersion": self.version} if self.version else {}
        return {"S3Bucket": self.place.bucket, "S3Key": self.place.key, **version}


def configuration_of(client: Any, name: str) -> Mapping[str, Any]:  # noqa: ANN401 -- boto3 has no types
    """Return the function's configuration; raises botocore's errors."""
    answer: Mapping[str, Any] = client.get_function_configuration(FunctionName=name)
    return answer


def check_fits(configuration: Mapping[str, Any], *, runtime: str, architecture: str) -> None:
    """Refuse code that the function could not run; raises CannotPublish."""
    name = configuration["FunctionName"]
    if configuration.get("PackageType", "Zip") != "Zip":
        raise CannotPublish(
            f"the function `{name}` is made of an image, which never becomes a zip",
            hint="create a new function with PackageType Zip, or lpack publish image",
        )
    # What AWS leaves out is x86_64 (Lambda API reference, Architectures).
    has = configuration.get("Architectures", ["x86_64"])
    if architecture not in has:
        raise CannotPublish(
            f"the function `{name}` is for {' and '.join(has)}, the artifact for {architecture}",
            hint=f"lpack build --arch {has[0]}",
        )
    if configuration.get("Runtime") != runtime:
        raise CannotPublish(
            f"the function `{name}` runs on {configuration.get('Runtime')}, the artifact is for "
            f"{runtime}",
            hint=f"aws lambda update-function-configuration --function-name {name} "
            f"--runtime {runtime}, or lpack build --runtime {configuration.get('Runtime')}",
        )


def update_code(
    client: Any,  # noqa: ANN401 -- as above
    name: str,
    source: CodeSource,
    *,
    code_sha256: str,
) -> None:
    """Replace the code and wait until Lambda uses it.

    Raises CannotPublish when Lambda has other bytes than were built, or gives up on them; and
    botocore's errors.
    """
    answer = client.update_function_code(FunctionName=name, **source.for_function())
    _check(name, answer, code_sha256)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    settled = configuration_of(client, name)
    if settled.get("LastUpdateStatus") == "Failed":
        raise CannotPublish(
            f"Lambda could not update `{name}`: {settled.get('LastUpdateStatusReason')}",
            hint=f'lpack explain "{settled.get("LastUpdateStatusReason")}"',
        )
    _check(name, settled, code_sha256)


def _check(name: str, answer: Mapping[str, Any], code_sha256: str) -> None:
    if answer["CodeSha256"] != code_sha256:
        raise CannotPublish(
            f"the function `{name}` has other code than was built: CodeSha256 "
            f"{answer['CodeSha256']}, not {code_sha256}",
            hint="somebody else may deploy at the same time; the same command again",
        )
