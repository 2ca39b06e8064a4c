"""Seeds: one secret master per run, and a keyed hash for every draw."""

from __future__ import annotations

import hmac
import random
import secrets
from dataclasses import dataclass

import torch

from quasar_core.domain.seeds import seed_commitment

MASTER_BYTES = 32
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Seeds:
    """All chance of one run; no stream is continued from draw to draw.

    The run's manifest holds the master and its commitment, so that anybody
    can draw the same inputs again.
    """

    master: bytes
    run_id: str

    @classmethod
    def fresh(cls, run_id: str) -> Seeds:
        """Seeds of a new run, from the operating system."""
        return cls(secrets.token_bytes(MASTER_BYTES), run_id)

    @classmethod
    def of(cls, run_id: str, seed: str | None) -> Seeds:
        """Seeds from a master in hex that was committed to, or fresh ones."""
        if seed is None:
            return cls.fresh(run_id)
        return cls(bytes.fromhex(seed), run_id)

    @property
    def commitment(self) -> str:
        """What binds the master without telling it."""
        return seed_commitment(self.master.hex())

    def draw(self, stage: str, call: int, part: str = "") -> bytes:
        """The 32-byte seed of one draw."""
        fields = (self.run_id, stage, str(call), part)
        message = b"".join(
            len(raw).to_bytes(4, "big") + raw
            for raw in (field.encode() for field in fields)
        )
        return hmac.digest(self.master, message, "sha256")

    def chance(self, stage: str, call: int, part: str = "") -> random.Random:
        """Small choices (cuts, families, orders) of one draw."""
        seed = self.draw(stage, call, part)
        return random.Random(seed)  # noqa: S311 -- repeatable on purpose

    def generator(
        self,
        stage: str,
        call: int,
        part: str = "",
        device: torch.device = CPU,
    ) -> torch.Generator:
        """Tensor noise of one part of one draw.

        A device's generator draws other numbers than a processor's from the
        same seed: a replay needs the same kind of device.
        """
        seed = int.from_bytes(self.draw(stage, call, part)[:8], "big")
        return torch.Generator(device).manual_seed(seed)
