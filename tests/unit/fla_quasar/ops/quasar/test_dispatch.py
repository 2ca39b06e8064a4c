"""Where a call runs on this machine."""

import sys

import pytest
import torch
from fla_quasar.ops.quasar import chunk_quasar, naive_quasar
from fla_quasar.ops.quasar.dispatch import (
    FOUND,
    runs_triton,
    triton_state,
)

from tests.support.attention_inputs import make_case


@pytest.fixture(autouse=True)
def _asked_afresh():
    FOUND.clear()
    yield
    FOUND.clear()


def test_tensors_on_a_cpu_are_pytorchs():
    assert triton_state() == "compiled"
    assert not runs_triton(torch.ones(1))


def test_float64_is_always_pytorchs(monkeypatch):
    monkeypatch.setattr(
        "fla_quasar.ops.quasar.dispatch.triton_state", lambda: "interpreted"
    )
    assert runs_triton(torch.ones(1))
    assert not runs_triton(torch.ones(1, dtype=torch.float64))


def test_everything_works_where_triton_is_not_installed(monkeypatch):
    monkeypatch.delitem(
        sys.modules, "fla_quasar.ops.quasar.kernels", raising=False
    )
    monkeypatch.setitem(sys.modules, "triton", None)
    assert triton_state() == "absent"
    x = make_case("plain", 5)
    torch.testing.assert_close(
        chunk_quasar(*x.tensors), naive_quasar(*x.tensors)
    )
