import pytest

from services.api.edge import Edge


class Wire:
    """An ASGI connection whose messages the test writes."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.sent = []

    async def receive(self):
        return self.messages.pop(0)

    async def send(self, message):
        self.sent.append(message)


def scope(**headers):
    return {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in headers.items()
        ],
    }


async def echo(scope, receive, send):
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})
    if (await receive())["type"] == "http.disconnect":
        await send({"type": "gone", "id": scope["state"]["request_id"]})


def chunk(body, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_pieces_is_given_whole_and_then_what_follows():
    wire = Wire(chunk(b"a", True), chunk(b"b"), {"type": "http.disconnect"})
    await Edge(echo)(scope(), wire.receive, wire.send)
    assert wire.sent[1]["body"] == b"ab"
    headers = dict(wire.sent[0]["headers"])
    assert headers[b"x-request-id"].decode() == wire.sent[2]["id"]


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        ({"content_length": "70000"}, []),
        ({"content_length": "9" * 30}, []),
        ({}, [chunk(b"a" * 40_000, True), chunk(b"a" * 40_000, True)]),
        ({"content_length": "10"}, [chunk(b"a" * 70_000)]),
    ],
)
async def test_a_body_is_given_up_on_as_soon_as_it_is_too_large(
    headers, messages
):
    wire = Wire(*messages)
    await Edge(echo)(scope(**headers), wire.receive, wire.send)
    assert wire.sent[0]["status"] == 413
    assert wire.messages == []


async def test_who_hangs_up_early_is_answered_with_what_he_sent():
    wire = Wire(
        chunk(b"a", True),
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    )
    await Edge(echo)(scope(), wire.receive, wire.send)
    assert wire.sent[1]["body"] == b"a"


async def test_what_is_not_http_passes():
    async def app(scope, _receive, send):
        await send(scope["type"])

    wire = Wire()
    await Edge(app)({"type": "lifespan"}, wire.receive, wire.send)
    assert wire.sent == ["lifespan"]
