"""The options that the miner's commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from services.miner_agent.settings import MinerSettings

RepoPath = Annotated[
    Path, typer.Option(help="The folder of your fork's repository.")
]
Remote = Annotated[
    str, typer.Option(help="The git remote that --sealed pushes to.")
]
SubmissionId = Annotated[
    UUID, typer.Argument(help="As `quasar miner submit` printed it.")
]
SeqLen = Annotated[
    int,
    typer.Option(
        "--seq-len",
        help="How many tokens it is judged at; decides the league.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output.")
]
ApiUrl = Annotated[
    str | None, typer.Option(help="The API of the competition.")
]
ChainUrl = Annotated[
    str | None,
    typer.Option(help="finney, test, a ws:// URL, or local:///PATH."),
]
Netuid = Annotated[int | None, typer.Option(help="The subnet.")]
WalletName = Annotated[str | None, typer.Option(help="Your wallet.")]
WalletHotkey = Annotated[str | None, typer.Option(help="Its hotkey.")]
WalletPath = Annotated[
    Path | None, typer.Option(help="The folder of the wallets.")
]


def settings_of(**given: str | int | Path | None) -> MinerSettings:
    """The environment's settings, with what was given on top."""
    chosen = {name: v for name, v in given.items() if v is not None}
    return MinerSettings.model_validate(chosen)
