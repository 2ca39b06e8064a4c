"""Joins the agent: fork, wallet, judge, proposer, desk and logbook."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

from quasar_core.chain.open import local_path
from quasar_core.client.api import QuasarClient
from quasar_core.client.chat import ChatClient
from quasar_core.contracts.http import RoundView
from quasar_core.execution.own_git import (
    NOTHING,
    has_remote,
    private_folder,
    remote_url,
)
from quasar_core.judge.progress import Progress
from quasar_core.worker.locks import FileLock

from services.miner_agent import taking_part
from services.miner_agent.agent.bench import LocalJudge
from services.miner_agent.agent.desk import Desk
from services.miner_agent.agent.forking import (
    Origin,
    access,
    address_of,
    ensure_fork,
)
from services.miner_agent.agent.limits import (
    Backoff,
    Budget,
    Prices,
    QuietHours,
)
from services.miner_agent.agent.logbook import FILE, Logbook
from services.miner_agent.agent.loop import Agent
from services.miner_agent.agent.patience import Patience
from services.miner_agent.agent.purse import ShiftPurse
from services.miner_agent.agent.saying import Say
from services.miner_agent.agent.settings import AgentSettings, revealed
from services.miner_agent.agent.tables import Shift
from services.miner_agent.agent.task import Task
from services.miner_agent.agent.telling import as_dict, as_lines
from services.miner_agent.agent.wishes import Wish, check
from services.miner_agent.agent.workshop import Workshop
from services.miner_agent.journal import Journal
from services.miner_agent.output import JOURNAL_FOLDER
from services.miner_agent.proposers.model import Model
from services.miner_agent.proposers.protocol import Proposer
from services.miner_agent.proposers.search import Search
from services.miner_agent.repository import open_fork
from services.miner_agent.sealing import Tools
from services.miner_agent.taking_part import NotSent, check_length

FOLDER = "quasar-agent"


def run(
    settings: AgentSettings,
    wish: Wish,
    say: Say,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Run the agent until it ends by itself; raises what its parts raise."""
    settings.forget_secrets()
    check(settings, wish)
    quiet = settings.quiet_hours
    hours = QuietHours.read(quiet) if quiet else None
    origin = Origin(
        base=wish.base,
        github=wish.github,
        token=revealed(settings.github_token),
        github_url=settings.github_url,
    )
    looked_on = wish.once or wish.dry_run
    patience = Patience(
        Backoff(Random(f"{wish.seed}")),  # noqa: S311
        say,
        pause,
        0.0 if looked_on else settings.max_hours,
    )
    say("fork", patience.ask(lambda: ensure_fork(wish.repo_path, origin)))
    with ExitStack() as stack:
        logbook = _logbook(stack, wish)
        client, hotkey, current = patience.ask(
            lambda: _joined(stack, settings, wish)
        )
        length = wish.sequence_length or min(
            league.smallest_length for league in current.leagues
        )
        check_length(current, length)
        shift, was_cut = logbook.begin()
        told = "going on with" if was_cut else "beginning"
        say("shift", f"{told} shift {shift.id}", id=shift.id, resumed=was_cut)
        task = Task(
            workshop=Workshop(wish.repo_path),
            logbook=logbook,
            judging=LocalJudge(
                settings.judging,
                length,
                lambda progress: _tell_stage(say, progress),
                with_logits=wish.with_logits,
            ),
            proposer=_proposer(stack, settings, wish, logbook, shift),
            desk=_desk(settings, wish, logbook, say, client, hotkey, length),
            say=say,
            sequence_length=length,
            least_gain=_least_gain(settings, current),
            rules=_rules(current, length),
            budget=Budget(
                settings.max_tries, settings.max_hours, settings.max_cost
            ),
            quiet=hours,
            once=wish.once,
            seed=wish.seed,
            pause=pause,
        )
        why = Agent(task, shift).work()
        say("ended", f"shift {shift.id} is over: {why}", why=why)


def read_journal(repo_path: Path) -> tuple[dict[str, Any], list[str]]:
    """The logbook of a fork, for machines and for people."""
    open_fork(repo_path)
    folder = private_folder(repo_path, FOLDER)
    logbook = Logbook(folder if (folder / FILE).exists() else None)
    try:
        told = (logbook.shifts(), logbook.tries(), logbook.spent())
    finally:
        logbook.close()
    return as_dict(*told), as_lines(*told)


