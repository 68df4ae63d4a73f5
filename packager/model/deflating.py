"""Raw deflate streams with one pinned encoder, so that equal input gives equal bytes anywhere.

zlib, zlib-ng and others write different bytes at one level, and which of them Python links
against differs by machine; libdeflate comes with its own wheel. Its whole-buffer interface would
need memory of the file's size twice, so very large files go through zlib as a stream; which
encoder was used is part of the manifest.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zlib import _Decompress

STREAM_ABOVE_BYTES = 32 * 1024 * 1024
_LEVEL = 9
_PIECE_BYTES = 1 << 20


def encoder() -> str:
    """Name the encoder and its version, for manifests and store keys."""
    from deflate import __version__  # noqa: PLC0415 -- only loaded when something is deflated

    return f"libdeflate of deflate {__version__}, level {_LEVEL}"


def encoder_file() -> str:
    """Return a file that is another one when the encoder is another version."""
    import deflate  # noqa: PLC0415 -- only loaded when something is deflated

    return str(deflate.__file__)


def large_encoder() -> str:
    """Name the encoder of files above `STREAM_ABOVE_BYTES`."""
    return f"zlib {zlib.ZLIB_RUNTIME_VERSION}, level {_LEVEL}"


def deflated(data: bytes | bytearray | memoryview, level: int = _LEVEL) -> bytes | bytearray:
    """Return the raw deflate stream of `data` (RFC 1951); `level` is 1 to 12."""
    from deflate import deflate_compress  # noqa: PLC0415 -- only loaded when something is deflated

    stream: bytearray = deflate_compress(data, level)
    return stream


def deflated_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the raw deflate stream of a file too large for one buffer."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()


def inflated_pieces(inflater: "_Decompress", stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what `inflater` makes of `stream`, at most 1 MiB at a time; raises zlib.error.

    Whether the stream ended where it should, the inflater tells afterwards.
    """
    for chunk in stream:
        data = inflater.decompress(chunk, _PIECE_BYTES)
        while data:
            yield data
            data = inflater.decompress(inflater.unconsumed_tail, _PIECE_BYTES)
