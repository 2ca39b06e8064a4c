"""Which numbers of a kernel's text are tunables, and how one is replaced."""

import pytest
from quasar_core.judge.pinned import baseline_files

from services.miner_agent.proposers.tunables import (
    LARGEST,
    Tunable,
    find_tunables,
    with_values,
)

KERNEL = '''\
"""Größe ist nicht alles."""
BLOCK = 64
_WIDE: int = 16
small = 3
NAME, OTHER = 1, 2
RATIO = 0.5
FLAG = True
NOTHING = 0
HUGE = 1_000_000_000
BARE: int


class Tile:
    """How it is launched."""

    rows: int
    warps: int
    stages: int


def launch(kernel, x):
    kernel[x](x, BT=32, num_warps=4, n=5, num_stages=2 if x else 3)
    triton.Config({"BS": 8, "ignored": 9, **x}, num_warps=8)
    tile = Tile(16, 4, 3) if x else Tile(x, 2)
    s = "ä"; y = f(s, BT=128)
    return BLOCK + 7, tile, y
'''


def found(text=KERNEL):
    return {one.key: one.value for one in find_tunables({"chunk.py": text})}


def test_constants_and_launch_arguments_are_found_in_their_order():
    assert found() == {
        "chunk.py:BLOCK": 64,
        "chunk.py:_WIDE": 16,
        "chunk.py:BT": 32,
        "chunk.py:num_warps": 4,
        "chunk.py:num_stages": 2,
        "chunk.py:num_stages#2": 3,
        "chunk.py:BS": 8,
        "chunk.py:num_warps#2": 8,
        "chunk.py:rows": 16,
        "chunk.py:warps": 4,
        "chunk.py:stages": 3,
        "chunk.py:warps#2": 2,
        "chunk.py:BT#2": 128,
    }


def test_a_number_is_replaced_where_it_stands_and_nothing_else():
    changed = with_values(
        {"chunk.py": KERNEL, "other.py": "N = 1\n"},
        {"chunk.py:BT#2": 7, "chunk.py:BLOCK": 128, "other.py:N": 1},
    )
    assert changed == {
        "chunk.py": KERNEL.replace("BLOCK = 64", "BLOCK = 128").replace(
            "BT=128", "BT=7"
        )
    }
    assert found(changed["chunk.py"])["chunk.py:BT#2"] == 7


def test_two_numbers_of_one_line_are_both_replaced():
    text = "f(BT=8, num_warps=4)\r\n"
    changed = with_values({"a.py": text}, {"a.py:BT": 16, "a.py:num_warps": 2})
    assert changed == {"a.py": "f(BT=16, num_warps=2)\r\n"}


@pytest.mark.parametrize("text", ["def broken(:", "\0", "(" * 10_000])
def test_what_does_not_parse_has_no_tunables(text):
    assert find_tunables({"chunk.py": text}) == ()


@pytest.mark.parametrize(
    ("name", "value", "steps"),
    [
        ("BLOCK", 64, (128, 32, 256, 16)),
        ("BLOCK", 1, (2, 4)),
        ("BLOCK", LARGEST, (LARGEST // 2, LARGEST // 4)),
        ("num_warps", 32, (16, 8)),
        ("warps", 4, (8, 2, 16, 1)),
        ("num_stages", 1, (2, 3)),
        ("stages", 8, (7, 6)),
    ],
)
def test_a_tunable_steps_up_and_down_within_its_bounds(name, value, steps):
    assert Tunable(name, name, value, 1, 0, 1).neighbours() == steps


def test_the_baseline_has_blocks_warps_stages_and_segments():
    files = {name: text.decode() for name, text in baseline_files().items()}
    names = {one.key for one in find_tunables(files)}
    assert {
        "chunk_kernels.py:SOLVERS",
        "chunk_kernels.py:rows",
        "chunk_kernels.py:warps",
        "chunk_kernels.py:stages",
        "segments.py:SHORTEST_SEGMENT",
    } <= names
