from datetime import UTC

import pytest
from fastapi import Request
from quasar_core.chain.chain import Neuron
from quasar_core.errors import Problem, ProblemCode

from services.api.dependencies import (
    canonical_filter,
    check_admin,
    check_validator,
    target_of,
    utc_now,
)
from tests.support.api import settings_for
from tests.support.wallets import address, spelled


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


def test_only_a_permit_makes_a_validator():
    check_validator(Neuron(0, "h", "c", validator_permit=True))
    with pytest.raises(Problem) as refused:
        check_validator(Neuron(0, "h", "c"))
    assert refused.value.code is ProblemCode.NOT_PERMITTED


def test_an_administrator_is_one_in_whatever_spelling_the_settings_have():
    settings = settings_for(
        "sqlite:///x", admin_hotkeys=(spelled("boss").ss58_address,)
    )
    check_admin(settings, address("boss"))
    with pytest.raises(Problem) as refused:
        check_admin(settings, address("alice"))
    assert refused.value.code is ProblemCode.NOT_PERMITTED


def test_a_hotkey_that_is_asked_for_is_read_in_any_spelling():
    assert canonical_filter(spelled("a").ss58_address) == address("a")
    with pytest.raises(ValueError, match="ss58"):
        canonical_filter("1" * 48)