def _logbook(stack: ExitStack, wish: Wish) -> Logbook:
    """The fork's logbook, held alone; of a dry run one in memory."""
    folder = None
    if not wish.dry_run:
        folder = private_folder(wish.repo_path, FOLDER)
        lock = FileLock(folder / "lock")
        why = f"another agent is at work in {wish.repo_path}"
        stack.enter_context(lock.held_at_once(why))
    logbook = Logbook(folder)
    stack.callback(logbook.close)
    return logbook


def _joined(
    stack: ExitStack, settings: AgentSettings, wish: Wish
) -> tuple[QuasarClient, str, RoundView]:
    """A client, its hotkey, and the round that is played."""
    with ExitStack() as opened:
        client, hotkey = opened.enter_context(_client(settings, wish))
        current = client.current_round()
        stack.enter_context(opened.pop_all())
    return client, hotkey, current


@contextmanager
def _client(
    settings: AgentSettings, wish: Wish
) -> Iterator[tuple[QuasarClient, str]]:
    """A client that signs for the miner; of a dry run one that does not."""
    if wish.dry_run:
        with QuasarClient(settings.api_url) as client:
            yield client, ""
        return
    if local_path(settings.chain_url) is not None:
        # on a local chain everybody is let in
        taking_part.join(settings, wish.repo_path)
    with taking_part.signed_client(settings) as signed:
        yield signed


def _desk(
    settings: AgentSettings,
    wish: Wish,
    logbook: Logbook,
    say: Say,
    client: QuasarClient,
    hotkey: str,
    length: int,
) -> Desk | None:
    if wish.dry_run:
        return None
    path = wish.repo_path
    url, where = _address(settings, wish)
    tools = Tools(
        client,
        Journal(private_folder(path, JOURNAL_FOLDER)),
        path,
        lambda line: say("sealing", line),
        push_environment=_let_in(settings, path, where),
    )
    return Desk(tools, logbook, say, hotkey, url, where, length)


def _address(settings: AgentSettings, wish: Wish) -> tuple[str, str | None]:
    """Where the judge reads the fork, and the remote that is pushed to.

    Raises NotSent where there is no such address, or no such remote.
    """
    path, remote = wish.repo_path, wish.remote
    url = wish.fork_url
    if url is None and local_path(settings.chain_url) is None:
        url = address_of(path, remote)
    if url is None:
        return taking_part.fork_url_of(settings, open_fork(path)), None
    if not has_remote(path, remote):
        raise NotSent(
            f"{path} knows no remote {remote} to push to: `git remote add"
            f" {remote} URL`, or name another with --remote"
        )
    return url, remote


def _let_in(
    settings: AgentSettings, path: Path, remote: str | None
) -> Mapping[str, str]:
    """How git is let in at the remote."""
    if remote is None:
        return NOTHING
    url = remote_url(path, remote)
    return access(url, revealed(settings.github_token))


def _proposer(
    stack: ExitStack,
    settings: AgentSettings,
    wish: Wish,
    logbook: Logbook,
    shift: Shift,
) -> Proposer:
    if not wish.uses_model or settings.model_url is None:
        return Search(wish.seed, wish.restarts)
    client = stack.enter_context(
        ChatClient(
            settings.model_url,
            settings.model_name,
            revealed(settings.model_token),
            timeout_seconds=settings.model_timeout_seconds,
            reply_tokens=settings.model_reply_tokens,
        )
    )
    prices = Prices(settings.model_prompt_price, settings.model_reply_price)
    purse = ShiftPurse(logbook, shift, settings.max_cost)
    return Model(client, purse, prices, settings.model_reply_tokens)


def _least_gain(settings: AgentSettings, current: RoundView) -> float:
    """What a challenge for a paid place asks for, unless said otherwise."""
    if settings.min_gain is not None:
        return settings.min_gain
    least = current.settings.get("min_improvement")
    if not isinstance(least, int | float):
        raise NotSent("the round names no `min_improvement`: say --min-gain")
    return least / 2


def _rules(current: RoundView, length: int) -> str:
    """What the round says of itself, for a model."""
    return (
        f"The kernel is timed at {length} tokens, in pool {current.pool!r}"
        f" (`cpu` means: no GPU, PyTorch on a processor, in float32)."
    )


def _tell_stage(say: Say, progress: Progress) -> None:
    if progress.seconds is not None:
        say(
            "stage",
            f"    {progress.stage.value} passed ({progress.seconds:.2f} s)",
            stage=progress.stage.value,
            seconds=progress.seconds,
        )
