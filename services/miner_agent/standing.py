"""`quasar miner explain`: a place and a share, in plain words."""

from __future__ import annotations

from typing import Annotated

import typer
from quasar_core.chain.wallets import open_wallet
from quasar_core.client.api import QuasarClient
from quasar_core.contracts.http import (
    ExplainedChallenge,
    ExplainedSubmission,
    Explanation,
    Neighbour,
)
from quasar_core.options import AsJson, Chosen, with_settings

from services.miner_agent.explain import printable, scored
from services.miner_agent.output import answer, answering
from services.miner_agent.settings import MinerSettings


@with_settings(MinerSettings)
def explain_command(
    *,
    round_number: Annotated[
        int | None,
        typer.Option("--round", help="Which round; the open one without."),
    ] = None,
    hotkey: Annotated[
        str | None, typer.Option(help="Whose place; your own without.")
    ] = None,
    settings: Chosen[MinerSettings],
    as_json: AsJson = False,
) -> None:
    """Explain a place and a share: who is above, and what did not count.

    Of a round that still runs, as if it ended now.
    """
    with answering(as_json):
        chosen = settings()
        if hotkey is None:
            hotkey = open_wallet(
                chosen.wallet_name,
                chosen.wallet_hotkey,
                chosen.wallet_path,
            ).hotkey
        with QuasarClient(chosen.api_url) as client:
            if round_number is None:
                round_number = client.current_round().round_number
            found = client.explanation(round_number, hotkey)
    lines = [printable(line) for line in told(found)]
    answer(found.model_dump(mode="json"), lines, as_json=as_json)


def told(found: Explanation) -> list[str]:
    """An explanation, line by line."""
    when = "final" if found.final else "as if it ended now"
    lines = [f"round {found.round_number} ({found.round_status}): {when}"]
    entry = found.entry
    if entry is None:
        lines.append("place:  none; nothing of yours counts yet")
    else:
        place = f"{entry.place} of {found.ranked}"
        speedup = f"{entry.speedup_vs_baseline:.2f} x the baseline"
        score = f"{entry.weighted_score:,.0f} in league {entry.league}"
        lines += [
            f"place:  {place}, by submission {entry.submission_id}",
            f"score:  {score}, {speedup}",
            *_neighbours(found),
            *_level(found),
            *_share(found),
        ]
    lines += [_challenge(one) for one in found.challenges]
    return lines + [_submission(one) for one in found.submissions]


def _neighbours(found: Explanation) -> list[str]:
    lines = []
    if found.above is not None:
        lines.append(
            f"above:  {_by(found.above)}; to pass, exceed"
            f" {found.above.score_to_pass:,.0f}"
        )
    if found.below is not None:
        lines.append(
            f"below:  {_by(found.below)}; passes you above"
            f" {found.below.score_to_pass:,.0f}"
        )
    return lines


def _by(other: Neighbour) -> str:
    side = "faster" if other.ahead_by >= 0 else "slower"
    return (
        f"{other.hotkey} with {other.weighted_score:,.0f},"
        f" {abs(other.ahead_by):.2%} {side} than you"
    )


def _level(found: Explanation) -> list[str]:
    founder = found.founder
    if founder is None:
        return []
    if founder.is_me:
        return ["level:  yours; you founded it"]
    who = founder.hotkey + (
        ", with the same code" if founder.same_code else ""
    )
    where = f"block {founder.commit_block}, submission {founder.submission_id}"
    return [f"level:  founded by {who} ({where})"]


def _share(found: Explanation) -> list[str]:
    share = found.share
    if share.paid_place is not None:
        rest = f"{share.filled_places} of four filled, {share.unfilled_policy}"
        place = f"paid place {share.paid_place} ({share.place_share:.0%})"
        return [f"share:  {share.share:.2%} for {place}; {rest}"]
    why = found.unpaid_sentence or found.unpaid_reason or ""
    instead = (
        f" (submission {found.paid_instead})" if found.paid_instead else ""
    )
    return [f"share:  none. {why}{instead}"]


def _challenge(one: ExplainedChallenge) -> str:
    attacks = one.side == "challenger"
    mine, other, deed = one.challenger, one.defender, "challenged"
    if not attacks:
        mine, other, deed = other, mine, "was challenged by"
    end = {None: "open", True: "won", False: "lost"}[one.won]
    ratio = ""
    if one.ratio_low is not None and one.ratio_high is not None:
        whose = "your score over his" if attacks else "his score over yours"
        ratio = f", {whose} {one.ratio_low:.4f} to {one.ratio_high:.4f}"
    when = f" on {one.decided_at:%Y-%m-%d %H:%M}" if one.decided_at else ""
    return (
        f"  {mine.submission_id} {deed} {other.hotkey}:"
        f" {end}{when}{ratio}. {one.sentence}"
    )


def _submission(one: ExplainedSubmission) -> str:
    speed = ""
    if one.tokens_per_sec is not None:
        low = one.tokens_per_sec_low or one.tokens_per_sec
        high = one.tokens_per_sec_high or one.tokens_per_sec
        speed = f", {scored(one.tokens_per_sec, low, high)}"
    return (
        f"  {one.submission_id} {one.status} in {one.league}{speed}:"
        f" {one.reason}. {one.sentence}"
    )
