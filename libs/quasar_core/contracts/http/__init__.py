"""What the HTTP interface takes and gives: requests, answers, problems."""

from quasar_core.contracts.http.admin import (
    BanKind,
    BanOrder,
    Bans,
    BanView,
    ConfigView,
    LiftOrder,
    Order,
    RoundOrdered,
    SubmissionOrdered,
)
from quasar_core.contracts.http.boards import (
    BaselineView,
    Leaderboard,
    LeaderboardRow,
    LeagueView,
    RoundView,
    Standings,
    StandingsRow,
)
from quasar_core.contracts.http.challenges import (
    ChallengePage,
    ChallengeView,
    Contender,
    ExplainedChallenge,
)
from quasar_core.contracts.http.explanations import (
    ExplainedSubmission,
    Explanation,
    LevelFounder,
    Neighbour,
    ShareFactors,
)
from quasar_core.contracts.http.problems import (
    Accepted,
    Health,
    ProblemDetails,
)
from quasar_core.contracts.http.sealed import (
    CommitmentAccepted,
    CommitmentRequest,
    CommitmentView,
    QuotaLeft,
    RevealRequest,
    SourceView,
)
from quasar_core.contracts.http.submissions import (
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
    "BanKind",
    "BanOrder",
    "BanView",
    "Bans",
    "BaselineView",
    "ChallengePage",
    "ChallengeView",
    "CommitmentAccepted",
    "CommitmentRequest",
    "CommitmentView",
    "ConfigView",
    "Contender",
    "ExplainedChallenge",
    "ExplainedSubmission",
    "Explanation",
    "Health",
    "Leaderboard",
    "LeaderboardRow",
    "LeagueView",
    "LevelFounder",
    "LiftOrder",
    "Neighbour",
    "Order",
    "ProblemDetails",
    "QuotaLeft",
    "RevealRequest",
    "RoundOrdered",
    "RoundView",
    "ShareFactors",
    "SourceView",
    "StageView",
    "Standings",
    "StandingsRow",
    "SubmissionAccepted",
    "SubmissionMove",
    "SubmissionOrdered",
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
