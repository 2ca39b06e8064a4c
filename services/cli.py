"""`quasar`: one command line, joined lazily from the services' own."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command


class Entry(NamedTuple):
    """Where a command lives, and the line that `quasar --help` shows.

    The line stands here, and not only in the command's own module, so that
    help needs none of the services' imports: torch and bittensor together
    take seconds.
    """

    module: str
    attribute: str
    help: str


COMMANDS: Mapping[str, Entry] = MappingProxyType(
    {
        "demo": Entry(
            "deploy.local.cli",
            "demo",
            "Play a whole competition on this machine, watched live.",
        ),
        "up": Entry(
            "deploy.local.cli",
            "up",
            "Run the platform on this machine until Ctrl-C.",
        ),
        "doctor": Entry(
            "deploy.local.cli",
            "doctor",
            "What this machine lacks to mine, validate or administer.",
        ),
        "miner": Entry(
            "services.miner_agent.cli",
            "miner",
            "Take part: init, submit (--sealed), status, run (the agent).",
        ),
        "validate": Entry(
            "services.miner_agent.judging.cli",
            "validate",
            "Judge your own fork exactly as the workers will.",
        ),
        "validator": Entry(
            "deploy.local.cli",
            "validator",
            "One operator in one command: run; and audit of standings.",
        ),
        "api": Entry(
            "services.api.cli",
            "api",
            "The API's processes and its database.",
        ),
        "admin": Entry(
            "services.api.cli",
            "admin",
            "Administer a competition: rounds, submissions, bans, rebuild.",
        ),
        "worker": Entry(
            "services.benchmark_worker.cli",
            "worker",
            "The benchmark worker: run, doctor, canaries, replay.",
        ),
        "verifier": Entry(
            "services.verifier_worker.cli",
            "verifier",
            "The verifier worker: run.",
        ),
        "weights": Entry(
            "services.weight_setter.cli",
            "weights",
            "The weight setter: run, show.",
        ),
    }
)


def load(name: str, entry: Entry) -> Any:
    """The command behind an entry: a Typer app, or a plain function."""
    found = getattr(importlib.import_module(entry.module), entry.attribute)
    if isinstance(found, typer.Typer):
        command = get_command(found)
    else:
        single = typer.Typer(
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
        )
        single.command(name)(found)
        command = get_command(single)
    command.name = name
    return command


class LazyGroup(TyperGroup):
    """A group that imports a command's module only when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- click's
        """The names, in the order of a newcomer's interest."""
        return list(COMMANDS)

    def get_command(
        self, ctx: Any, cmd_name: str  # noqa: ARG002 -- click's signature
    ) -> Any:
        """The command of that name, loaded now; None for an unknown one."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else load(cmd_name, entry)

    def format_commands(
        self, ctx: Any, formatter: Any  # noqa: ARG002 -- click's signature
    ) -> None:
        """List the commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, entry.help) for name, entry in COMMANDS.items()]
            )


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Print the version and end, where `--version` was given."""
    if wanted:
        typer.echo(f"quasar {version('quasar-subnet')}")
        raise typer.Exit


@app.callback()
def quasar(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=show_version,
            help="Show the version and end.",
        ),
    ] = False,
) -> None:
    """QUASAR: race kernels, believe no number from inside the sandbox.

    New here? `quasar demo` shows everything in three minutes; then
    `quasar miner init` makes a fork of your own, and
    `quasar validate --repo-path DIR --seq-len N` judges it.
    """


def main() -> None:
    """The entry point of the `quasar` script."""
    app(prog_name="quasar")
