import pytest
from quasar_core.chain.chain import ChainUnavailable
from quasar_core.errors import Problem, ProblemCode

from services.api.miners.registry import Registry
from tests.support.chains import Rules, local_world
from tests.support.wallets import address


def test_a_chain_that_is_away_at_the_start_is_opened_when_it_is_back(tmp_path):
    world = local_world(tmp_path, Rules())
    world.register("alice", False)
    answers = iter([ChainUnavailable("away"), world.chain])

    def open_chain():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    registry = Registry(open_chain, 60, 600)
    with pytest.raises(Problem) as refused:
        registry.registered(address("alice"))
    assert refused.value.status == 503
    assert refused.value.code is ProblemCode.METAGRAPH_UNAVAILABLE
    assert registry.registered(address("alice")).uid == 0


def test_a_hotkey_without_a_neuron_is_not_registered(tmp_path):
    world = local_world(tmp_path, Rules())
    registry = Registry(lambda: world.chain, 60, 600)
    with pytest.raises(Problem) as refused:
        registry.registered(address("stranger"))
    assert refused.value.status == 403
    assert refused.value.code is ProblemCode.NOT_REGISTERED


def test_a_neuron_is_at_hand_once_the_chain_was_asked(tmp_path):
    world = local_world(tmp_path, Rules())
    world.register("alice", False)
    registry = Registry(lambda: world.chain, 60, 600)
    assert registry.at_hand(address("alice")) is None
    registry.registered(address("alice"))
    assert registry.at_hand(address("alice")).uid == 0
    assert registry.at_hand(address("stranger")) is None


def test_the_last_height_is_remembered_while_the_chain_is_away(tmp_path):
    world = local_world(tmp_path, Rules())
    world.advance(7)
    registry = Registry(lambda: world.chain, 60, 600)
    assert registry.last_height() == 7

    def gone():
        raise ChainUnavailable("gone")

    unopened = Registry(gone, 60, 600)
    assert unopened.last_height() is None
    with pytest.raises(Problem) as refused:
        unopened.known_height()
    assert refused.value.code is ProblemCode.CHAIN_UNAVAILABLE
    assert registry.known_height() == 7
    with pytest.raises(ChainUnavailable):
        unopened.height()


def test_a_height_that_cannot_be_read_is_the_metagraphs(tmp_path, monkeypatch):
    world = local_world(tmp_path, Rules())
    world.register("alice", False)
    world.advance(7)
    registry = Registry(lambda: world.chain, 60, 600)

    def gone():
        raise ChainUnavailable("gone")

    monkeypatch.setattr(world.chain, "block", gone)
    assert registry.last_height() is None
    registry.registered(address("alice"))
    assert registry.last_height() == 7
