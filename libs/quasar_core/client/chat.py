"""ChatClient: any endpoint that speaks OpenAI's /chat/completions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import httpx2
from pydantic import BaseModel, Field, ValidationError

from quasar_core.client.addresses import LOOPBACK, checked_url
from quasar_core.client.answers import ApiUnavailable
from quasar_core.errors import QuasarError

LARGEST_REPLY_BYTES = 8 * 1024 * 1024
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class ModelBusy(ApiUnavailable):
    """The endpoint cannot answer just now; later it may.

    `retry_after_seconds` is how long it asked to be left alone, if it did.
    `counted` says whether the call may have been charged for.
    """

    def __init__(
        self,
        why: str,
        retry_after_seconds: float | None = None,
        *,
        counted: bool = False,
    ) -> None:
        super().__init__(why)
        self.retry_after_seconds = retry_after_seconds
        self.counted = counted


class ModelRefused(QuasarError):
    """The endpoint will never answer this: address, token or model."""


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Usage(BaseModel):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)


class _Answer(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


@dataclass(frozen=True)
class Completion:
    """What the model wrote, and the tokens it is charged by, where told."""

    text: str
    prompt_tokens: int | None
    completion_tokens: int | None


class ChatClient:
    """One model behind one endpoint; the token goes into a header alone."""

    def __init__(
        self,
        base_url: str,
        model: str,
        token: str | None,
        *,
        timeout_seconds: float,
        reply_tokens: int,
    ) -> None:
        """`base_url` is what stands before `/chat/completions`."""
        url = checked_url(base_url.rstrip("/"))
        self._url = f"{url}/chat/completions"
        self._model = model
        self._seconds = timeout_seconds
        self._reply_tokens = reply_tokens
        self._http = httpx2.Client(
            headers={"authorization": f"Bearer {token}"} if token else {},
            timeout=timeout_seconds,
            trust_env=url.host not in LOOPBACK,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def complete(self, messages: Sequence[dict[str, str]]) -> Completion:
        """One reply to these messages.

        Raises ModelBusy for what may pass (a full house, a timeout, an
        answer in no known form), ModelRefused for what will not.
        """
        request = {
            "model": self._model,
            "messages": list(messages),
            "max_tokens": self._reply_tokens,
        }
        try:
            status, wait, body = self._ask(request)
        except httpx2.TimeoutException as fault:
            raise ModelBusy(
                f"the model did not answer within {self._seconds:g} s",
                counted=True,
            ) from fault
        except httpx2.RequestError as fault:
            raise ModelBusy(
                f"the model's endpoint is not reached: {type(fault).__name__}",
                counted=not isinstance(fault, httpx2.ConnectError),
            ) from fault
        if status in PASSING:
            raise ModelBusy(f"the model's endpoint answered {status}", wait)
        if status != httpx2.codes.OK:
            raise ModelRefused(
                f"the model's endpoint refused with status {status}: look at"
                " its address, the token and the model's name"
            )
        return _read(body)

    def _ask(
        self, request: dict[str, object]
    ) -> tuple[int, float | None, bytes]:
        """Status, seconds to wait and body; bounded in time and in bytes."""
        deadline = time.monotonic() + self._seconds
        body = bytearray()
        with self._http.stream("POST", self._url, json=request) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_REPLY_BYTES:
                    raise ModelBusy(
                        f"the reply is above {LARGEST_REPLY_BYTES} bytes",
                        counted=True,
                    )
                if time.monotonic() > deadline:
                    raise httpx2.ReadTimeout("the whole reply took too long")
            wait = response.headers.get("retry-after", "")
            seconds = float(wait) if wait.isdecimal() else None
            return response.status_code, seconds, bytes(body)


def _read(body: bytes) -> Completion:
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as fault:
        raise ModelBusy(
            "the model's endpoint answered in no form that is known",
            counted=True,
        ) from fault
    usage = answer.usage
    return Completion(
        text=answer.choices[0].message.content or "",
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
    )
