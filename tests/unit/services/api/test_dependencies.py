from datetime import UTC

from fastapi import Request

from services.api.dependencies import target_of, utc_now


def request(path, query=b"", raw_path=None):
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": raw_path,
        "query_string": query,
        "headers": [],
    }
    return Request(scope)


def test_a_target_is_the_path_and_query_as_they_were_sent():
    assert target_of(request("/a b", b"x=1", b"/a%20b")) == "/a%20b?x=1"
    assert target_of(request("/a", b"", b"/a")) == "/a"
    assert target_of(request("/a", b"x", b"/a?x")) == "/a?x"


def test_the_clock_of_a_real_process_is_in_utc():
    assert utc_now().tzinfo is UTC
