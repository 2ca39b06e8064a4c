"""The frozen base and the checked scalars that all contracts share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Contract(BaseModel):
    """A value that crosses a process boundary: frozen and closed.

    Unknown fields are refused, and so are NaN and infinity: nothing that
    was not agreed on comes through a door.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


EvidenceValue = str | int | float | bool | None
Evidence = dict[str, EvidenceValue]

Moment = Annotated[AwareDatetime, Field(description="UTC, ISO 8601")]
CommitHash = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Sha256Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FencingToken = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
WorkerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
WorkerRole = Annotated[str, Field(pattern=r"^(benchmark|verifier)$")]
PoolName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Hotkey = Annotated[str, Field(pattern=r"^[1-9A-HJ-NP-Za-km-z]{46,50}$")]
Seconds = Annotated[float, Field(ge=0)]
PositiveSeconds = Annotated[float, Field(gt=0)]

__all__ = [
    "CommitHash",
    "Contract",
    "Evidence",
    "EvidenceValue",
    "FencingToken",
    "Hotkey",
    "Moment",
    "PoolName",
    "PositiveSeconds",
    "Seconds",
    "Sha256Hex",
    "WorkerName",
    "WorkerRole",
]
