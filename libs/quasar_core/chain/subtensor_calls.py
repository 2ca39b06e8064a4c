"""What is asked of the SDK: the answers as our own values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from quasar_core.chain.chain import (
    ChainUnavailable,
    Epoch,
    MetagraphSnapshot,
    Neuron,
    SetOutcome,
    SetResult,
    SubnetRules,
)
from quasar_core.chain.keys import canonical_hotkey
from quasar_core.chain.wallets import OpenWallet

if TYPE_CHECKING:
    import bittensor
    from bittensor import Client

U16_MAX = 65_535
TEXT_LIMIT = 300
RAO_PER_UNIT = 1_000_000_000


def plain(fault: Exception) -> str:
    """What a fault says, on one line that is fit for a terminal.

    A node chooses the words: they may hold control characters, or pages.
    """
    shown = (c if c.isprintable() else " " for c in str(fault))
    words = " ".join("".join(shown).split())
    return words[:TEXT_LIMIT] or type(fault).__name__


def _no_subnet(netuid: int) -> str:
    return f"the chain answers, but has no subnet {netuid}"


def snapshot_of(
    netuid: int, graph: bittensor.Metagraph | None
) -> MetagraphSnapshot:
    """The SDK's metagraph as ours; ChainUnavailable for no subnet."""
    if graph is None:
        raise ChainUnavailable(_no_subnet(netuid))
    neurons = tuple(
        Neuron(
            uid=neuron.uid,
            hotkey=canonical_hotkey(neuron.hotkey),
            coldkey=canonical_hotkey(neuron.coldkey),
            validator_permit=neuron.validator_permit,
            stake=neuron.total_stake.rao / RAO_PER_UNIT,
            last_update=int(neuron.last_update) or None,
        )
        for neuron in graph.neurons
    )
    owner = canonical_hotkey(graph.owner_hotkey)
    uids = [n.uid for n in neurons if n.hotkey == owner]
    return MetagraphSnapshot(
        netuid=netuid,
        block=graph.block,
        neurons=neurons,
        owner_uid=uids[0] if uids else None,
    )


async def read_rules(client: Client, netuid: int) -> SubnetRules:
    """The subnet's settings, all of one block."""
    from bittensor import storage

    view = await client.at()
    table = storage.SubtensorModule
    exists = await view.query(table.NetworksAdded, [netuid])
    if not exists:
        raise ChainUnavailable(_no_subnet(netuid))
    tempo, rate, least, most, hidden, version = [
        await view.query(item, [netuid])
        for item in (
            table.Tempo,
            table.WeightsSetRateLimit,
            table.MinAllowedWeights,
            table.MaxWeightsLimit,
            table.CommitRevealWeightsEnabled,
            table.WeightsVersionKey,
        )
    ]
    return SubnetRules(
        tempo=int(tempo),
        weights_rate_limit=int(rate or 0),
        min_allowed_weights=int(least or 0),
        max_weight_limit=1.0 if most is None else int(most) / U16_MAX,
        commit_reveal=bool(hidden),
        version_key=int(version or 0),
    )


async def read_epoch(client: Client, netuid: int) -> Epoch:
    """Where the subnet is between two epochs, all of one block."""
    status = await client.read("epoch_status", netuid=netuid)
    if not status["tempo"]:
        raise ChainUnavailable(_no_subnet(netuid))
    start = status["next_epoch_start_block"]
    return Epoch(
        block=int(status["block"]),
        tempo=int(status["tempo"]),
        next_start=None if start is None else int(start),
    )


async def submit_weights(
    client: Client,
    netuid: int,
    weights: Mapping[int, float],
    wallet: OpenWallet,
    max_fee_tao: float,
) -> SetResult:
    """Set weights under a policy: this subnet alone, and a bounded fee."""
    from bittensor import ChainError, Policy, PolicyError, storage
    from bittensor.intents.weights import SetWeights

    view = await client.at()
    version = await view.query(
        storage.SubtensorModule.WeightsVersionKey, [netuid]
    )
    intent = SetWeights(
        netuid=netuid,
        uids=list(weights),
        weights=list(weights.values()),
        version_key=int(version or 0),
    )
    policy = Policy(max_fee_tao=max_fee_tao, allowed_netuids=[netuid])
    try:
        result = await client.execute(
            intent, wallet.wallet, policy=policy, retries=2
        )
    except PolicyError as fault:
        return SetResult(
            SetOutcome.REFUSED, reason=f"policy_violation: {plain(fault)}"
        )
    except ChainError as fault:
        return _failure(fault)
    if not result.success:
        return _failure(result.error or ChainError(result.message))
    block, _, _ = (result.extrinsic_id or "").partition("-")
    return SetResult(SetOutcome.SET, block=int(block) if block else None)


def _failure(fault: bittensor.ChainError) -> SetResult:
    from bittensor import ErrorCode

    outcome = {
        ErrorCode.RATE_LIMITED: SetOutcome.RATE_LIMITED,
        ErrorCode.UNKNOWN: SetOutcome.FAILED,
        ErrorCode.INTERNAL: SetOutcome.FAILED,
    }.get(fault.code, SetOutcome.REFUSED)
    return SetResult(outcome, reason=f"{fault.code.value}: {plain(fault)}")


def shares_of(rows: list[tuple[int, int]]) -> Mapping[int, float]:
    """The chain's (uid, u16) pairs as shares that sum to 1, or none."""
    total = sum(int(value) for _, value in rows)
    if total == 0:
        return {}
    return {int(uid): int(value) / total for uid, value in rows}
