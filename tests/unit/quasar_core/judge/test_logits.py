import json
from pathlib import Path

import pytest
import torch
from quasar_core.errors import TransientError
from quasar_core.judge.logits import (
    load_model,
    make_stand_in,
    quasarised_logits,
    softmax_core,
)

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_stand_in(tmp_path_factory.mktemp("model"), 7)


def test_a_stand_in_is_what_its_seed_makes_it(folder, tmp_path):
    again = load_model(make_stand_in(tmp_path / "same", 7))
    other = load_model(make_stand_in(tmp_path / "other", 8))
    here = load_model(folder)
    assert here.digest == again.digest != other.digest
    assert (here.stand_in, here.name) == (True, "stand-in-7")
    names = {path.name for path in folder.iterdir()}
    assert "model.safetensors" in names
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)


@pytest.mark.parametrize("replaced", [0, 3, 6])
def test_with_its_own_core_a_replaced_layer_computes_the_same(
    folder, replaced
):
    reference = load_model(folder)
    tokens = torch.arange(96) % reference.vocabulary
    with torch.inference_mode():
        whole = reference.model(tokens.view(1, -1)).logits[0]
    found = quasarised_logits(
        reference, tokens, [3, 95], range(replaced), softmax_core
    )
    assert torch.allclose(found, whole[[3, 95]], atol=1e-4)


def test_only_the_replaced_layers_use_the_core(folder):
    reference = load_model(folder)
    seen = []

    def core(layer, q, k, v):
        seen.append((layer, q.shape, k.shape))
        return v

    quasarised_logits(reference, torch.arange(64), [63], [1, 4], core)
    shape = (1, 10, 64, 64)
    assert seen == [(1, shape, shape), (4, shape, shape)]
    kinds = {type(layer.self_attn) for layer in reference.model.model.layers}
    assert len(kinds) == 1


def test_a_model_of_another_name_is_no_stand_in(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    del config["quasar_stand_in_seed"]
    other = tmp_path / "Qwen2.5"
    other.mkdir()
    (other / "config.json").write_text(json.dumps(config))
    (other / "model.safetensors").write_bytes(
        (folder / "model.safetensors").read_bytes()
    )
    found = load_model(other)
    assert (found.stand_in, found.name) == (False, "Qwen2.5")


@pytest.mark.parametrize(
    "config", [None, "{", '{"model_type": "llama"}', '{"model_type": "qwen2"}']
)
def test_what_is_no_safe_model_of_this_kind_is_not_loaded(tmp_path, config):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(TransientError):
        load_model(tmp_path)


def test_a_name_is_looked_up_in_the_local_cache_and_never_fetched(
    folder, tmp_path, monkeypatch
):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(TransientError, match="hub cache"):
        load_model(Path("some/model"))
    cached = tmp_path / "models--some--model"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("a" * 40)
    (cached / "snapshots").mkdir()
    (cached / "snapshots" / ("a" * 40)).symlink_to(folder)
    assert load_model(Path("some/model")).digest == load_model(folder).digest
