import pytest
from quasar_core.contracts.http import BanKind
from quasar_core.domain.submissions import ADMINISTRATOR_MOVES
from quasar_core.errors import Problem

from services.api.admin import service
from tests.support.api import settings_for
from tests.support.wallets import address, spelled


def test_every_move_of_an_administrator_has_an_order():
    assert {end for _, end in ADMINISTRATOR_MOVES} == set(
        service.GOES_TO.values()
    )


def test_who_is_banned_has_one_spelling():
    hotkey = spelled("a").ss58_address
    assert service.subject_of(BanKind.HOTKEY, hotkey) == address("a")
    network = service.subject_of(BanKind.ADDRESS, "2001:db8::7")
    assert network == "2001:db8::/64"
    with pytest.raises(Problem):
        service.subject_of(BanKind.ADDRESS, address("a"))


def test_of_an_address_only_its_host_is_shown():
    settings = settings_for(
        "postgresql://me:hunter2@db.example.org:5432/quasar",
        redis_url="rediss://:hunter2@redis.example.org/0",
        chain_url="finney",
    )
    shown = service.shown(settings)
    assert shown["database_url"] == "postgresql://db.example.org"
    assert shown["redis_url"] == "rediss://redis.example.org"
    assert shown["chain_url"] == "finney"
    assert "hunter2" not in str(shown)
