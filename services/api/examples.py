"""Examples of what the API takes and gives, for every model it speaks of.

They are made from the document's own schemas, and checked against them, so
that a model that changes takes its example along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from quasar_core.errors import ProblemCode

from services.api.problems import MEDIA_TYPE, TITLES

Schema = Mapping[str, Any]

HOTKEY = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
COLDKEY = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
MOMENT = "2026-11-25T12:00:00Z"
HASH = "d04be05ff5714064e1dabe0068e4b5b6b36c466042f027aee9f4dcb5ca12aa0e"

BY_NAME: Mapping[str, Any] = {
    "hotkey": HOTKEY,
    "validator_hotkey": HOTKEY,
    "receiver_hotkey": HOTKEY,
    "miner_hotkey": HOTKEY,
    "banned_by": HOTKEY,
    "coldkey": COLDKEY,
    "subject": HOTKEY,
    "fork_url": "https://github.com/some-miner/flash-linear-attention",
    "commit_hash": "0123456789abcdef0123456789abcdef01234567",
    "base_commit": "89abcdef0123456789abcdef0123456789abcdef",
    "target_sequence_length": 300_000,
    "sequence_length": 300_000,
    "smallest_length": 300_000,
    "league": "300k",
    "multiplier": 1.0,
    "tokens_per_sec": 251_300.0,
    "tokens_per_sec_low": 250_100.0,
    "tokens_per_sec_high": 252_400.0,
    "claimed_tokens_per_sec": 250_000.0,
    "benchmarks": {"300000": 250_000.0},
    "claimed_benchmarks": {"300000": 250_000.0},
    "weighted_score": 251_300.0,
    "speedup_vs_baseline": 1.31,
    "share": 0.6,
    "round_number": 7,
    "commit_block": 4_200_123,
    "closes_at_block": 4_214_400,
    "opened_at_block": 4_200_000,
    "current_block": 4_200_150,
    "block": 4_200_150,
    "netuid": 439,
    "pool": "h100",
    "worker": "worker-1",
    "role": "benchmark",
    "canary": "forgetful",
    "expected": "output_mismatch",
    "got": "output_mismatch",
    "days": 7,
    "reason": "the judge's clock was wrong that day",
    "kind": "hotkey",
    "salt": "000102030405060708090a0b0c0d0e0f",
    "weights": {"7": 0.75, "12": 0.25},
    "hotkeys": {"7": HOTKEY, "12": COLDKEY},
    "outcome": "set",
    "from_status": "scored",
    "to_status": "quarantined",
    "status": "queued",
    "place": 1,
    "position": 1,
    "server_time_ns": None,
    "difference_seconds": None,
    "errors": None,
}
"""The game's own words, each with a value that it might have."""

UNKNOWN = "..."
BY_FORMAT: Mapping[str, Any] = {
    "uuid": "2be4a955-0ec8-489a-ab78-df08e5cfaa18",
    "date-time": MOMENT,
}

BY_PATTERN: tuple[Any, ...] = (
    *(HOTKEY, HASH, "0123456789abcdef0123456789abcdef01234567"),
    *("000102030405060708090a0b0c0d0e0f", "worker-1", "1", "set", "chunk.py"),
)


def example_of(
    schema: Schema, schemas: Mapping[str, Schema], name: str = ""
) -> Any:
    """A value that the schema describes, and somebody might mean."""
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        return example_of(schemas[target], schemas, name)
    if name in BY_NAME and fits(BY_NAME[name], schema, schemas):
        return BY_NAME[name]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return _BY_TYPE[schema.get("type", "object")](schema, schemas)


def fits(value: Any, schema: Schema, schemas: Mapping[str, Schema]) -> bool:
    """Whether a schema takes a value, as far as its kind goes."""
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        return fits(value, schemas[target], schemas)
    if "anyOf" in schema:
        return any(fits(value, one, schemas) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kinds: Mapping[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "array": (list,),
        "object": (dict,),
        "null": (type(None),),
    }
    return isinstance(value, kinds.get(schema.get("type", ""), ()))


def _object(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    properties = schema.get("properties", {})
    return {
        name: example_of(inner, schemas, name)
        for name, inner in properties.items()
    }


def _array(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    if "prefixItems" in schema:
        return [example_of(one, schemas) for one in schema["prefixItems"]]
    least = max(schema.get("minItems", 1), 1)
    return [example_of(schema.get("items", {}), schemas)] * least


def _string(schema: Schema, _schemas: Mapping[str, Schema]) -> Any:
    if "pattern" in schema:
        pattern = re.compile(schema["pattern"])
        known = (one for one in BY_PATTERN if pattern.search(one))
        return next(known, UNKNOWN)
    return BY_FORMAT.get(schema.get("format", ""), UNKNOWN)


def _number(schema: Schema, _schemas: Mapping[str, Schema]) -> Any:
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    most = schema.get("maximum", 1)
    return max(least, min(1, most))


_BY_TYPE: Mapping[str, Any] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _number,
    "number": _number,
    "boolean": lambda *_: True,
    "null": lambda *_: None,
}


def illustrate(document: dict[str, Any]) -> None:
    """Give every body that the document describes an example."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {})]
            bodies += operation["responses"].values()
            for body in bodies:
                for kind, media in body.get("content", {}).items():
                    if kind == "application/json" and "example" not in media:
                        media["example"] = example_of(media["schema"], schemas)
            _tell_problems(operation)


def _tell_problems(operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        media = response.get("content", {}).get(MEDIA_TYPE)
        if media is None or int(status) not in PROBLEMS:
            continue
        code, detail = PROBLEMS[int(status)]
        media["example"] = {
            "type": f"urn:quasar:problem:{code.value}",
            "title": TITLES[code],
            "status": int(status),
            "code": code.value,
            "detail": detail,
            "instance": f"urn:quasar:request:{BY_FORMAT['uuid']}",
        }


PROBLEMS: Mapping[int, tuple[ProblemCode, str]] = {
    400: (ProblemCode.COMMITMENT_MISMATCH, "this opens no commitment"),
    401: (ProblemCode.SIGNATURE_MISSING, "send the X-Bittensor-* headers"),
    403: (ProblemCode.BANNED, "this address is banned"),
    404: (ProblemCode.NOT_FOUND, "there is no such round"),
    409: (ProblemCode.NONCE_REPLAYED, "this was accepted; sign a new one"),
    410: (ProblemCode.REVEAL_TOO_LATE, "it was open until block 4200300"),
    413: (ProblemCode.BODY_TOO_LARGE, "a body may hold 65536 bytes"),
    422: (ProblemCode.INVALID_REQUEST, "body.reason: Field required"),
    425: (ProblemCode.REVEAL_TOO_EARLY, "it opens at block 4200100"),
    429: (ProblemCode.RATE_LIMITED, "come again in 12 s"),
    503: (ProblemCode.UNAVAILABLE, "the database does not answer"),
}
"""An example of each status; others of it stand in docs/rules.md."""
