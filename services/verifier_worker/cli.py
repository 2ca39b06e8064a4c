"""`quasar verifier`: run the verifier worker."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="verifier",
    help="The verifier worker: checks logits.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

verifier = app


@app.callback()
def about() -> None:
    """The verifier worker: the reference model's logits, both kernels."""


@app.command()
def run() -> None:
    """Take jobs until Ctrl-C or SIGTERM.

    Settings come from QUASAR_* variables, as the benchmark worker's do;
    QUASAR_REFERENCE_MODEL is the folder of the model's weights.
    """
    from services.verifier_worker.app import main

    main()
