"""`QuasarAttention`: its parts, its modes, its cache."""

import pytest
import torch
from fla_quasar.layers import QuasarAttention
from fla_quasar.ops.quasar import naive_quasar


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def layer(**options):
    options = {"hidden_size": 24, "head_dim": 16, "num_heads": 2} | options
    return QuasarAttention(**options)


@pytest.mark.parametrize("layout", ["interleaved", "causal"])
@pytest.mark.parametrize("mode", ["chunk", "fused_recurrent"])
def test_it_is_its_parts_around_the_truth(mode, layout):
    attention = layer(mode=mode, layout=layout).double()
    x = torch.randn(2, 70, 24, dtype=torch.float64)
    y, cache = attention(x)
    parts = attention.prepare(x)
    o, _ = naive_quasar(parts.q, parts.k, parts.v, parts.beta, layout=layout)
    torch.testing.assert_close(y, attention.combine(o, x))
    assert y.shape == x.shape
    assert cache is None


def test_its_mode_is_honoured(monkeypatch):
    ran = []
    monkeypatch.setattr(
        "fla_quasar.layers.quasar.CORES",
        {
            name: lambda q, *_, _name=name, **__: (
                ran.append(_name) or q,
                None,
            )
            for name in ("chunk", "fused_recurrent")
        },
    )
    for mode in ("chunk", "fused_recurrent"):
        layer(mode=mode)(torch.randn(1, 5, 24))
    assert ran == ["chunk", "fused_recurrent"]


def test_the_raced_layer_has_the_parameters_of_its_definition():
    attention = QuasarAttention(512, 64, 8, mode="chunk")
    assert {n: tuple(p.shape) for n, p in attention.named_parameters()} == {
        "beta_log": (8,),
        "q_proj.weight": (512, 512),
        "k_proj.weight": (512, 512),
        "v_proj.weight": (512, 512),
        "q_conv1d.weight": (512, 4),
        "k_conv1d.weight": (512, 4),
        "v_conv1d.weight": (512, 4),
        "g_proj.0.weight": (64, 512),
        "g_proj.1.weight": (512, 64),
        "g_proj.1.bias": (512,),
        "o_norm.weight": (64,),
        "o_proj.weight": (512, 512),
    }
    assert attention.layout == "interleaved"
    beta_log = attention.beta_log.detach()
    assert 0 <= beta_log.min() <= beta_log.max() <= torch.tensor(16.0).log()


@pytest.mark.parametrize("use_short_conv", [True, False])
@pytest.mark.parametrize("mode", ["chunk", "fused_recurrent"])
def test_decoding_with_a_cache_is_one_long_call(mode, use_short_conv):
    attention = layer(
        mode=mode, use_short_conv=use_short_conv, layout="causal"
    )
    x = torch.randn(2, 80, 24)
    whole, _ = attention(x)
    first, cache = attention(x[:, :70], use_cache=True)
    outputs = [first]
    for t in range(70, 77):
        y, cache = attention(x[:, t : t + 1], cache=cache, use_cache=True)
        outputs.append(y)
    y, _ = attention(x[:, 77:], cache=cache)
    outputs.append(y)
    torch.testing.assert_close(
        torch.cat(outputs, 1), whole, rtol=1e-4, atol=1e-5
    )


def test_packed_sequences_are_those_sequences_one_by_one():
    attention = layer(layout="causal")
    x = torch.randn(1, 50, 24)
    marks = torch.tensor([0, 20, 50])
    y, cache = attention(x, use_cache=True, cu_seqlens=marks)
    for n, (start, stop) in enumerate([(0, 20), (20, 50)]):
        want, end = attention(x[:, start:stop], use_cache=True)
        torch.testing.assert_close(
            y[:, start:stop], want, rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(
            cache.state[n], end.state[0], rtol=1e-4, atol=1e-5
        )


def test_no_causal_token_sees_a_later_one():
    attention = layer(layout="causal")
    x = torch.randn(1, 90, 24)
    before, _ = attention(x)
    x[:, 60:] = 3
    after, _ = attention(x)
    torch.testing.assert_close(after[:, :60], before[:, :60])


def test_every_parameter_gets_a_gradient():
    attention = layer(conv_bias=True)
    y, _ = attention(torch.randn(1, 66, 24))
    y.square().sum().backward()
    idle = [
        name
        for name, parameter in attention.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert idle == []


def test_torch_compile_takes_it_whole():
    attention = layer(layout="causal", conv_bias=True)
    compiled = torch.compile(attention, fullgraph=True, backend="aot_eager")

    def outcome(form):
        attention.zero_grad()
        x = torch.linspace(-1, 1, 2 * 70 * 24).view(2, 70, 24)
        y, _ = form(x)
        y.square().sum().backward()
        return [y.detach(), *(p.grad.clone() for p in form.parameters())]

    for mine, true in zip(outcome(compiled), outcome(attention), strict=True):
        torch.testing.assert_close(mine, true)


def test_inference_keeps_nothing_for_a_gradient():
    attention = layer()
    x = torch.randn(1, 66, 24)
    kept = []

    def keep(tensor):
        kept.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        with torch.inference_mode():
            y, _ = attention(x)
        assert kept == []
        assert not y.requires_grad
        attention(x)
    assert kept


def test_in_bfloat16_beta_stays_float32():
    attention = layer().bfloat16()
    x = torch.randn(1, 10, 24).bfloat16()
    assert attention.prepare(x).beta.dtype == torch.float32
    assert attention(x)[0].dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "parallel"}, "mode is 'parallel'"),
        ({"layout": "mixed"}, "layout is 'mixed'"),
        ({"head_dim": 48}, "supported are 16, 32, 64, 128"),
        ({"num_heads": 0}, "at least 1"),
        ({"conv_size": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_built_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        layer(**options)


def test_what_cannot_be_computed_is_refused():
    x = torch.randn(1, 4, 24)
    with pytest.raises(ValueError, match="layout='causal'"):
        layer()(x, use_cache=True)
    with pytest.raises(ValueError, match="layout='causal'"):
        layer()(x, cu_seqlens=torch.tensor([0, 4]))
    with pytest.raises(ValueError, match=r"\[B, T, 24\]"):
        layer()(x[..., :20])
