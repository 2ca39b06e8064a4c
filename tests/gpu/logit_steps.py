"""The logit check on a card, with a model of the real shape."""

from __future__ import annotations

import time
from collections.abc import Iterator

from quasar_core.judge.cores import MUTANT_CORES, raced_core
from quasar_core.judge.logit_errors import Thresholds, compare_logits
from quasar_core.judge.pinned import baseline_source
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.verification import verify

from tests.gpu.judge_steps import Bench, Row

REAL_SIZES = {
    "vocab_size": 151_936,
    "hidden_size": 896,
    "intermediate_size": 4_864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32_768,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
    "tie_word_embeddings": True,
}
"""Qwen/Qwen2.5-0.5B-Instruct, by its published configuration."""


def logits(bench: Bench) -> Iterator[Row]:
    """The logit check with a model of the real shape and random weights."""
    from quasar_core.judge.logit_checks import telling_check
    from quasar_core.judge.logits import load_model, make_stand_in

    started = time.monotonic()
    folder = make_stand_in(bench.folder / "model", 7, REAL_SIZES)
    settings = bench.settings.with_model(folder)
    yield {"made_in_seconds": time.monotonic() - started}
    started = time.monotonic()
    reference = load_model(folder, bench.ground.device)
    seeds, thresholds = Seeds.fresh("calibration"), Thresholds()
    check = telling_check(reference, seeds, settings, thresholds)
    yield {
        "calibrated_in_seconds": time.monotonic() - started,
        "layers": reference.layers,
        "replaced": check.layers,
    }
    operators = {"noise": raced_core(settings.element), **MUTANT_CORES}
    for name, operator in operators.items():
        for prompt in check.prompts:
            found = compare_logits(
                check.trusted_logits(prompt), check.logits(prompt, operator)
            )
            yield {
                "logits_of": name,
                "tokens": len(prompt.tokens),
                "cosine_sim": found.cosine_sim,
                "max_diff": found.max_diff,
            }
    del check, reference
    started = time.monotonic()
    _, report, rejection = verify(
        baseline_source(),
        run_id="logits",
        settings=settings,
        sandbox=bench.sandbox,
        progress=lambda step: None,
        scratch=bench.folder,
        ground=bench.ground,
    )
    yield {
        "verified_in_seconds": time.monotonic() - started,
        "rejected": rejection and rejection.detail,
        "prompts": report and [one.model_dump() for one in report.prompts],
    }
