from quasar_core.judge.harness import digest, harness_digest


def test_a_digest_binds_names_and_contents_apart():
    digests = {
        digest({"a": b"bc"}),
        digest({"ab": b"c"}),
        digest({"a": b"b", "c": b""}),
        digest({}),
    }
    assert len(digests) == 4


def test_the_order_of_files_does_not_matter():
    assert digest({"a": b"1", "b": b"2"}) == digest({"b": b"2", "a": b"1"})


def test_the_harness_has_one_digest():
    assert harness_digest() == harness_digest()
    assert len(harness_digest()) == 64
