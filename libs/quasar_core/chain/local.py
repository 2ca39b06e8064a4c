"""LocalChain: a stand-in for the chain in one file, for demo and tests.

It keeps the rules that bind a validator on the real one: registration,
permit, rate limit, least and largest weights, commit-reveal, and weights
quantised to 16 bits. It knows no stake, no fees and no signatures: who may
write the file may do anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

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
from quasar_core.chain.local_rules import refusal
from quasar_core.chain.local_state import (
    Genesis,
    LocalState,
    NeuronRow,
    SetRow,
    StateFile,
)
from quasar_core.domain.weights import to_u16
from quasar_core.errors import QuasarError


class RegistrationRefused(QuasarError):
    """The subnet does not take this registration."""


class LocalChain:
    """A chain in a file that any number of processes use at once.

    Block n lasts from `genesis_time + n * block_seconds` on.
    """

    def __init__(
        self,
        path: Path,
        *,
        netuid: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the chain at `path`, made before by `LocalChain.create`.

        Raises ChainUnavailable where there is none, or where it is not
        that subnet's.
        """
        self._file = StateFile(path)
        self._clock = clock
        genesis = self._file.read().genesis
        if netuid is not None and netuid != genesis.netuid:
            raise ChainUnavailable(
                f"the local chain at {path} has subnet {genesis.netuid},"
                f" not {netuid}"
            )
        self.netuid = genesis.netuid
        self.block_seconds = genesis.block_seconds

    @classmethod
    def create(
        cls,
        path: Path,
        genesis: Genesis | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Begin a chain at `path`, or open the one that is there."""
        genesis = genesis or Genesis()
        if genesis.owner_hotkey is not None:
            owner = canonical_hotkey(genesis.owner_hotkey)
            genesis = genesis.model_copy(update={"owner_hotkey": owner})
        state = LocalState(genesis=genesis, genesis_time=clock())
        file = StateFile(path)
        with suppress(FileExistsError):
            file.create(state)
        return cls(path, clock=clock)

    # --- what every chain can do ------------------------------------------

    def block(self) -> int:
        """The current block's number."""
        return self._block_of(self._file.read())

    def metagraph(self) -> MetagraphSnapshot:
        """Who is registered now."""
        state = self._file.read()
        owner = state.neuron(state.genesis.owner_hotkey or "")
        return MetagraphSnapshot(
            netuid=self.netuid,
            block=self._block_of(state),
            neurons=tuple(
                Neuron(
                    uid=row.uid,
                    hotkey=row.hotkey,
                    coldkey=row.coldkey,
                    validator_permit=row.validator_permit,
                    stake=row.stake,
                    last_update=state.last_set(row.hotkey),
                )
                for row in sorted(state.neurons, key=lambda row: row.uid)
            ),
            owner_uid=owner.uid if owner else None,
        )

    def rules(self) -> SubnetRules:
        """The subnet's settings."""
        genesis = self._file.read().genesis
        return SubnetRules(
            tempo=genesis.tempo,
            weights_rate_limit=genesis.weights_rate_limit,
            min_allowed_weights=genesis.min_allowed_weights,
            max_weight_limit=genesis.max_weight_limit,
            commit_reveal=genesis.commit_reveal,
            version_key=genesis.version_key,
        )

    def epoch(self) -> Epoch:
        """Where the subnet is between two epochs: multiples of the tempo."""
        state = self._file.read()
        block, tempo = self._block_of(state), state.genesis.tempo
        return Epoch(block, tempo, (block // tempo + 1) * tempo)

    def set_weights(
        self, weights: Mapping[int, float], hotkey: str
    ) -> SetResult:
        """Set `uid -> share` for this validator, or say why not."""
        validator = canonical_hotkey(hotkey)
        with self._file.change() as state:
            block = self._block_of(state)
            refused = refusal(state, block, weights, validator)
            if refused is not None:
                return refused
            state.height = block
            _append_set(state, block, weights, validator)
        return SetResult(SetOutcome.SET, block=block)

    def weights_of(self, hotkey: str) -> Mapping[int, float]:
        """The shares that stand for this validator; empty if none do."""
        state = self._file.read()
        block = self._block_of(state)
        rows = [
            row
            for row in state.sets.get(canonical_hotkey(hotkey), [])
            if row.visible_from_block <= block
        ]
        if not rows:
            return {}
        total = sum(rows[-1].weights.values())
        return {uid: w / total for uid, w in rows[-1].weights.items()}

    # --- what only a stand-in can do --------------------------------------

    def register(
        self,
        hotkey: str,
        coldkey: str,
        *,
        validator_permit: bool = False,
        stake: float = 0.0,
    ) -> int:
        """Register a hotkey under its coldkey; its uid.

        A hotkey that is registered keeps its uid (and permit). Raises
        RegistrationRefused if it belongs to another coldkey, or if the
        subnet is full.
        """
        hotkey, coldkey = canonical_hotkey(hotkey), canonical_hotkey(coldkey)
        with self._file.change() as state:
            known = state.neuron(hotkey)
            if known is None:
                known = _new_neuron(state, hotkey, coldkey)
                state.neurons.append(known)
            if known.coldkey != coldkey:
                raise RegistrationRefused(
                    f"hotkey {hotkey} is registered under another coldkey"
                )
            known.validator_permit |= validator_permit
            known.stake = max(known.stake, stake)
            state.height = self._block_of(state)
            return known.uid

    def deregister(self, hotkey: str) -> None:
        """Remove a registration; its uid goes to the next who comes."""
        gone = canonical_hotkey(hotkey)
        with self._file.change() as state:
            state.neurons = [n for n in state.neurons if n.hotkey != gone]
            state.sets.pop(gone, None)
            state.height = self._block_of(state)

    def set_owner(self, hotkey: str) -> None:
        """Make this hotkey the subnet owner's."""
        owner = canonical_hotkey(hotkey)
        with self._file.change() as state:
            state.genesis.owner_hotkey = owner

    def advance(self, blocks: int) -> int:
        """Let this many blocks pass at once; the block it is then.

        Raises ValueError for a negative number: no chain runs backwards.
        """
        if blocks < 0:
            raise ValueError("a chain does not run backwards")
        with self._file.change() as state:
            state.genesis_time -= blocks * state.genesis.block_seconds
            state.height = self._block_of(state)
            return state.height

    def _block_of(self, state: LocalState) -> int:
        elapsed = self._clock() - state.genesis_time
        counted = int(elapsed // state.genesis.block_seconds)
        return max(counted, state.height)


def _new_neuron(state: LocalState, hotkey: str, coldkey: str) -> NeuronRow:
    taken = {row.uid for row in state.neurons}
    free = (u for u in range(state.genesis.max_uids) if u not in taken)
    uid = next(free, None)
    if uid is None:
        raise RegistrationRefused(
            f"the subnet is full: all {state.genesis.max_uids} uids are taken"
        )
    return NeuronRow(uid=uid, hotkey=hotkey, coldkey=coldkey)


def _append_set(
    state: LocalState, block: int, weights: Mapping[int, float], hotkey: str
) -> None:
    genesis = state.genesis
    visible = block
    if genesis.commit_reveal:
        # revealed by the chain when the epoch after the commit's begins
        visible = (block // genesis.tempo + 1) * genesis.tempo
    history = state.sets.setdefault(hotkey, [])
    shown = [row for row in history if row.visible_from_block <= block]
    hidden = [row for row in history if row.visible_from_block > block]
    row = SetRow(
        block=block, visible_from_block=visible, weights=to_u16(weights)
    )
    state.sets[hotkey] = [*shown[-1:], *hidden, row]
