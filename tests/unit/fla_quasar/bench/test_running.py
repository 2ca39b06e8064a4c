"""Who is measured at which length, and how."""

import pytest
import torch
from fla_quasar.bench import running
from fla_quasar.bench.measuring import Measure
from fla_quasar.bench.peers import Peer


@pytest.fixture(name="measured")
def _measured(monkeypatch):
    def make(tokens):
        return (torch.ones(tokens, requires_grad=True),)

    def double(x):
        return x * 2

    peers = [
        Peer("short", make, double, longest=10),
        Peer("split", make, double, splits_the_card=True),
    ]

    def measure(kind, name, tokens, call):
        result = call()
        by_autograd = isinstance(result, torch.Tensor)
        return Measure(kind, f"{name} {by_autograd}", tokens)

    monkeypatch.setattr(running, "operators", lambda: peers)
    monkeypatch.setattr(running, "layers", lambda: peers[:1])
    monkeypatch.setattr(running, "measure", measure)
    monkeypatch.setattr(running, "_parts", lambda tokens: [])
    monkeypatch.setattr(running, "LONGEST_BACKWARD", 15)
    return lambda *lengths: [
        (x.kind, x.name, x.tokens) for x in running.run_all(lengths)
    ]


def test_a_peer_runs_at_the_lengths_it_can(measured):
    assert measured(5, 12, 20) == [
        ("forward", "short True", 5),
        ("forward", "split True", 5),
        ("layer", "short True", 5),
        ("both", "short False", 5),
        ("forward", "split True", 12),
        ("forward", "split True", 20),
    ]


def test_running_out_of_memory_is_a_result(measured, monkeypatch):
    def make(_):
        raise torch.cuda.OutOfMemoryError

    peers = [Peer("large", make, torch.neg)]
    monkeypatch.setattr(running, "operators", lambda: peers)
    found = [x for x in running.run_all((5,)) if x.kind == "forward"]
    assert [x.failure for x in found] == ["out of memory"]


def test_the_impatient_skip_what_tunes_for_minutes(measured, monkeypatch):
    def make(tokens):
        return (torch.ones(tokens, requires_grad=True),)

    peers = [Peer("slow", make, torch.neg, tunes_for_minutes=True)]
    monkeypatch.setattr(running, "operators", lambda: peers)
    kinds = [x.kind for x in running.run_all((12,), patient=False)]
    assert kinds == ["forward"]
    assert [kind for kind, _, _ in measured(12)] == ["forward", "both"]
