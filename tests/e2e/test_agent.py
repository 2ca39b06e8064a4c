"""`quasar miner run` on the real stack: killed twice, it hands in once."""

from __future__ import annotations

# pylint: disable=redefined-outer-name
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.miners.forks import make_fork
from deploy.local.miners.kinds import kind_named
from deploy.local.rules import Rules
from deploy.local.stack import Stack
from tests.support.platform import QUASAR, quasar
from tests.support.waiting import eventually
from tests.support.workers import QUICK_JUDGE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
]

JUDGE = json.dumps(
    QUICK_JUDGE
    | {
        "samples": 8,
        "back_to_back_calls": 4,
        "logits": {"prompt_lengths": [256]},
    }
)
TOKENS = 256
RULES = Rules(
    league_unit=64,
    block_seconds=0.25,
    round_blocks=100_000,
    blocks_until_reveal=40,
    judge=JUDGE,
)
MIN_GAIN = 0.2
"""What the clock of two shared cores can tell."""

PATIENCE_SECONDS = 400.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("stack"), RULES) as running:
        running.start()
        yield running


class AgentAtWork:
    """`quasar miner run` as a process, started again as often as needed."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        slow = make_fork(folder / "slow", kind_named("honest_slow"))
        self.fork = folder / "fork"
        self.log = folder / "log"
        self.arguments = (
            *("miner", "run", "--json", "--no-logits"),
            f"--base={slow.url}",
            f"--repo-path={self.fork}",
            f"--seq-len={TOKENS}",
            f"--min-gain={MIN_GAIN}",
            "--wallet-name=night",
        )
        self.environment = {
            **os.environ,
            "QUASAR_API_URL": stack.wiring.api_url,
            "QUASAR_CHAIN_URL": stack.place.chain_url,
            "QUASAR_NETUID": "24",
            "QUASAR_WALLET_PATH": str(stack.place.wallets),
            "QUASAR_JUDGE": JUDGE,
        }

    def start(self, most: int) -> subprocess.Popen[bytes]:
        """The same command, once more, for so many tries in all."""
        with self.log.open("ab") as file:
            return subprocess.Popen(
                [QUASAR, *self.arguments, f"--max-tries={most}"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=sys.stderr,
            )

    def events(self, *names: str) -> list[dict[str, object]]:
        """What all of them have told so far, of these names."""
        whole = self.log.read_text().rpartition("\n")[0]
        told = [json.loads(line) for line in whole.splitlines()]
        assert not [one for one in told if "error" in one], told
        return [one for one in told if not names or one["event"] in names]

    def heads_at_once(self, commit_hash: str) -> int:
        """What the kernel of a commit does in one step; the slow fork's, 1.

        The more of it, the fewer steps: that counts work, whatever else
        runs on this machine.
        """
        kernel = subprocess.run(
            [
                *("git", "-C", self.fork, "show"),
                f"{commit_hash}:fla/ops/quasar/chunk.py",
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        found = re.search(r"^HEADS_AT_ONCE = (\d+)$", kernel, re.MULTILINE)
        assert found, kernel
        return int(found[1])

    def killed_after(self, event: str) -> None:
        """Start it, and SIGKILL it once it has told of the event."""
        process = self.start(most=8)
        try:
            eventually(
                lambda: self.events(event) or process.poll() is not None,
                event,
                PATIENCE_SECONDS,
            )
            assert process.poll() is None, self.log.read_text()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def test_it_finds_a_better_kernel_and_hands_it_in_once_though_killed_twice(
    stack, tmp_path
):
    agent = AgentAtWork(stack, tmp_path)

    agent.killed_after("proposed")  # while it judges
    agent.killed_after("sealed")  # before it is pushed and revealed
    last = agent.start(most=1)  # hand in, and try nothing more
    assert last.wait(PATIENCE_SECONDS) == 0, agent.log.read_text()

    resumed = [one["resumed"] for one in agent.events("shift")]
    assert resumed == [False, True, True]
    shown = quasar("miner", "journal", "--repo-path", str(agent.fork))
    assert "chunk.py:HEADS_AT_ONCE 1 -> " in shown.stdout
    journal = json.loads(
        quasar(
            "miner", "journal", "--repo-path", str(agent.fork), "--json"
        ).stdout
    )
    _, *tries = journal["tries"]
    kept = [one for one in tries if one["commit_hash"]]
    assert [one["status"] for one in kept] == ["scored"]
    assert all(one["gain_low"] > 1 + MIN_GAIN for one in kept)
    with stack.client() as client:
        hotkey = client.submission(kept[0]["submission_id"]).hotkey
        listed = client.submissions(hotkey=hotkey).submissions
        views = [client.submission(one.submission_id) for one in listed]
    # each kept improvement once, and nothing else
    assert [view.commit_hash for view in views] == [
        one["commit_hash"] for one in kept
    ]
    for view in views:
        assert view.status == "scored"
        assert view.commitment is not None
        assert view.score is not None
        assert agent.heads_at_once(view.commit_hash) > 1
    head = subprocess.run(
        ["git", "-C", agent.fork, "rev-parse", "HEAD"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert head == kept[-1]["commit_hash"]
