"""Logit checks that can tell: prompts, layers and betas of one run."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from quasar_core.contracts.reports import LogitsReport, PromptLogits
from quasar_core.errors import RejectionCode, TransientError
from quasar_core.judge.cores import (
    MUTANT_CORES,
    Betas,
    Operator,
    core_of,
    raced_core,
    trusted_core,
)
from quasar_core.judge.faults import KernelFault
from quasar_core.judge.logit_errors import Thresholds, compare_logits
from quasar_core.judge.logits import ReferenceModel, quasarised_logits
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings

REDRAWS = 3


@dataclass(frozen=True, eq=False)
class Prompt:
    """Secret tokens, the captured positions, and each layer's betas."""

    tokens: torch.Tensor
    positions: tuple[int, ...]
    betas: Betas


@dataclass(frozen=True)
class Check:
    """A model, a subset of its layers, and prompts that tell."""

    reference: ReferenceModel
    layers: tuple[int, ...]
    prompts: tuple[Prompt, ...]
    _trusted: dict[Prompt, torch.Tensor] = field(default_factory=dict)

    def trusted_logits(self, prompt: Prompt) -> torch.Tensor:
        """The logits with the trusted kernel; the model runs once for them.

        Prompts are drawn for one run, so that nothing outlives it here.
        """
        if prompt not in self._trusted:
            self._trusted[prompt] = self.logits(prompt, trusted_core)
        return self._trusted[prompt]

    def logits(self, prompt: Prompt, operator: Operator) -> torch.Tensor:
        """The logits at the captured positions with this operator."""
        return quasarised_logits(
            self.reference,
            prompt.tokens,
            prompt.positions,
            self.layers,
            core_of(operator, prompt.betas),
        )


def telling_check(
    reference: ReferenceModel,
    seeds: Seeds,
    settings: JudgeSettings,
    thresholds: Thresholds,
) -> Check:
    """A check that honest noise passes by half, and every mutant fails.

    Raises TransientError where even one replaced layer is too noisy, or
    where mutants stay unseen.
    """
    raced = raced_core(settings.element)
    wanted = min(settings.logits.replaced_layers, reference.layers)
    for count in range(wanted, 0, -1):
        check = _draw_check(reference, seeds, settings, count, 0)
        if not _is_quiet(check, raced, thresholds):
            continue
        for redraw in range(1, REDRAWS + 1):
            if not unseen_mutants(check, thresholds):
                return check
            check = _draw_check(reference, seeds, settings, count, redraw)
        raise TransientError("the logits do not tell mutants apart")
    raise TransientError("the model is too noisy for the logit check")


def _draw_check(
    reference: ReferenceModel,
    seeds: Seeds,
    settings: JudgeSettings,
    count: int,
    redraw: int,
) -> Check:
    chance = seeds.chance("layers", count, str(redraw))
    layers = sorted(chance.sample(range(reference.layers), count))
    prompts = tuple(
        _draw_prompt(reference, seeds, settings, f"{redraw}/{tokens}", tokens)
        for tokens in settings.logits.prompt_lengths
    )
    return Check(reference, tuple(layers), prompts)


def _draw_prompt(
    reference: ReferenceModel,
    seeds: Seeds,
    settings: JudgeSettings,
    name: str,
    tokens: int,
) -> Prompt:
    noise = seeds.generator("prompt", tokens, name)
    drawn = torch.randint(reference.vocabulary, (tokens,), generator=noise)
    chance = seeds.chance("positions", tokens, name)
    count = min(settings.logits.captured_positions, tokens) - 1
    positions = sorted(chance.sample(range(tokens - 1), count))
    return Prompt(drawn, (*positions, tokens - 1), Betas(seeds, name))


def _is_quiet(check: Check, honest: Operator, thresholds: Thresholds) -> bool:
    """Whether two honest kernels differ by half the thresholds at most."""
    for prompt in check.prompts:
        found = compare_logits(
            check.trusted_logits(prompt),
            check.logits(prompt, honest),
        )
        if not thresholds.allow_noise(found.cosine_sim, found.max_diff):
            return False
    return True


def unseen_mutants(check: Check, thresholds: Thresholds) -> tuple[str, ...]:
    """The mutants that would pass this check on its longest prompt."""
    prompt = max(check.prompts, key=lambda each: len(each.tokens))
    honest = check.trusted_logits(prompt)
    unseen = []
    for name, operator in MUTANT_CORES.items():
        found = compare_logits(honest, check.logits(prompt, operator))
        if thresholds.breach(found.cosine_sim, found.max_diff) is None:
            unseen.append(name)
    return tuple(unseen)


def report_of(check: Check, operator: Operator) -> LogitsReport:
    """Every prompt with the trusted kernel and with this operator.

    Raises KernelFault where the operator's logits are not finite.
    """
    return LogitsReport(
        model=check.reference.name,
        model_digest=check.reference.digest,
        stand_in=check.reference.stand_in,
        replaced_layers=check.layers,
        prompts=tuple(
            _prompt_report(check, prompt, operator) for prompt in check.prompts
        ),
    )


def _prompt_report(
    check: Check, prompt: Prompt, operator: Operator
) -> PromptLogits:
    honest = check.trusted_logits(prompt)
    other = check.logits(prompt, operator)
    if not bool(torch.isfinite(other).all()):
        raise KernelFault(
            RejectionCode.NON_FINITE,
            f"the logits of a prompt of {len(prompt.tokens)} tokens hold NaN"
            " or infinity",
        )
    found = compare_logits(honest, other)
    return PromptLogits(
        tokens=len(prompt.tokens),
        positions=len(prompt.positions),
        worst_cosine_sim=found.cosine_sim,
        worst_max_diff=found.max_diff,
        top1_agreement=found.top1_agreement,
        mean_kl_divergence=found.mean_kl_divergence,
    )
