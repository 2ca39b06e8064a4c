"""The workload: whole chunks, six shapes at most, sizes in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.workload import (
    Profile,
    Workload,
    correctness_lengths,
    judged_length,
)


@given(st.integers(1, 10**9))
def test_a_target_is_judged_at_whole_chunks_and_never_fewer(target):
    judged = judged_length(target)
    assert judged % 64 == 0
    assert target <= judged < target + 64


@pytest.mark.parametrize("target", [0, -64])
def test_no_target_below_one_token_is_judged(target):
    with pytest.raises(ValueError, match="no sequence length"):
        judged_length(target)


@given(st.integers(1, 10**5), st.sampled_from(Profile))
def test_correctness_has_six_shapes_at_most_and_the_raced_one(chunks, profile):
    lengths = correctness_lengths(chunks * 64, profile)
    assert len(lengths) <= 6
    assert chunks * 64 in lengths
    assert min(lengths) == 64
    assert max(lengths) > 128 * 64
    assert all(length % 64 == 0 for length in lengths)
    assert list(lengths) == sorted(set(lengths))


@pytest.mark.parametrize("length", [0, 63, 65, -64])
def test_only_whole_chunks_are_checked(length):
    with pytest.raises(ValueError, match="whole chunks"):
        correctness_lengths(length, "cpu")


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match="tpu"):
        correctness_lengths(64, "tpu")


def test_processors_judge_in_float32_and_accelerators_in_bf16():
    assert Profile.CPU.element_bytes == 4
    assert Profile.GPU.element_bytes == 2


def test_the_sizes_of_a_million_tokens_in_bf16():
    workload = Workload(1_000_000)
    assert workload.shape == (1, 1_000_000, 8, 64)
    assert workload.elements == 512_000_000
    assert workload.tensor_bytes(2) == 1_024_000_000
    assert workload.input_bytes(2) == 3 * 1_024_000_000 + 32
    assert workload.output_bytes(2) == 1_024_000_000
    assert workload.beta_bytes == 32
    assert workload.state_bytes == 8 * 64 * 64 * 4
