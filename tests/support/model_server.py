"""A model's endpoint on this machine: /v1/chat/completions over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.git_server import QuietServer


@dataclass
class Reply:
    """One answer: a status, a body, headers."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def completion(
    text: str | None, prompt_tokens: int = 1_000, completion_tokens: int = 500
) -> Reply:
    """What OpenAI's endpoint answers."""
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    value = {"object": "chat.completion", "choices": [choice], "usage": usage}
    return Reply(json.dumps(value).encode())


@dataclass
class ModelServer:
    """What it was asked, and what it will answer; the last stays."""

    url: str = ""
    replies: list[Reply | Callable[[], Reply]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)

    def stall(self) -> Reply:
        """An answer that does not come before the server's end."""
        self.stalled.wait(60)
        return Reply(b"")


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Serve until the end of the block."""
    state = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/v1/chat/completions":
                self.answer(Reply(b"{}", 404))
                return
            state.asked.append(json.loads(body))
            state.authorizations.append(self.headers["Authorization"])
            more = len(state.replies) > 1
            reply = state.replies.pop(0) if more else state.replies[0]
            self.answer(reply if isinstance(reply, Reply) else reply())

        def answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *words: object) -> None:
            pass

    server = QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        state.stalled.set()
        server.shutdown()
        thread.join()
        server.server_close()
