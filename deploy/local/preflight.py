"""Before an operator's processes start: whether he can take part at all."""

from __future__ import annotations

from quasar_core.chain.open import open_chain
from quasar_core.chain.validators import validator_of
from quasar_core.chain.wallets import open_wallet
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.client.api import QuasarClient
from quasar_core.errors import QuasarError

from services.weight_setter.settings import WeightSetterSettings


class NotReady(QuasarError):
    """The operator cannot take part; the text says what to mend."""


def check_operator(settings: WeightSetterSettings) -> tuple[str, ...]:
    """What was found to be in order, a line each.

    Raises QuasarError with what to mend: a wallet that is missing or
    encrypted, a chain that does not answer, a hotkey that is not registered
    or has no validator permit, an API that is away or another subnet's.
    """
    wallet = open_wallet(
        settings.wallet_name, settings.wallet_hotkey, settings.wallet_path
    )
    chain = open_chain(settings.chain_url, settings.netuid, wallet=wallet)
    neuron = validator_of(chain.metagraph(), wallet.hotkey)
    _check_api(settings)
    subnet = f"subnet {settings.netuid} on {settings.chain_url}"
    return (
        f"validator {wallet.hotkey} is uid {neuron.uid} of {subnet}",
        f"the API at {settings.api_url} plays on that subnet",
    )


def _check_api(settings: WeightSetterSettings) -> None:
    try:
        with QuasarClient(settings.api_url) as client:
            current = client.current_round()
    except (ApiUnavailable, ProblemAnswer) as fault:
        raise NotReady(f"no round could be read: {fault}") from fault
    if current.netuid != settings.netuid:
        raise NotReady(
            f"the API at {settings.api_url} plays on subnet"
            f" {current.netuid}, not on {settings.netuid}: name the right one"
            " with --netuid or --api-url"
        )
