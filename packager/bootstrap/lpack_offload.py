"""Brings what `offload` names to /tmp when it is first imported. Runs inside Lambda.

One file, standard library only, Python 3.9 to 3.14. `.lpack/offload.json` beside it lists groups of
distributions that belong together; their archives lie in `.lpack/offload` or in an S3 bucket.

A group is unpacked when one of its modules is first imported; under SnapStart and provisioned
concurrency at once, so that a snapshot holds it and no invocation waits. Files go to a folder of
this process, which gets its final name when it is whole: nobody imports from what a killed process
left. What is unpacked are the very bytes whose sha256 was right, never a file opened again.
`import lpack_offload` is all there is to do; a build does it by itself, before the handler.
"""

from __future__ import annotations

import _thread
import errno
import os
import sys
import time
from importlib import machinery
from importlib.util import spec_from_file_location as _spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Members = Iterator[tuple[str, int, Iterator[bytes]]]

_TASK = os.path.dirname(os.path.abspath(__file__))
_LPACK = os.path.join(_TASK, ".lpack")
_PLACE = os.path.join(os.environ.get("TMPDIR") or "/tmp", "lpack")  # noqa: S108 -- all there is
_LOCK_SECONDS, _CHUNK_BYTES = 20.0, 1 << 20

# S3 advises ranges of 8 to 16 MB over several connections (Performance Guidelines, byte-range
# fetches). Init has 10 s, after which Lambda tries once more within the function's own timeout.
_PART_BYTES, _CONNECTIONS = 8 << 20, 8
_S3_SECONDS, _ANSWER_SECONDS = 30.0, 5.0


class OffloadError(OSError):
    """Why something cannot come to /tmp. ImportError would mean absent to tolerant code."""


class _Group:
    """Distributions that are unpacked into one folder, and when they are."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known
        self.title = ", ".join(f"{each['name']} {each['version']}" for each in known["archives"])
        self.folder = os.path.join(_PLACE, known["key"])
        self.lock, self.shown = _thread.RLock(), False

    def bring(self) -> None:
        """Unpack the folder and put it on `sys.path`, if need be."""
        with self.lock:
            if not self.shown:
                try:
                    self._bring()
                except OSError as error:
                    text = f"cannot unpack {self.title}: {self._why(error)}"
                    os.write(2, f"lpack: {text}\n".encode())
                    raise OffloadError(error.errno, text) from error
                # Right behind the task folder, before what the runtime has itself.
                sys.path.insert(sys.path.index(_TASK) + 1 if _TASK in sys.path else 0, self.folder)
                self.shown = True
                # What the import system noted about folders before they were there.
                for place in [p for p, finder in sys.path_importer_cache.items() if finder is None]:
                    del sys.path_importer_cache[place]
                if self.known["pth"]:
                    import site

                    site.addsitedir(self.folder)

    def _why(self, error: OSError) -> str:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return f"{error.strerror or error} {error.filename or ''}".rstrip()
        needed, free = (f"{n / 1048576:.1f} MiB" for n in (self.known["disk_bytes"], _free_bytes()))
        return f"it needs {needed} in {_PLACE}, and {free} are free; raise the ephemeral storage"

    def _bring(self) -> None:
        os.makedirs(_PLACE, 0o700, exist_ok=True)
        place = os.lstat(_PLACE)
        if os.path.islink(_PLACE) or place.st_uid != os.getuid() or place.st_mode & 0o022:
            raise OSError(errno.EPERM, f"{_PLACE} is not a folder of this function alone")
        if os.path.isdir(self.folder):
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(self.folder + ".lock", flags, 0o600)
        try:
            # Without the lock, after a while, two unpack the same and the first rename wins.
            _lock(lock)
            if not os.path.isdir(self.folder):
                _sweep()
                if _free_bytes() < self.known["disk_bytes"]:
                    raise OSError(errno.ENOSPC, "no space")
                self._unpack(f"{self.known['key']}.{os.getpid()}.{os.urandom(4).hex()}")
        finally:
            os.close(lock)

    def _unpack(self, name: str) -> None:
        """Unpack into a folder of this process and give it the final name."""
        import hashlib
        import shutil

        temporary = os.path.join(_PLACE, name)
        _writing.add(name)
        try:
            os.mkdir(temporary, 0o700)
            for known in self.known["archives"]:
                with _contents(known) as data:
                    if hashlib.sha256(data).hexdigest() != known["sha256"]:
                        raise OSError(errno.EIO, f"{known['archive']} is not what was built")
                    _write_files(_members(data, known["codec"]), temporary)
            try:
                os.rename(temporary, self.folder)
            except OSError:
                # Somebody without the lock was faster; the contents are the same.
                if not os.path.isdir(self.folder):
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            _writing.discard(name)


_groups: list[_Group] = []
_modules: dict[str, tuple[_Group, str]] = {}
_spaces: dict[str, list[_Group]] = {}
_writing: set[str] = set()


class _Finder:
    """Says where modules will be. Nothing is unpacked here: Python's import lock is held."""

    @staticmethod
    def find_spec(name: str, path: Any = None, _: Any = None) -> machinery.ModuleSpec | None:
        """Answer `import`, before the search of `sys.path`."""
        if name in _modules:
            group, file = _modules[name]
            place = os.path.join(group.folder, file)
            loader = _LOADERS[file.rpartition(".")[2]](name, place)
            loader.group = group
            places = [os.path.dirname(place)] if "/__init__." in file else None
            return _spec(name, place, loader=loader, submodule_search_locations=places)
        if name not in _spaces or machinery.PathFinder.find_spec(name, path) is not None:
            return None
        space = machinery.ModuleSpec(name, None, is_package=True)
        inner = name.replace(".", "/")
        space.submodule_search_locations = [f"{group.folder}/{inner}" for group in _spaces[name]]
        return space


