"""How a row is called, and that a failure is an answer."""

import pytest
import torch
from fla_quasar.bench import running
from fla_quasar.bench.measuring import Measure
from fla_quasar.bench.peers import Peer
from fla_quasar.bench.rows import DELTA_NET_SPLIT, LAYER, OURS, Row


def make(tokens):
    return (torch.ones(tokens, requires_grad=True),)


@pytest.fixture(name="asked")
def _asked(monkeypatch):
    """(kind, name, whether autograd ran) of every row that is run."""
    asked = []

    def measure(kind, name, tokens, call):
        asked.append((kind, name, call() is None))
        return Measure(kind, name, tokens, 1.0, 1)

    def peer(name):
        return Peer(name, make, lambda x: x * 2)

    monkeypatch.setattr(running, "measure", measure)
    monkeypatch.setattr(running, "operator", peer)
    monkeypatch.setattr(running, "layer", peer)
    return asked


@pytest.mark.parametrize(
    ("kind", "name", "trains"),
    [
        ("forward", OURS, False),
        ("both", OURS, True),
        ("layer", DELTA_NET_SPLIT, False),
        ("training", LAYER, True),
    ],
)
def test_a_row_is_called_as_its_kind_says(asked, kind, name, trains):
    assert running.run(Row(kind, name, 5)).milliseconds == 1.0
    assert asked == [(kind, name, trains)]


def test_gradients_do_not_pile_up():
    module = torch.nn.Linear(3, 3)
    peer = Peer("x", make, module, module)
    (x,) = arguments = (torch.ones(2, 3, requires_grad=True),)
    call = running.both(peer, arguments)
    call()
    first = [t.grad.clone() for t in (x, *module.parameters())]
    call()
    second = [t.grad for t in (x, *module.parameters())]
    assert all(map(torch.equal, first, second))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (torch.cuda.OutOfMemoryError(), "out of memory"),
        (ModuleNotFoundError("no fla", name="fla"), "absent: fla"),
        (RuntimeError("bad kernel"), "failed: RuntimeError: bad kernel"),
    ],
)
def test_what_cannot_run_is_an_answer(monkeypatch, fault, says):
    def failing(_):
        raise fault

    monkeypatch.setattr(running, "operator", failing)
    assert running.run(Row("forward", OURS, 5)).failure == says
