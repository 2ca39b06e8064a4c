"""The options that the miner's commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from quasar_core.options import Chosen

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


def settings_of(**given: str | int | Path | None) -> MinerSettings:
    """The environment's settings, with what was given on top."""
    return Chosen(MinerSettings, given)()
