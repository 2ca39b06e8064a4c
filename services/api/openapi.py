"""What the OpenAPI document says of every route alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from quasar_core.contracts.http import ProblemDetails

from services.api import rate_headers
from services.api.examples import illustrate
from services.api.problems import MEDIA_TYPE

SIGNED = "btauth"

SECURITY_SCHEMES: dict[str, Any] = {
    SIGNED: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bittensor-Signature",
        "description": (
            "`btauth/1`, the bittensor SDK's own scheme: the caller's"
            " sr25519 hotkey signs method, path and query, SHA-256 of the"
            " body, a nonce (nanoseconds since 1970), sender and receiver."
            " The receiver is `receiver_hotkey` of `/rounds/current`. Sent"
            " as X-Bittensor-Version, -Hotkey, -Receiver, -Nonce and"
            " -Signature."
        ),
    }
}


class Role(StrEnum):
    """Who may use a route that must be signed."""

    SIGNER = "signer"
    """Any hotkey; the route itself asks for more."""
    MINER = "miner"
    """A hotkey that is registered on the subnet."""
    VALIDATOR = "validator"
    """A registered hotkey with a validator permit."""
    ADMIN = "admin"
    """A hotkey that the settings name."""


def signed_by(role: Role) -> dict[str, Any]:
    """`openapi_extra` of a route that this role may use, signed.

    What stands in the document is what is enforced: a route that writes
    and says nothing is nobody's.
    """
    return {"security": [{SIGNED: [role.value]}]}


def role_of(extra: Mapping[str, Any] | None) -> Role | None:
    """The role that a route's `openapi_extra` declares, if any."""
    for requirement in (extra or {}).get("security", ()):
        for name in requirement.get(SIGNED, ()):
            return Role(name)
    return None


SIGNED_ROUTE: dict[str, Any] = signed_by(Role.SIGNER)
"""`openapi_extra` of a route that any hotkey may sign."""

ANYWHERE = (403, 422, 429, 503)
"""What any route may answer: banned, invalid, too often, not just now."""


def example(body: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a route whose body may look like this."""
    return {
        "requestBody": {"content": {"application/json": {"example": body}}}
    }


_TEXTS = {
    400: "Not what the commitment sealed",
    401: "Unsigned, or not signed as it must be",
    403: "Not registered, not permitted, or banned",
    404: "Not there",
    409: "Accepted before, or in conflict with what is there",
    410: "The window for it has passed",
    413: "The body is too large",
    422: "Refused by a rule; `code` says which",
    425: "The window for it is not open yet; `detail` names the block",
    429: "A quota or a limit is used up",
    503: "Not available just now; `Retry-After` says when to come again",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {
            "description": _TEXTS[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({*statuses, *ANYWHERE})
    }


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add what the framework does not know: problems, signatures, limits."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = SECURITY_SCHEMES
    schemas = components.setdefault("schemas", {})
    details = ProblemDetails.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    schemas.update(details.pop("$defs", {}))
    schemas["ProblemDetails"] = details
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    rate_headers.describe(document)
    illustrate(document)
    return document
