"""A network on this machine: a TCP relay with a bandwidth for all connections and a round trip."""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Speed:
    """What a link does: bytes in a second in all (0: no limit), seconds of a round trip."""

    name: str
    bytes_per_second: float
    round_trip_seconds: float


class Link:
    """Relays to a port of this machine, with the speed of a network.

    Every connection and every request on it waits for a round trip, and all answers together
    pass at the bandwidth. Requests have none: nothing is uploaded while anything is timed.
    """

    def __init__(self, port: int, speed: Speed) -> None:
        """Relay to `port`; nothing is opened yet."""
        self._to = port
        self._speed = speed
        self._free_at = 0.0
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._server.getsockname()[1])
        self.answered_bytes = 0

    def __enter__(self) -> Self:
        """Begin to relay."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        time.sleep(self._speed.round_trip_seconds)
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._to)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = threading.Thread(target=self._answer, args=(server, client), daemon=True)
            answers.start()
            while data := client.recv(_CHUNK_BYTES):
                time.sleep(self._speed.round_trip_seconds)
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            answers.join()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(_CHUNK_BYTES):
                self._wait_for(len(data))
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

    def _wait_for(self, count: int) -> None:
        """Wait until the link has passed what came before, whoever sent it."""
        with self._lock:
            self.answered_bytes += count
            if not self._speed.bytes_per_second:
                return
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self._speed.bytes_per_second
            wait = self._free_at - now
        # Sleeping is not exact to less than a millisecond.
        if wait > 0.001:
            time.sleep(wait)
