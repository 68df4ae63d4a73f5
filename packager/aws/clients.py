"""Clients of AWS's services; boto3 is loaded when the first one is opened."""

from typing import Any, NamedTuple

from packager import __version__
from packager.errors import CannotPublish


class Account(NamedTuple):
    """Which account and region to speak to; None leaves the choice to AWS's own configuration."""

    region: str | None = None
    profile: str | None = None


def open_client(service: str, account: Account) -> Any:  # noqa: ANN401 -- boto3 has no types
    """Return the client of `service`, such as `s3` or `lambda`.

    Credentials, region, retries and endpoints are found as the AWS CLI finds them, environment
    variables and `~/.aws` included. Raises CannotPublish without boto3, and whatever botocore
    raises for a configuration it cannot use.
    """
    try:
        import boto3  # noqa: PLC0415 -- an extra, and slow to load
        from botocore.config import Config  # noqa: PLC0415 -- likewise
    except ImportError as error:
        raise CannotPublish(
            "publishing to AWS needs boto3, which is not installed here",
            hint='python -m pip install -e "path/to/lpack[aws]"',
        ) from error
    session = boto3.Session(region_name=account.region, profile_name=account.profile)
    config = Config(user_agent_extra=f"lpack/{__version__}")
    return session.client(service, config=config)


def is_aws_error(error: Exception) -> bool:
    """Tell whether `error` is botocore's: an answer of AWS, or that there was none."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- as above

    return isinstance(error, BotoCoreError | ClientError)


def error_code(error: Exception) -> str:
    """Return AWS's code of the answer that `error` stands for, such as `NoSuchKey`; else empty."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
