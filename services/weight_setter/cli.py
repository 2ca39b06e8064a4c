"""`quasar weights`: run the weight setter, or see what it would set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from quasar_core.errors import QuasarError
from quasar_core.options import AsJson, Chosen, neuron, with_settings

from services.weight_setter import app
from services.weight_setter.outlook import WOULD_SET, outlook
from services.weight_setter.settings import WeightSetterSettings

USAGE_FAULT = 2
_FINE = frozenset({"set", "skipped", "dry_run", WOULD_SET})

weights = typer.Typer(
    name="weights",
    help="Set a validator's weights as the last final round says.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Compute and say; set and report nothing."),
]


@weights.command("run")
@with_settings(WeightSetterSettings, neuron)
def run_command(
    *,
    settings: Chosen[WeightSetterSettings],
    dry_run: DryRun = False,
    once: Annotated[
        bool, typer.Option("--once", help="One turn, then end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set weights each tempo, and soon after a round becomes final.

    Reads the frozen standings from the API, resolves hotkeys to uids by
    the metagraph of the moment, sets them with the wallet's hotkey, and
    reports what it did. Any validator can run one; it needs the API's URL
    and a wallet, no queue and no database. Ends on SIGTERM or Ctrl-C.
    """
    with giving_up(as_json):
        if not once:
            app.serve(settings(), dry_run=dry_run)
            return
        app.hush()
        with app.opened(settings(), dry_run=dry_run) as opened:
            report = opened.setter.turn()
    if report is None:
        typer.echo("{}" if as_json else "nothing is due")
    elif as_json:
        typer.echo(report.model_dump_json())
    else:
        typer.echo(f"{report.outcome}: {report.reason or report.weights}")
    raise typer.Exit(
        0 if report is None or report.outcome in _FINE else USAGE_FAULT
    )


@weights.command("show")
@with_settings(WeightSetterSettings, neuron)
def show_command(
    *,
    settings: Chosen[WeightSetterSettings],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show the weights that stand on chain for this validator.

    With --dry-run: what would be set now (uid, share, the 16 bits that the
    chain stores) and why, or why nothing would. Exit code 2 where a turn
    would fail or be refused.
    """
    with giving_up(as_json):
        app.hush()
        with app.opened(settings(), dry_run=True) as opened:
            if dry_run:
                seen = outlook(opened.setter, opened.chain, opened.hotkey)
                value, lines = seen.as_dict(), seen.as_lines()
                fine = seen.outcome in _FINE
            else:
                value, fine = _stands(opened), True
                lines = _lines(value)
    typer.echo(json.dumps(value) if as_json else "\n".join(lines))
    raise typer.Exit(0 if fine else USAGE_FAULT)


def _stands(opened: app.App) -> dict[str, Any]:
    standing = opened.chain.weights_of(opened.hotkey)
    metagraph = opened.chain.metagraph()
    names = {neuron.uid: neuron.hotkey for neuron in metagraph.neurons}
    title = f"on chain at block {metagraph.block} for {opened.hotkey}:"
    if not standing:
        title = f"no weights stand on chain for {opened.hotkey}"
    rows = [
        {"uid": uid, "hotkey": names.get(uid), "share": share}
        for uid, share in sorted(standing.items())
    ]
    return {"title": title, "weights": rows}


def _lines(standing: dict[str, Any]) -> list[str]:
    rows = [
        f"  uid {row['uid']:>5}  {row['share']:8.4%}  {row['hotkey']}"
        for row in standing["weights"]
    ]
    return [standing["title"], *rows]


@contextmanager
def giving_up(as_json: bool) -> Iterator[None]:
    """Whatever is raised on purpose ends as a sentence and exit code 2."""
    try:
        yield
    except QuasarError as fault:
        if as_json:
            typer.echo(json.dumps({"error": {"message": str(fault)}}))
        else:
            typer.echo(f"error: {fault}", err=True)
        raise typer.Exit(USAGE_FAULT) from fault
