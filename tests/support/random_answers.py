"""Answers of a server to one GET, drawn at random: honest, late, cut, wrong, and no HTTP at all.

Each says what it means for a client that keeps the rules, so that a test can tell not only that
nothing wrong was kept, but also that the client neither gave up too early nor went on too long.
"""

import enum
import gzip
import itertools
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from random import Random

from support.fault_server import BASIC, BODY, Request, chunk, drip, drip_headers, endless

_NAMES = ["ETag", "Via", "X-Cache", "Set-Cookie", "Link", "Date", "Server", "WWW-Authenticate",
          "Alt-Svc", "Age", "Vary", "Strict-Transport-Security", "Content-Disposition"]  # fmt: skip


class Meaning(enum.Enum):
    """What follows from an answer; OPEN where HTTP leaves it to the client, or nobody knows."""

    GOOD = "the right bytes arrive"
    PASSING = "trying again may help"
    WRONG = "other bytes arrive in full"
    FINAL = "trying again is useless"
    SLOW = "only the deadline ends it"
    OPEN = "anything but wrong bytes"


@dataclass(frozen=True)
class Answer:
    """One answer: `seconds` is about how long a client must wait for its end."""

    name: str
    meaning: Meaning
    send: Callable[[Request], None]
    seconds: float = 0.0


def junk(random: Random) -> dict[str, str]:
    """Header fields that mean nothing for a download, some of them malformed values."""
    fields = {}
    for name in random.sample(_NAMES, random.randrange(len(_NAMES))):
        length = random.choice([0, 1, 9, 60, 900, 30_000 if random.random() < 0.1 else 5])
        fields[name] = "".join(chr(random.randrange(33, 255)) for _ in range(length)).strip(
            " \x85\xa0"
        )
    return fields


def _pieces(random: Random, data: bytes) -> list[bytes]:
    cuts = sorted(
        {0, len(data), *(random.randrange(len(data) + 1) for _ in range(random.randrange(9)))}
    )
    return [data[a:b] for a, b in itertools.pairwise(cuts)]


def _chunks(random: Random, data: bytes) -> bytes:
    out = b""
    for piece in _pieces(random, data):
        size = f"{len(piece):x}"
        size = random.choice(
            [size, size.upper(), "000" + size, size + ";name=value", size + ' ;x="y"']
        )
        out += size.encode() + b"\r\n" + piece + b"\r\n"
    return out


def _last_chunk(random: Random) -> bytes:
    return random.choice([b"0\r\n\r\n", b"000\r\n\r\n", b"0\r\nX-Trailer: 1\r\nETag: a\r\n\r\n"])


