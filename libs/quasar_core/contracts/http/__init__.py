"""What the HTTP interface takes and gives: requests, answers, problems."""

from quasar_core.contracts.http.boards import (
    BaselineView,
    Leaderboard,
    LeaderboardRow,
    LeagueView,
    RoundView,
    Standings,
    StandingsRow,
)
from quasar_core.contracts.http.problems import (
    Accepted,
    Health,
    ProblemDetails,
)
from quasar_core.contracts.http.submissions import (
    QuotaLeft,
    StageView,
    SubmissionAccepted,
    SubmissionMove,
    SubmissionPage,
    SubmissionRequest,
    SubmissionStats,
    SubmissionSummary,
    SubmissionView,
    Verdict,
    WorkerView,
)
from quasar_core.contracts.http.weights import (
    WeightsHistory,
    WeightsRecord,
    WeightsReport,
)

MAX_BODY_BYTES = 64 * 1024

__all__ = [
    "MAX_BODY_BYTES",
    "Accepted",
    "BaselineView",
    "Health",
    "Leaderboard",
    "LeaderboardRow",
    "LeagueView",
    "ProblemDetails",
    "QuotaLeft",
    "RoundView",
    "StageView",
    "Standings",
    "StandingsRow",
    "SubmissionAccepted",
    "SubmissionMove",
    "SubmissionPage",
    "SubmissionRequest",
    "SubmissionStats",
    "SubmissionSummary",
    "SubmissionView",
    "Verdict",
    "WeightsHistory",
    "WeightsRecord",
    "WeightsReport",
    "WorkerView",
]
