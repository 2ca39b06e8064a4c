"""The record: what a stop leaves, and what is done next."""

from dataclasses import replace

from fla_quasar.bench.measuring import Measure
from fla_quasar.bench.records import (
    Record,
    append,
    latest,
    of_setting,
    read,
    remaining,
    stopped,
)
from fla_quasar.bench.rows import Row

A, B, C = (Row("forward", name, 100) for name in "abc")


def answer(row, milliseconds=1.0, run="1", **other):
    measure = Measure(row.kind, row.name, row.tokens, milliseconds, 5)
    return Record(replace(measure, **other), run, "a card")


def stop(row):
    return stopped(row, "no answer", "1", "a card")


def test_what_is_appended_is_read_again(tmp_path):
    path = tmp_path / "new" / "record.jsonl"
    records = [answer(A, parts={"solve": 0.5}), stop(B)]
    for each in records:
        append(path, each)
    assert read(path) == records
    assert read(tmp_path / "none.jsonl") == []


def test_a_torn_last_line_costs_that_line(tmp_path):
    path = tmp_path / "record.jsonl"
    append(path, answer(A))
    with path.open("a") as file:
        file.write('{"measure": {"kind": "for')
    assert read(path) == [answer(A)]


def test_a_run_goes_on_with_what_has_no_answer():
    rows = [A, B, C]
    assert remaining(rows, []) == rows
    assert remaining(rows, [answer(A)]) == [B, C]
    assert remaining(rows, [stop(A), answer(C)]) == [B, A]
    assert remaining(rows, [stop(A), stop(A)]) == [B, C]
    failed = answer(A, None, failure="out of memory")
    assert remaining(rows, [failed]) == [B, C]


def test_the_last_answer_counts_and_a_stop_only_without_one():
    first, second = answer(A, 3.0), answer(A, 2.0, "2")
    assert latest([first, answer(B), second]) == [second, answer(B)]
    assert latest([first, stop(A)]) == [first]
    assert latest([stop(A), first]) == [first]
    assert latest([stop(A)]) == [stop(A)]


def test_cards_are_told_apart():
    other = replace(answer(A), setting="another card")
    assert of_setting([answer(A), other], "a card") == [answer(A)]
