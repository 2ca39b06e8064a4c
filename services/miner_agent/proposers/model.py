"""The model: proposals from any OpenAI-compatible endpoint."""

from __future__ import annotations

from dataclasses import dataclass

from quasar_core.client.chat import ChatClient, ModelBusy

from services.miner_agent.agent.limits import Prices
from services.miner_agent.agent.purse import ShiftPurse
from services.miner_agent.proposers.prompt import messages_for
from services.miner_agent.proposers.protocol import (
    NotNow,
    Proposal,
    Situation,
)
from services.miner_agent.proposers.reply import read_reply


@dataclass(frozen=True)
class Model:
    """Asks a model; what it writes is text until the sandbox runs it."""

    client: ChatClient
    purse: ShiftPurse
    prices: Prices
    reply_tokens: int
    name: str = "model"

    def propose(self, situation: Situation) -> Proposal | None:
        """One change, as whole files; a model never has nothing to say.

        Raises NotNow, UnusableReply, BudgetSpent, and ModelRefused where
        asking again is of no use.
        """
        messages = messages_for(situation)
        # No token is shorter than a byte.
        prompt_bytes = sum(len(one["content"].encode()) for one in messages)
        most = self.prices.of(prompt_bytes, self.reply_tokens)
        call = self.purse.reserve(most)
        try:
            reply = self.client.complete(messages)
        except ModelBusy as fault:
            if not fault.counted:
                self.purse.settle(call, 0.0)
            raise NotNow(str(fault), fault.retry_after_seconds) from fault
        if reply.prompt_tokens is not None:
            prompt, written = reply.prompt_tokens, reply.completion_tokens
            self.purse.settle(call, self.prices.of(prompt, written or 0))
        return read_reply(reply.text, situation.files)
