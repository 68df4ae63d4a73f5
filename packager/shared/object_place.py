"""A shared store in S3, Google Cloud Storage or Azure, through obstore (extra `shared`).

Credentials come from where each provider's own tools look: environment, metadata service, and
for AWS the profiles and sign-ons that boto3 knows when it is installed.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from packager.model.shared_store import FailedError, NoPlaceError, Patience
from packager.shared.outgoing import Outgoing

_CHUNK_BYTES: Final = 1 << 20
_PART_BYTES: Final = 8 << 20
_PUT_SECONDS: Final = 60


class ObjectPlace:
    """A bucket and prefix; may be used by several threads."""

    def __init__(self, url: str, patience: Patience) -> None:
        """Find credentials; raises NoPlaceError when obstore is absent or refuses the URL."""
        try:
            from obstore import exceptions, store  # noqa: PLC0415 -- an extra
        except ImportError:
            raise NoPlaceError(
                'obstore is not installed (python -m pip install -e "path/to/lpack[shared]")'
            ) from None
        self._errors = exceptions
        options: dict[str, Any] = {
            "connect_timeout": timedelta(seconds=patience.connect),
            "timeout": timedelta(seconds=_PUT_SECONDS),
            "read_timeout": timedelta(seconds=patience.silence),
        }
        more: dict[str, Any] = {}
        if url.startswith("s3:"):
            more = _of_aws()
            options["allow_http"] = (more.get("endpoint") or "").startswith("http:")
        try:
            self._store = store.from_url(  # type: ignore[call-overload]  # options built in steps
                url,
                client_options=options,
                retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=10)},
                **more,
            )
        except Exception as error:  # noqa: BLE001 -- obstore raises its own and ValueError
            raise NoPlaceError(f"it cannot be opened ({type(error).__name__})") from None

    def read(self, path: str) -> Iterator[bytes] | None:
        """Give the chunks of a value, None when there is none; raises FailedError, later too."""
        try:
            found = self._store.get(path)
        except (FileNotFoundError, self._errors.NotFoundError):
            return None
        except Exception as error:  # noqa: BLE001 -- its texts hold URLs and answers of servers
            raise self._failed(error) from None
        return self._chunks(found)

    def has(self, path: str) -> bool:
        """Tell whether a value is there; raises FailedError."""
        try:
            self._store.head(path)
        except (FileNotFoundError, self._errors.NotFoundError):
            return False
        except Exception as error:  # noqa: BLE001 -- as above
            raise self._failed(error) from None
        return True

    def write(self, path: str, value: Outgoing) -> None:
        """Put a value; raises FailedError."""
        try:
            self._store.put(
                path, value, use_multipart=len(value) > _PART_BYTES, chunk_size=_PART_BYTES
            )
        except Exception as error:  # noqa: BLE001 -- as above
            raise self._failed(error) from None

    def _chunks(self, found: Any) -> Iterator[bytes]:  # noqa: ANN401 -- of an extra
        try:
            for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)
        except Exception as error:  # noqa: BLE001 -- as above
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> FailedError:
        """Say what kind of failure it was."""
        errors = self._errors
        refused = (errors.PermissionDeniedError, errors.UnauthenticatedError)
        if isinstance(error, refused):
            return FailedError("access is denied", final=True)
        if isinstance(error, OSError) and error.strerror:
            return FailedError(error.strerror)
        return FailedError(f"the request fails ({type(error).__name__})")


def _of_aws() -> dict[str, Any]:
    """Return what obstore does not find by itself: an endpoint, and what boto3 finds."""
    environment = os.environ
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    found: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    if "AWS_ACCESS_KEY_ID" not in environment:
        try:
            import boto3  # noqa: PLC0415 -- another extra
            from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 -- likewise
        except ImportError:
            return found
        session = boto3.Session()
        if session.get_credentials() is not None:
            found["credential_provider"] = Boto3CredentialProvider(session)
    return found
