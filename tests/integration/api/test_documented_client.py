"""The client in the documents, run as it stands against the real API."""

import re
import subprocess
import sys
from pathlib import Path

from quasar_core.chain.wallets import create_wallet

from tests.support.api import make_world, submission
from tests.support.api_server import served

PAGE = Path(__file__).resolve().parents[3] / "docs" / "http-api.md"


def test_the_documented_client_submits_with_the_sdk_alone(
    sqlite_url, tmp_path
):
    (client,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert "quasar" not in client
    wallet = create_wallet("miner", "default", tmp_path / "wallets")
    sent = submission("miner")
    for world in make_world(sqlite_url, tmp_path):
        world.open_round()
        world.chain.register(wallet.hotkey, wallet.coldkey)
        with served(world.client.app) as url:
            done = subprocess.run(
                [
                    *(sys.executable, "-c", client, url),
                    str(tmp_path / "wallets"),
                    sent["fork_url"],
                    sent["commit_hash"],
                    str(sent["target_sequence_length"]),
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("202 ")
        page = world.client.get(f"/submissions?hotkey={wallet.hotkey}").json()
        assert len(page["submissions"]) == 1
