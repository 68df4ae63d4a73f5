"""The HTTP server of the tests' own servers: clients that are killed on purpose are no news."""

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class QuietServer(ThreadingHTTPServer):
    """One thread for each connection; what goes wrong is printed, unless the client went away."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback of everything but a connection that the client ended."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
