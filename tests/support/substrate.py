"""A Bittensor node in memory, for driving the real SDK without a network.

It answers the storage items, runtime calls and extrinsics that
`SubtensorChain` needs, and checks what the chain checks at dispatch. It
decodes no SCALE and verifies no extrinsic's signature.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bittensor import Balance, ChainError, ExtrinsicResult


@dataclass
class FakeNeuron:
    hotkey: str
    coldkey: str
    permit: bool = False
    stake_rao: int = 0
    last_update: int = 0


@dataclass
class InMemorySubstrate:
    netuid: int = 24
    height: int = 1_000
    tempo: int = 360
    rate_limit: int = 100
    min_allowed: int = 1
    max_weight: int = 65_535
    commit_reveal: bool = False
    version_key: int = 0
    owner_hotkey: str = ""
    fee_rao: int = 0
    neurons: list[FakeNeuron] = field(default_factory=list)
    weights: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    commits: list[dict[str, Any]] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    fault: Exception | None = None
    swallows: bool = False
    """Takes an extrinsic in, and never says what became of it."""
    least_stake_rao: int = 0
    nonsense: Any = None
    token_symbols: dict[int, str] = field(default_factory=dict)

    def balance(self, rao: int, netuid: int = 0) -> Balance:
        return Balance(rao, netuid)

    async def connect(self) -> None:
        self._fail()

    async def close(self) -> None:
        """Nothing is open."""

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault

    async def block_number(self) -> Any:
        self._fail()
        return self.nonsense or self.height

    async def block_hash(self, block: int | None = None) -> str:
        return f"0x{self.height if block is None else block:064x}"

    async def block_time(self) -> float:
        return 12.0

    async def query(self, module, item, params=None, block_hash=None):
        self._fail()
        netuid, *rest = params or [None]
        if netuid != self.netuid:
            return None
        hotkeys = [neuron.hotkey for neuron in self.neurons]
        if item == "Uids":
            return hotkeys.index(rest[0]) if rest[0] in hotkeys else None
        if item == "Weights":
            return self.weights.get(rest[0], [])
        return {
            "NetworksAdded": True,
            "Tempo": self.tempo,
            "WeightsSetRateLimit": self.rate_limit,
            "MinAllowedWeights": self.min_allowed,
            "MaxWeightsLimit": self.max_weight,
            "CommitRevealWeightsEnabled": self.commit_reveal,
            "WeightsVersionKey": self.version_key,
            "LastUpdate": [neuron.last_update for neuron in self.neurons],
            "SubnetEpochConsensus": "Yuma",
            "RevealPeriodEpochs": 1,
            "LastEpochBlock": self.height - self.height % self.tempo,
            "PendingEpochAt": 0,
            "SubnetEpochIndex": self.height // self.tempo,
            "BlocksSinceLastStep": self.height % self.tempo,
        }[item]

    async def query_map(self, module, item, params=None, block_hash=None):
        self._fail()
        return []

    async def runtime_call(self, api, method, params, block_hash=None):
        self._fail()
        if method == "get_next_epoch_start_block":
            return (self.height // self.tempo + 1) * self.tempo
        assert method == "get_metagraph", method
        if params != [self.netuid]:
            return None
        return {
            "netuid": self.netuid,
            "name": "quasar",
            "symbol": "q",
            "block": self.height,
            "tempo": self.tempo,
            "last_step": 0,
            "blocks_since_last_step": 0,
            "owner_hotkey": self.owner_hotkey or self.neurons[0].hotkey,
            "owner_coldkey": self.neurons[0].coldkey,
            "network_registered_at": 0,
            "hotkeys": [neuron.hotkey for neuron in self.neurons],
            "coldkeys": [neuron.coldkey for neuron in self.neurons],
            "validator_permit": [neuron.permit for neuron in self.neurons],
            "total_stake": [neuron.stake_rao for neuron in self.neurons],
            "last_update": [neuron.last_update for neuron in self.neurons],
        }

    async def compose(self, call) -> Any:
        return call

    async def estimate_fee(self, call, keypair) -> Balance:
        return Balance.from_rao(self.fee_rao)

    async def submit(
        self,
        call,
        keypair,
        *,
        nonce=None,
        period=None,
        wait_for_inclusion=True,
        wait_for_finalization=True,
    ) -> ExtrinsicResult:
        self._fail()
        _, function, params = call
        self.submitted.append(function)
        refusal = self._dispatch(function, params, keypair.ss58_address)
        if self.swallows:
            await asyncio.sleep(3_600)
        if refusal is not None:
            error = ChainError(refusal, refusal)
            return ExtrinsicResult(False, message=refusal, error=error)
        return ExtrinsicResult(True, extrinsic_id=f"{self.height}-2")

    def _dispatch(self, function, params, hotkey) -> str | None:
        hotkeys = [neuron.hotkey for neuron in self.neurons]
        uid = hotkeys.index(hotkey)
        neuron = self.neurons[uid]
        refusal = self._refusal(neuron) or (
            self._plain(uid, params)
            if function == "set_mechanism_weights"
            else self._committed(hotkey, params)
        )
        if refusal is None:
            neuron.last_update = self.height
        return refusal

    def _refusal(self, neuron: FakeNeuron) -> str | None:
        since = self.height - neuron.last_update
        if neuron.stake_rao < self.least_stake_rao:
            return "NotEnoughStakeToSetWeights"
        if not neuron.permit:
            return "NeuronNoValidatorPermit"
        if neuron.last_update and since < self.rate_limit:
            return "SettingWeightsTooFast"
        return None

    def _plain(self, uid, params) -> str | None:
        uids, values = params["dests"], params["weights"]
        if self.commit_reveal:
            return "CommitRevealEnabled"
        if any(dest >= len(self.neurons) for dest in uids):
            return "UidVecContainInvalidOne"
        if params["version_key"] < self.version_key:
            return "IncorrectWeightVersionKey"
        if uids != [uid]:
            if len(uids) < self.min_allowed:
                return "WeightVecLengthIsLow"
            if max(values) * 65_535 > self.max_weight * sum(values):
                return "MaxWeightExceeded"
        self.weights[uid] = list(zip(uids, values, strict=True))
        return None

    def _committed(self, hotkey, params) -> str | None:
        if not self.commit_reveal:
            return "CommitRevealDisabled"
        self.commits.append({"hotkey": hotkey, **params})
        return None
