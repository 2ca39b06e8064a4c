"""A plain HTTP server whose clock is the test's: for skew, and for none."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def telling(
    pages: Mapping[str, str],
    *,
    status: int = 200,
    now: float | None,
) -> Iterator[str]:
    """Serves these pages as if it were `now`; None: it says no time.

    Gives its address. Every page has that status, any other path is 404.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            self.send_response_only(404 if page is None else status)
            if now is not None:
                self.send_header("Date", formatdate(now, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