def _bringing(kind: Any) -> Any:
    """Return the loader `kind`, which brings the module's group before it loads."""

    class _Loader(kind):  # type: ignore[misc]
        def create_module(self, spec: machinery.ModuleSpec) -> Any:
            self.group.bring()
            return super().create_module(spec)

    return _Loader


_LOADERS = {
    "so": _bringing(machinery.ExtensionFileLoader),
    "py": _bringing(machinery.SourceFileLoader),
    "pyc": _bringing(machinery.SourcelessFileLoader),
}


def _lock(descriptor: int) -> None:
    """Wait until no other process unpacks the same, but not for ever."""
    import fcntl

    end = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < end:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
    return None


def _sweep() -> None:
    """Remove the unfinished folders of processes that are gone."""
    import shutil

    for name in os.listdir(_PLACE):
        process = name.partition(".")[2].partition(".")[0]
        mine = process == str(os.getpid()) and name not in _writing
        if process.isdigit() and (mine or not os.path.exists(f"/proc/{process}")):
            shutil.rmtree(os.path.join(_PLACE, name), ignore_errors=True)


def _free_bytes() -> int:
    space = os.statvfs(_PLACE)
    return space.f_bavail * space.f_frsize


def _contents(known: dict[str, Any]) -> Any:
    """Return the archive's bytes in memory that no file stands behind."""
    import mmap

    data = mmap.mmap(-1, known["compressed_bytes"])
    if known["bucket"]:
        return _fetched(known, data)
    with open(os.path.join(_LPACK, "offload", known["archive"]), "rb") as file:
        file.readinto(data)
    return data


def _members(data: Any, codec: str) -> Members:
    """Yield name, mode and contents, as an iterator of chunks, of each file of the archive."""
    if codec == "deflate":
        yield from _zip_members(data)
        return
    import tarfile
    from functools import partial

    plain: Any
    if codec == "xz":
        import lzma

        plain = lzma.LZMAFile(data)  # noqa: SIM115 -- below
    else:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore] # from 3.14 on

        plain = zstd.ZstdFile(data)
    with plain, tarfile.open(fileobj=plain, mode="r|") as members:
        for member in members:
            read: Any = members.extractfile(member)
            yield member.name, member.mode, iter(partial(read.read, _CHUNK_BYTES), b"")


def _zip_members(data: Any) -> Members:
    """Read a zip as lpack writes it (no comment, no extra fields, no zip64); APPNOTE 6.3.10."""
    import zlib
    from struct import unpack_from

    entries, _, place = unpack_from("<HII", data, len(data) - 12)
    for _ in range(entries):
        method, packed, length, mode, start = unpack_from("<10xH8xI4xH10xHI", data, place)
        place, start = place + 46 + length, start + 30 + length
        name = data[place - length : place].decode()
        inflate = zlib.decompressobj(-15).decompress if method else bytes
        ends = range(start, start + packed, _CHUNK_BYTES)
        yield name, mode, (inflate(data[i : min(i + _CHUNK_BYTES, start + packed)]) for i in ends)


def _write_files(members: Members, folder: str) -> None:
    for name, mode, chunks in members:
        path = f"{folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path, flags, mode & 0o777), "wb", buffering=0) as file:
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[file.write(view) :]


def _fetched(known: dict[str, Any], data: Any) -> Any:
    """Fill `data` with the object, several ranges at once."""
    from concurrent.futures import ThreadPoolExecutor

    def fetch(start: int) -> None:
        end = min(start + _PART_BYTES, len(data))
        data[start:end] = wanted.part(start, end)

    try:
        wanted = _Object(known)
        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            list(threads.map(fetch, range(0, len(data), _PART_BYTES)))
    except (OSError, ValueError, KeyError) as error:
        where = f"{known['bucket']}/{known['key']}"
        raise OSError(errno.EIO, f"cannot fetch s3://{where}: {error}") from error
    return data


