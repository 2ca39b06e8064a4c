import pytest
from typer.testing import CliRunner

from services.miner_agent.cli import miner


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resume", "what is done already is not done again"),
        ("withdraw", "what is running runs on"),
        ("status", "--watch"),
        ("submit", "--sealed"),
    ],
)
def test_help_teaches(name, words):
    shown = CliRunner().invoke(miner, [name, "--help"])
    assert shown.exit_code == 0
    assert words in " ".join(shown.stdout.split())
    assert "--json" in shown.stdout


def test_without_a_fork_there_is_nothing_to_resume(tmp_path):
    done = CliRunner().invoke(miner, ["resume", f"--repo-path={tmp_path}"])
    assert done.exit_code == 2
    assert "no git repository" in done.stderr
