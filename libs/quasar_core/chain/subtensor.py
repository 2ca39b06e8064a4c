"""SubtensorChain: the real chain through the bittensor SDK, kept thin.

The SDK is asynchronous; one connection lives on a loop of its own thread,
and every question has a deadline, for a node that hangs must not hang its
callers. Any number of threads may ask at once; a question that fails ends the
connection for all that were asked on it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from quasar_core.chain.chain import (
    ChainUnavailable,
    Epoch,
    MetagraphSnapshot,
    SetOutcome,
    SetResult,
    SubnetRules,
)
from quasar_core.chain.keys import KeyFault, canonical_hotkey
from quasar_core.chain.loops import LoopThread
from quasar_core.chain.subtensor_calls import (
    plain,
    read_epoch,
    read_rules,
    shares_of,
    snapshot_of,
    submit_weights,
)
from quasar_core.chain.wallets import OpenWallet

if TYPE_CHECKING:
    from bittensor import Client, Substrate

T = TypeVar("T")

BLOCK_SECONDS = 12.0
READ_TIMEOUT_SECONDS = 30.0
SET_TIMEOUT_SECONDS = 180.0
MAX_FEE_TAO = 0.01


@dataclass(frozen=True, eq=False)
class _Connection:
    """A client of the SDK's, and the loop that it lives on."""

    client: Client
    thread: LoopThread
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    def ask(
        self,
        question: Callable[[Client], Coroutine[Any, Any, T]],
        timeout_seconds: float,
    ) -> T:
        """What `question` returns; TimeoutError where that takes longer."""

        async def answer() -> T:
            async with asyncio.timeout(timeout_seconds):
                async with self.opening:  # two at once would open two
                    await self.client.connect()
                return await question(self.client)

        return self.thread.ask(answer())

    def end(self) -> None:
        """End it, and whatever is being asked on it."""
        self.thread.end(self.client.close())


class SubtensorChain:
    """A subnet of a Bittensor network.

    `wallet` is only needed to set weights. `substrate` stands in for the
    SDK's own connection to a node.
    """

    def __init__(
        self,
        network: str,
        netuid: int,
        *,
        wallet: OpenWallet | None = None,
        block_seconds: float = BLOCK_SECONDS,
        max_fee_tao: float = MAX_FEE_TAO,
        substrate: Substrate | None = None,
    ) -> None:
        self.netuid = netuid
        self.block_seconds = block_seconds
        self._network = network
        self._wallet = wallet
        self._max_fee_tao = max_fee_tao
        self._substrate = substrate
        self._open: _Connection | None = None
        self._lock = threading.Lock()

    def block(self) -> int:
        """The current block's number."""

        async def read(client: Client) -> int:
            return int(await client.block())

        return self._ask(read)

    def metagraph(self) -> MetagraphSnapshot:
        """Who is registered now."""

        async def read(client: Client) -> MetagraphSnapshot:
            graph = await client.subnets.metagraph(
                self.netuid, commitments=False
            )
            return snapshot_of(self.netuid, graph)

        return self._ask(read)

    def rules(self) -> SubnetRules:
        """The subnet's settings, all of one block."""

        async def read(client: Client) -> SubnetRules:
            return await read_rules(client, self.netuid)

        return self._ask(read)

    def epoch(self) -> Epoch:
        """Where the subnet is between two epochs."""

        async def read(client: Client) -> Epoch:
            return await read_epoch(client, self.netuid)

        return self._ask(read)

    def set_weights(
        self, weights: Mapping[int, float], hotkey: str
    ) -> SetResult:
        """Set weights, plain or timelocked as the subnet wants them.

        The SDK refuses beforehand what it knows the chain would: its reason
        comes back in the result. Waits for the block to be final.
        """
        wallet = self._wallet
        if wallet is None or wallet.hotkey != canonical_hotkey(hotkey):
            return SetResult(
                SetOutcome.REFUSED,
                reason=f"not_authorized: no wallet is open for {hotkey}",
            )

        async def write(client: Client) -> SetResult:
            return await submit_weights(
                client, self.netuid, weights, wallet, self._max_fee_tao
            )

        return self._ask(write, SET_TIMEOUT_SECONDS)

    def weights_of(self, hotkey: str) -> Mapping[int, float]:
        """The shares that stand on chain for this validator.

        On a subnet with commit-reveal they follow what was set when the
        chain reveals it.
        """
        canonical = canonical_hotkey(hotkey)

        async def read(client: Client) -> Mapping[int, float]:
            from bittensor import storage

            view = await client.at()
            table = storage.SubtensorModule
            uid = await view.query(table.Uids, [self.netuid, canonical])
            if uid is None:
                return {}
            rows = await view.query(table.Weights, [self.netuid, int(uid)])
            return shares_of(rows or [])

        return self._ask(read)

    def close(self) -> None:
        """End the connection and its thread; the next question reopens."""
        connection = self._open
        if connection is not None:
            self._end(connection)

    def _ask(
        self,
        question: Callable[[Client], Coroutine[Any, Any, T]],
        timeout_seconds: float | None = None,
    ) -> T:
        timeout_seconds = timeout_seconds or READ_TIMEOUT_SECONDS
        connection = self._connection()
        try:
            return connection.ask(question, timeout_seconds)
        except TimeoutError as fault:
            self._end(connection)
            raise ChainUnavailable(
                f"{self._network} gave no answer in {timeout_seconds:g} s"
            ) from fault
        except _world_faults() as fault:
            self._end(connection)
            raise ChainUnavailable(
                f"{self._network} gave no usable answer: {plain(fault)}"
            ) from fault

    def _connection(self) -> _Connection:
        from bittensor import Client

        with self._lock:
            if self._open is None:
                client = Client(self._network, substrate=self._substrate)
                self._open = _Connection(client, LoopThread("chain"))
            return self._open

    def _end(self, connection: _Connection) -> None:
        """End this connection, and none that was opened after it."""
        with self._lock:
            if self._open is connection:
                self._open = None
        connection.end()


def _world_faults() -> tuple[type[Exception], ...]:
    """What a node that is away, or that answers nonsense, ends in.

    The SDK checks little of what a node says: nonsense comes to light as
    whatever its decoders and ours stumble over.
    """
    from bittensor import BittensorError

    return (
        BittensorError,
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        RuntimeError,
        KeyFault,
    )
