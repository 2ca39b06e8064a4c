"""What is measured first, and what `--only` picks."""

from fla_quasar.bench.rows import (
    DELTA_SPLIT,
    GATED,
    LENGTHS,
    OURS,
    SOFTMAX,
    Row,
    chosen,
    plan,
)


def test_what_the_targets_speak_of_comes_first():
    rows = plan()
    assert [row.key for row in rows[:4]] == [
        "limit/copy/0",
        "limit/product/0",
        f"forward/{OURS}/1000000",
        f"forward/{DELTA_SPLIT}/1000000",
    ]
    kinds = list(dict.fromkeys(row.kind for row in rows))
    assert kinds[:4] == ["limit", "forward", "layer", "both"]
    assert rows[-1].is_tuned_briefly
    assert len(set(rows)) == len(rows)


def test_every_operator_is_at_every_length_it_can_be():
    rows = plan()
    for name in (OURS, DELTA_SPLIT, GATED):
        at = {r.tokens for r in rows if (r.kind, r.name) == ("forward", name)}
        assert at == set(LENGTHS)
    assert max(r.tokens for r in rows if r.name == SOFTMAX) == 100_000
    assert max(r.tokens for r in rows if r.kind == "both") == 300_000


def test_other_lengths_leave_limits_and_accuracy():
    rows = plan((777,))
    assert {r.tokens for r in rows if r.kind == "forward"} == {777}
    assert {r.kind for r in rows} >= {"limit", "accuracy", "layer", "kernel"}


def test_only_picks_by_part_of_a_name():
    rows = [Row("forward", "a", 10), Row("both", "a", 20)]
    assert chosen(rows, []) == rows
    assert chosen(rows, ["both/"]) == rows[1:]
    assert chosen(rows, ["/10", "both"]) == rows
    assert chosen(rows, ["nothing"]) == []


def test_a_peer_that_tunes_itself_is_given_longer():
    ours, theirs = Row("both", OURS, 1), Row("both", GATED, 1)
    assert ours.patience_seconds < theirs.patience_seconds
    assert not ours.is_tuned_briefly
