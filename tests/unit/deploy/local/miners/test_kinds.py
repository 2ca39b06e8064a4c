"""The demo's miners: each kernel does what its story says, no more, no less.

Their verdicts by the real judge are the end-to-end tests' affair.
"""

import importlib.util
import signal
import subprocess
import sys

import pytest
import torch
from fla_quasar.ops.quasar.naive import naive_quasar
from quasar_core.domain.screening import identity, screen
from quasar_core.domain.submissions import Status
from quasar_core.errors import RejectionCode, SubmissionFault

from deploy.local.miners.kinds import KERNELS, KINDS, kind_named

TOKENS = 192
BOUND = 1e-4

torch.set_num_threads(1)


def kernel_of(name):
    folder = KERNELS / name
    spec = importlib.util.spec_from_file_location(
        f"miner_{name}",
        folder / "__init__.py",
        submodule_search_locations=[str(folder)],
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.chunk_quasar


def inputs(tokens=TOKENS, key_scale=0.05):
    generator = torch.Generator().manual_seed(7)
    shape = (1, tokens, 8, 64)
    q, k, v = (
        torch.nn.functional.silu(torch.randn(shape, generator=generator))
        for _ in range(3)
    )
    beta = torch.rand(8, generator=generator) * 15 + 1
    return q, k * key_scale, v, beta


def worst_row_error(kernel, arguments, **options):
    truth, _ = naive_quasar(
        *(argument.double() for argument in arguments),
        **{name: value.double() for name, value in options.items()},
    )
    o, _ = kernel(*arguments, **options)
    error = (o.double() - truth).norm(dim=-1)
    return (error / truth.norm(dim=-1)).max().item()


def test_the_slow_miners_recurrence_is_right():
    assert worst_row_error(kernel_of("honest_slow"), inputs()) < BOUND


def test_the_slow_miner_takes_up_a_state_and_hands_it_back():
    q, k, v, beta = inputs(128)
    kernel = kernel_of("honest_slow")
    # position is by memory: the halves of each head's own stretch
    halves = [
        tuple(
            x.view(1, 8, 128, 64)[:, :, part].reshape(1, 64, 8, 64)
            for x in (q, k, v)
        )
        for part in (slice(0, 64), slice(64, 128))
    ]
    _, state = kernel(*halves[0], beta, output_final_state=True)
    _, ending = kernel(
        *halves[1], beta, initial_state=state, output_final_state=True
    )
    _, truth = naive_quasar(q, k, v, beta, output_final_state=True)
    torch.testing.assert_close(ending, truth, rtol=1e-4, atol=1e-5)


def test_without_a_mask_even_one_chunk_is_wrong():
    assert worst_row_error(kernel_of("no_mask"), inputs(64)) > 100 * BOUND


def test_the_forgetful_one_is_right_in_its_first_chunk_and_wrong_later():
    kernel = kernel_of("forgetful")
    assert worst_row_error(kernel, inputs(64)) < BOUND
    state = torch.randn(
        1, 8, 64, 64, generator=torch.Generator().manual_seed(3)
    )
    assert worst_row_error(kernel, inputs(64), initial_state=state) < BOUND
    assert worst_row_error(kernel, inputs()) > 100 * BOUND


def test_the_liar_prints_a_record_and_returns_zeros(capsys):
    q, k, v, beta = inputs(64)
    o, _ = kernel_of("liar")(q, k, v, beta, initial_state=None)
    assert torch.equal(o, torch.zeros_like(v))
    assert "1e12" in capsys.readouterr().out


def test_the_killer_ends_its_process():
    call = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from killer import chunk_quasar;"
        "chunk_quasar(None, None, None, None)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", call, str(KERNELS)],
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGSEGV


@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS if kind.code != RejectionCode.FORBIDDEN_IMPORT],
    ids=lambda kind: kind.name,
)
def test_the_screen_lets_pass_what_the_sandbox_must_catch(kind):
    screen(kind.files())


def test_the_screen_turns_the_forbidden_import_down():
    with pytest.raises(SubmissionFault) as fault:
        screen(kind_named("forbidden_import").files())
    assert fault.value.code is RejectionCode.FORBIDDEN_IMPORT


def test_a_copy_has_its_originals_identity_and_length_and_nobody_else_has():
    by_identity = {}
    for kind in KINDS:
        key = (identity(kind.files()), kind.leagues)
        by_identity.setdefault(key, []).append(kind.name)
    shared = [names for names in by_identity.values() if len(names) > 1]
    assert shared == [["honest_fast", "copy"]]
    assert kind_named("copy").copies == "honest_fast"


def test_there_are_eight_miners_and_a_copy_comes_last():
    assert len(KINDS) >= 8
    assert KINDS[-1].copies is not None
    assert {kind.status for kind in KINDS} == {Status.SCORED, Status.REJECTED}
