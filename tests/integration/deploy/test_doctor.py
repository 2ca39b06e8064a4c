"""`quasar doctor` on a real deployment, and with a bad one of each part."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from quasar_core.chain.wallets import create_wallet

from deploy.local.doctor import examine
from deploy.local.parts import Part
from tests.support.bad_nodes import always, answering
from tests.support.clocked_server import telling
from tests.support.waiting import eventually
from tests.support.wallets import address
from tests.support.workers import worker_environment

QUASAR = Path(sys.executable).with_name("quasar")


@pytest.fixture
def validator(sqlite_url, redis_url, tmp_path, platform, monkeypatch):
    """The environment of a validator's machine, of which all is well."""
    wallet = create_wallet("validator", "default", tmp_path / "wallets")
    platform.chain.register(
        wallet.hotkey, address("cold"), validator_permit=True
    )
    platform.start("web", "scheduler")
    settings = worker_environment(tmp_path, redis_url) | {
        "QUASAR_DATABASE_URL": sqlite_url,
        "QUASAR_API_URL": platform.url,
        "QUASAR_CHAIN_URL": platform.environment["QUASAR_CHAIN_URL"],
        "QUASAR_NETUID": platform.environment["QUASAR_NETUID"],
        "QUASAR_WALLET_PATH": str(tmp_path / "wallets"),
    }
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    eventually(lambda: not ill(), "a round that is open")
    return settings


def ill(part=Part.VALIDATOR):
    """The rows that fail."""
    return {
        each.name: each for each in examine(part, {}) if each.state == "FAIL"
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_deployment_is_looked_at_part_by_part(
    validator, platform, own_valkey, tmp_path, monkeypatch
):
    told = subprocess.run(
        [QUASAR, "doctor", "--json"],
        env=os.environ | validator,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(told.stdout)
    assert (told.returncode, answer["fit"]) == (0, True), told.stdout
    assert {check["name"] for check in answer["checks"]} >= {
        "sandbox",
        "driver",
        "disk",
        "redis",
        "database",
        "api",
        "round",
        "clock",
        "chain",
        "wallet",
        "registration",
        "permit",
    }
    assert ill(Part.OWNER).keys() == {"wallet"}

    with monkeypatch.context() as bad:
        bad.setenv("QUASAR_REDIS_URL", own_valkey.url)
        own_valkey.stop()
        assert ill().keys() == {"redis"}
    with monkeypatch.context() as bad:
        bad.setenv("QUASAR_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
        assert ill().keys() == {"database"}
    with monkeypatch.context() as bad:
        bad.setenv("QUASAR_NETUID", "7")
        assert ill().keys() == {"round", "chain", "registration", "permit"}
    with monkeypatch.context() as bad, answering(always("nonsense")) as url:
        bad.setenv("QUASAR_CHAIN_URL", url)
        assert ill().keys() == {"chain", "registration", "permit"}
    with monkeypatch.context() as bad:
        bad.setenv("QUASAR_WALLET_HOTKEY", "another")
        assert ill().keys() == {"wallet", "registration", "permit"}
    with monkeypatch.context() as bad:
        create_wallet("validator", "new", tmp_path / "wallets")
        bad.setenv("QUASAR_WALLET_HOTKEY", "new")
        assert ill().keys() == {"registration", "permit"}
    with monkeypatch.context() as bad:
        other = create_wallet("validator", "poor", tmp_path / "wallets")
        platform.chain.register(other.hotkey, address("cold-2"))
        bad.setenv("QUASAR_WALLET_HOTKEY", "poor")
        assert ill().keys() == {"permit"}
    with monkeypatch.context() as bad:
        (tmp_path / "bin").mkdir()
        for tool in ("git", "setpriv", "sh"):
            (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
        bad.setenv("PATH", str(tmp_path / "bin"))
        bad.setenv("QUASAR_SANDBOX_BACKEND", "bubblewrap")
        assert ill().keys() == {"sandbox"}
    with (
        monkeypatch.context() as bad,
        telling(pages_of(platform), now=time.time() - 3_600) as url,
    ):
        bad.setenv("QUASAR_API_URL", url)
        assert ill().keys() == {"clock"}

    platform.programs["web"].terminate()
    assert ill().keys() == {"api"}


def pages_of(platform):
    """What the real API says, to be told with another clock."""
    import httpx2

    return {
        path: httpx2.get(f"{platform.url}{path}").text
        for path in ("/health/ready", "/rounds/current")
    }
