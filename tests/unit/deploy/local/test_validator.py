"""An operator's three processes: what they are told, and where they play."""

from pathlib import Path

import pytest
from quasar_core.chain.local import LocalChain
from quasar_core.chain.signatures import worker_keypair
from quasar_core.chain.wallets import open_wallet

from deploy.local.processes import ProcessFault
from deploy.local.validator import (
    MODULES,
    Deployment,
    NotLocal,
    join_local_chain,
    run_operator,
)


def test_what_is_given_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("QUASAR_POOL", "h200")
    monkeypatch.setenv("QUASAR_API_URL", "http://elsewhere")
    found = Deployment(
        api_url="http://here", wallet_path=Path("/wallets"), netuid=24
    ).environment("weight-setter")
    assert found["QUASAR_API_URL"] == "http://here"
    assert found["QUASAR_WALLET_PATH"] == "/wallets"
    assert found["QUASAR_NETUID"] == "24"
    assert found["QUASAR_POOL"] == "h200"


@pytest.mark.parametrize("name", ["benchmark-worker", "verifier-worker"])
def test_a_worker_is_not_told_of_the_wallet(name, monkeypatch):
    for variable in ("WALLET_HOTKEY", "BT_WALLET_NAME", "WALLET_MINER_NAME"):
        monkeypatch.setenv(variable, "a-secret-name")
    deployment = Deployment(
        redis_url="redis://broker",
        wallet_name="a-secret-name",
        wallet_hotkey="a-secret-name",
        wallet_path=Path("/a-secret-name"),
    )
    assert "a-secret-name" in str(deployment.environment("weight-setter"))
    found = deployment.environment(name)
    assert "a-secret-name" not in str(found)
    assert found["QUASAR_REDIS_URL"] == "redis://broker"


def test_the_setter_is_told_of_no_queue_and_of_no_workers_key(monkeypatch):
    monkeypatch.setenv("QUASAR_WORKER_SEED_FILE", "/seed")
    deployment = Deployment(redis_url="redis://broker", pool="h200")
    found = deployment.environment("weight-setter")
    assert "redis://broker" not in found.values()
    assert "/seed" not in found.values()


def test_on_a_local_chain_the_operator_is_registered_with_a_permit(tmp_path):
    path = tmp_path / "chain.json"
    chain = LocalChain.create(path)
    wallets = tmp_path / "wallets"
    joined = join_local_chain(
        Deployment(chain_url=f"local://{path}", wallet_path=wallets)
    )
    assert joined.netuid == chain.netuid
    (neuron,) = chain.metagraph().neurons
    wallet = open_wallet("validator", "default", wallets)
    assert neuron.hotkey == wallet.hotkey
    assert neuron.validator_permit


def test_mock_reads_what_is_not_given_from_the_environment(
    tmp_path, monkeypatch
):
    path = tmp_path / "chain.json"
    chain = LocalChain.create(path)
    monkeypatch.setenv("QUASAR_CHAIN_URL", f"local://{path}")
    monkeypatch.setenv("QUASAR_WALLET_NAME", "mine")
    monkeypatch.setenv("QUASAR_WALLET_PATH", str(tmp_path))
    join_local_chain(Deployment())
    (neuron,) = chain.metagraph().neurons
    assert neuron.hotkey == open_wallet("mine", "default", tmp_path).hotkey


@pytest.mark.parametrize("url", [None, "finney", "ws://127.0.0.1:9944"])
def test_mock_never_means_a_real_chain(url):
    with pytest.raises(NotLocal, match="local:///PATH"):
        join_local_chain(Deployment(chain_url=url))


def test_a_process_that_cannot_start_is_told_with_its_log(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(MODULES, "benchmark-worker", "services.no_such")
    with pytest.raises(ProcessFault, match="no_such"):
        run_operator(Deployment(), tmp_path)


def test_workers_sign_with_one_key_that_is_told_and_know_no_wallet(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("WALLET_HOTKEY", "a-secret-name")
    show = tmp_path / "show_seed.py"
    show.write_text(
        "import os; print('seed', os.environ['QUASAR_WORKER_SEED_FILE'],"
        " 'a-secret-name' in str(os.environ))"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in MODULES:
        monkeypatch.setitem(MODULES, name, "show_seed")
    with pytest.raises(ProcessFault) as ended:
        run_operator(Deployment(), tmp_path)
    seed = tmp_path / "worker.seed"
    assert f"seed {seed} False" in str(ended.value)
    assert worker_keypair(seed).ss58_address in capsys.readouterr().out
