import time

from services.api.db.ids import Stamps, new_id


def test_ids_are_uuids_of_version_seven_that_tell_their_time():
    made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) / 1000 - time.time()) < 60


def test_later_ids_are_greater_though_the_clock_stands_still_or_goes_back():
    times = iter([5_000_000, 5_000_000, 1_000_000, 6_000_000])
    stamps = Stamps(lambda: next(times))
    ids = [new_id(stamps) for _ in range(4)]
    assert ids == sorted(ids)
    assert [made.int >> 80 for made in ids] == [5, 5, 5, 6]


def test_ids_sort_as_text_as_they_sort_as_numbers():
    ids = [new_id() for _ in range(200)]
    assert sorted(ids, key=str) == ids
    assert len(set(ids)) == 200