class _Object:
    """One version of an object in S3: where it is asked for, and with which signature.

    Signature Version 4 is thirty lines; importing the runtime's boto3 and making a client takes
    longer than many an archive. Nobody is asked but the one host, and no redirect is followed.
    """

    def __init__(self, known: dict[str, Any]) -> None:
        from http import client
        from urllib.parse import quote, urlsplit

        self.client = client
        self.region = os.environ.get("AWS_REGION", "us-east-1")
        bucket, path = known["bucket"], quote("/" + known["key"], safe="/-_.~")
        named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        in_host = not named and "." not in bucket
        service = f"s3.{self.region}.amazonaws.com{'.cn' if self.region[:3] == 'cn-' else ''}"
        url = urlsplit(named or f"https://{bucket + '.' if in_host else ''}{service}")
        self.tls, self.host = url.scheme == "https", url.netloc
        self.path = path if in_host else f"{url.path.rstrip('/')}/{bucket}{path}"
        version = known["object_version"]
        self.query = f"versionId={quote(version, safe='-_.~')}" if version else ""
        self.secrets = _credentials()
        self.deadline = time.monotonic() + _S3_SECONDS

    def part(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to before `end`; ValueError when asking again is vain."""
        pause = 0.05
        while True:
            try:
                return self._ask(start, end)
            except (OSError, self.client.HTTPException) as error:
                if time.monotonic() + pause > self.deadline:
                    text = getattr(error, "strerror", "") or str(error) or type(error).__name__
                    raise ValueError(f"not within {_S3_SECONDS:.0f} s: {text}") from error
            time.sleep(pause)
            pause *= 2

    def _ask(self, start: int, end: int) -> bytes:
        kind = self.client.HTTPSConnection if self.tls else self.client.HTTPConnection
        connection = kind(self.host, timeout=_ANSWER_SECONDS)
        headers = {**self._signed(), "range": f"bytes={start}-{end - 1}"}
        connection.request("GET", f"{self.path}?{self.query}".rstrip("?"), headers=headers)
        answer = connection.getresponse()
        status, body = answer.status, answer.read(end - start + 1)
        if status == 206 and len(body) == end - start:
            return body
        code = body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode("utf-8", "replace")
        text = f"S3 answered {status} {code or answer.reason}"
        if status in (206, 429) or status >= 500 or code == "RequestTimeout":
            raise OSError(errno.EIO, text)
        raise ValueError(text)

    def _signed(self) -> dict[str, str]:
        """Return the headers that sign a GET (AWS IAM User Guide, create-signed-request)."""
        import hashlib
        import hmac

        access, secret, token = self.secrets
        now, unsigned = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), "UNSIGNED-PAYLOAD"
        headers = {"host": self.host, "x-amz-content-sha256": unsigned, "x-amz-date": now}
        if token:
            headers["x-amz-security-token"] = token
        lines, names = [f"{name}:{headers[name]}" for name in headers], ";".join(headers)
        asked = "\n".join(["GET", self.path, self.query, *lines, "", names, unsigned])
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        signed = ("AWS4" + secret).encode()
        for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"):
            signed = hmac.new(signed, part.encode(), "sha256").digest()
        claim = f"Credential={access}/{scope}, SignedHeaders={names}, Signature={signed.hex()}"
        return {**headers, "authorization": f"AWS4-HMAC-SHA256 {claim}"}


def _credentials() -> tuple[str, str, str | None]:
    """Return the function's own; under SnapStart they come from an address on the machine."""
    values = os.environ
    if "AWS_ACCESS_KEY_ID" in values:
        token = values.get("AWS_SESSION_TOKEN")
        return values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"], token
    if "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in values:
        raise ValueError("there are no AWS credentials in the environment")
    import json
    from http.client import HTTPConnection

    host, _, path = values["AWS_CONTAINER_CREDENTIALS_FULL_URI"].partition("://")[2].partition("/")
    connection = HTTPConnection(host, timeout=_ANSWER_SECONDS)
    headers = {"authorization": values.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")}
    connection.request("GET", f"/{path}", headers=headers)
    known = json.load(connection.getresponse())
    return known["AccessKeyId"], known["SecretAccessKey"], known.get("Token")


def install() -> None:
    """Begin to bring what is imported; a second time it does nothing."""
    index = os.path.join(_LPACK, "offload.json")
    if _Finder in sys.meta_path or not os.path.isfile(index):
        return
    import json

    with open(index, encoding="utf-8") as file:
        _groups.extend(map(_Group, json.load(file)["groups"]))
    for group in _groups:
        for file in group.known["modules"]:
            name = file.partition(".")[0].replace("/", ".").removesuffix(".__init__")
            _modules[name] = group, file
        for name in group.known["spaces"]:
            _spaces.setdefault(name, []).append(group)
    sys.meta_path.insert(sys.meta_path.index(machinery.PathFinder), _Finder)
    # A lock that another thread held when this process was forked would stay locked.
    os.register_at_fork(after_in_child=lambda: [g.lock._at_fork_reinit() for g in _groups])  # type: ignore[attr-defined]  # noqa: SLF001 -- as threading does
    # The task folder is read-only, so nothing is lost; in /tmp it would take space and time.
    sys.dont_write_bytecode = True
    started = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
    at_once = started in ("snap-start", "provisioned-concurrency")
    for group in _groups:
        if at_once or group.known["pth"]:
            group.bring()


install()
