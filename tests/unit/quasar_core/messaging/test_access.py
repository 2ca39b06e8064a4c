from quasar_core.messaging.access import worker_rules


def test_a_worker_is_given_three_doors_and_no_key_beside_them():
    rules = worker_rules("benchmark.cpu")
    assert [rule for rule in rules if rule.startswith("(")] == [
        "(+brpop ~benchmark.cpu)",
        "(+lpush %W~recording)",
        "(+lpush +ltrim %W~dead.benchmark.cpu)",
    ]
    assert [rule for rule in rules if "~" in rule] == list(rules[-3:])


def test_everything_is_denied_before_anything_is_allowed():
    rules = worker_rules("verification.h200")
    assert rules[:3] == ("resetkeys", "resetchannels", "-@all")