def _head(fields: dict[str, str], status: str = "HTTP/1.1 200 OK") -> bytes:
    lines = [status, *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def _raw(data: bytes, *, reset: bool = False) -> Callable[[Request], None]:
    def send(r: Request) -> None:
        r.send(data)
        if reset:
            # The bytes before it shall arrive, or the reset hides them.
            time.sleep(0.02)
            r.reset()

    return send


def good(random: Random) -> Answer:
    """The right bytes, said in one of the ways that HTTP allows."""
    fields, length = junk(random), {"Content-Length": str(len(BODY))}
    chunked = {"Transfer-Encoding": random.choice(["chunked", "Chunked"])}
    label = {"Content-Encoding": random.choice(["gzip", "deflate", "br", "zstd", "what"])}
    body = _chunks(random, BODY) + _last_chunk(random)
    status = random.choice(
        ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200 Fine", "HTTP/1.1 200 N\xf6"]
    )
    ways = {
        "plain": _raw(_head(fields | length) + BODY),
        "chunked": _raw(_head(fields | chunked) + body),
        "until it closes": _raw(_head(fields) + BODY),
        "a label that is not true": _raw(_head(fields | length | label) + BODY),
        "an odd status line": _raw(_head(fields | length, status) + BODY),
        "after 100 Continue": _raw(
            b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + _head(fields | length) + BODY
        ),
        "garbage after the body": _raw(
            _head(fields | length) + BODY + b"\0HTTP/1.1 200 OK\r\n\r\n?"
        ),
        "a kept connection": _kept(_head(fields | length) + BODY),
        "garbage on a kept connection": _kept(_head(fields | length) + BODY + random.randbytes(99)),
        "in pieces": _in_pieces(_pieces(random, _head(fields | length) + BODY)),
    }
    name = random.choice(list(ways))
    return Answer(name, Meaning.GOOD, ways[name])


def _kept(data: bytes) -> Callable[[Request], None]:
    def send(r: Request) -> None:
        r.send(data)
        r.keeps = True

    return send


def _in_pieces(pieces: list[bytes]) -> Callable[[Request], None]:
    def send(r: Request) -> None:
        for piece in pieces:
            r.send(piece)
            time.sleep(0.01)

    return send


def passing(random: Random, *, silence: float) -> Answer:
    """Failures that another try may not meet; `silence` is what the client waits for a byte."""
    cut = random.choice([0, 1, random.randrange(len(BODY)), len(BODY) - 1])
    head = _head(junk(random) | {"Content-Length": str(len(BODY))})
    ways: dict[str, Callable[[Request], None]] = {
        "a status": _busy(random),
        f"cut at {cut}": _raw(head + BODY[:cut]),
        f"reset at {cut}": _raw(head + BODY[:cut], reset=True),
        "cut in the head": _raw(b"HTTP/1.1 20"[: random.randrange(12)]),
        "reset at once": Request.reset,
        "chunks that end early": _raw(
            _head({"Transfer-Encoding": "chunked"})
            + _chunks(random, BODY)[: cut - 9 if cut > 9 else 0]
        ),
        "no size of a chunk": _raw(
            _head({"Transfer-Encoding": "chunked"}) + chunk(BODY[:7]) + b"zz\r\n" + BODY
        ),
        "no HTTP": _raw(b"\x16\x03\x01" + random.randbytes(60).replace(b"\n", b"") + b"\r\n"),
    }
    if random.random() < 0.15:
        return Answer(f"silence after {cut}", Meaning.PASSING, _stall(head + BODY[:cut]), silence)
    name = random.choice(list(ways))
    return Answer(name, Meaning.PASSING, ways[name])


def _stall(data: bytes) -> Callable[[Request], None]:
    def send(r: Request) -> None:
        r.send(data)
        r.hang()

    return send


def _busy(random: Random) -> Callable[[Request], None]:
    status = random.choice([408, 425, 429, *range(500, 512), 520, 599])
    wait = random.choice(
        [
            "-",
            "0",
            "00",
            "soon",
            "-1",
            "0.5",
            "1;2",
            "\xb2",
            formatdate(time.time() - 99, usegmt=True),
        ]
    )

    def send(r: Request) -> None:
        r.answer(f"{status} Busy", random.randbytes(random.randrange(99)), Retry_After=wait)

    return send


def wrong(random: Random) -> Answer:
    """Whole answers with other bytes than the right ones."""
    spot = random.randrange(len(BODY))
    flipped = BODY[:spot] + bytes([BODY[spot] ^ 1 << random.randrange(8)]) + BODY[spot + 1 :]
    bodies = {
        f"a bit flipped at {spot}": flipped,
        f"the first {spot} bytes": BODY[:spot],
        f"without the first {spot + 1} bytes": BODY[spot + 1 :],
        "more": BODY + random.randbytes(random.choice([1, 9, 70_000])),
        "the body twice": BODY + BODY,
        "nothing": b"",
        "a login page": b"<html><form>Sign in",
        "random bytes": random.randbytes(len(BODY)),
        "gzip": gzip.compress(BODY),
        "deflate": zlib.compress(BODY),
    }
    name = random.choice(list(bodies))
    fields = junk(random) | {
        "Content-Encoding": name if name in {"gzip", "deflate"} else "identity"
    }
    framed = random.choice(["length", "chunks", "close"])
    if framed == "length":
        data = _head(fields | {"Content-Length": str(len(bodies[name]))}) + bodies[name]
    elif framed == "chunks":
        body = _chunks(random, bodies[name]) if bodies[name] else b""
        data = _head(fields | {"Transfer-Encoding": "chunked"}) + body + _last_chunk(random)
    else:
        data = _head(fields) + bodies[name]
    return Answer(f"{name} by {framed}", Meaning.WRONG, _raw(data))


def final(random: Random) -> Answer:
    """Answers after which nothing else is to be expected."""
    refused = [code for code in range(400, 452) if code not in {408, 425, 429}]
    status = random.choice([*refused, *range(201, 209), 226, 300, 304, 305, 306])
    later = formatdate(time.time() + 3600, usegmt=True)
    nowhere = random.choice([301, 302, 307, 308])
    wait = random.choice(["3600", "61", "9" * 400, later, "Fri, 31 Dec 9999 23:59:59 GMT"])
    span = f"bytes {random.randrange(99)}-{len(BODY)}/{random.choice(['*', '7', len(BODY)])}"
    ways: dict[str, Callable[[Request], None]] = {
        f"{status}": lambda r: r.answer(f"{status} No", BODY),
        "come back later": lambda r: r.answer("503 Later", b"", Retry_After=wait),
        "too many": lambda r: r.answer("429 Slower", b"", Retry_After=wait),
        "a range nobody asked for": lambda r: r.answer("206 Partial", BODY, Content_Range=span),
        "a redirect to nowhere": lambda r: r.answer(f"{nowhere} Go"),
    }
    name = random.choice(list(ways))
    return Answer(name, Meaning.FINAL, ways[name])


def slow(random: Random, *, deadline: float) -> Answer:
    """Answers that never end, a little at a time."""
    ways: dict[str, Callable[[Request], None]] = {
        "drip": drip, "a head that drips": drip_headers, "chunks that drip": _dripping_chunks,
    }  # fmt: skip
    name = random.choice(list(ways))
    return Answer(name, Meaning.SLOW, ways[name], deadline)


def _dripping_chunks(r: Request) -> None:
    r.answer("200 OK", Content_Length="-", Transfer_Encoding="chunked")
    for byte in BODY:
        r.send(chunk(bytes([byte])))
        if r.server.closing.wait(0.05):
            return


_STATUS_LINES = """HTTP/1.1 999 Odd|HTTP/9.9 200 OK|HTTP/1.1 20 OK|HTTP/1.1 -200 OK|HTTP/2 200
HTTP/1.1 200200 OK|HTTP/1.1|200 OK|ICY 200 OK|HTTP/1.1 103 Hints|HTTP/1.1 101 Up|HTTP/1.1 100 Wait
""".replace("\n", "|").split("|")
_LINES = [
    *("No colon here", ": no name", " folded", "A\0B: 1", "Name : space", "X: " + "y" * 70_000),
    *("Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity"),
    *("Location: /\r\nLocation: /", "Content-Length: 7\r\nContent-Length: 307200"),
]


def strange(random: Random) -> Answer:
    """What no server should send; a client may take it either way, or give up."""
    sizes = [
        b"-5",
        b"-0",
        b"1_0",
        b"0x10",
        b"+7",
        b"ffffffffffffffff",
        b"f" * 300,
        b"",
        b" ",
        b"7\0",
    ]
    size = random.choice(sizes)
    lengths = [
        "-1",
        "+7",
        "1_000",
        "9" * 30,
        "1e5",
        "",
        "0x99",
        "307200, 307200",
        "5, 307200",
        "\xb2",
    ]
    length = random.choice(lengths)
    both = {
        "Content-Length": str(random.choice([0, 5, len(BODY), 10**12])),
        "Transfer-Encoding": "chunked",
    }
    status, line = random.choice(_STATUS_LINES), random.choice(_LINES)
    ways: dict[str, Callable[[Request], None]] = {
        f"chunk of size {size[:20]!r}": _raw(
            _head({"Transfer-Encoding": "chunked"}) + chunk(BODY[:7]) + size + b"\r\n" + BODY
        ),
        f"length {length!r}": _raw(_head({"Content-Length": length}) + BODY),
        f"both framings, {both['Content-Length']}": _raw(
            _head(both) + _chunks(random, BODY) + b"0\r\n\r\n"
        ),
        f"status line {status!r}": _raw(_head({"Content-Length": str(len(BODY))}, status) + BODY),
        f"line {line[:30]!r}": _raw(_head({"A": f"1\r\n{line}"}) + BODY),
        "too many headers": _raw(_head({f"H{n}": "1" for n in range(150)}) + BODY),
        "bare newlines": _raw(_head({"Content-Length": str(len(BODY))}).replace(b"\r", b"") + BODY),
        "many Continues": _raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 500 + _head({}) + BODY),
        "half closed": _half_closed,
        "endless": endless,
        "random bytes": _raw(random.randbytes(random.choice([5, 500, 90_000]))),
        "random fields": _raw(b"HTTP/1.1 200 OK\r\n" + random.randbytes(900) + b"\r\n\r\n" + BODY),
    }
    name = random.choice(list(ways))
    return Answer(name, Meaning.OPEN, ways[name], 0.5)


def _half_closed(r: Request) -> None:
    r.answer("200 OK", BODY[:99], Content_Length=str(len(BODY)))
    r.connection.shutdown(socket.SHUT_WR)
    r.hang()


def _to_those_it_knows(r: Request) -> None:
    if r.headers.get("authorization") == BASIC:
        r.ok()
    else:
        r.answer("401 Unauthorized", WWW_Authenticate='Basic realm="index"')


BEHIND_A_PASSWORD = Answer("behind a password", Meaning.GOOD, _to_those_it_knows)
