"""The three families of failure, and every code that a person may meet."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

EvidenceValue = str | int | float | bool | None
Evidence = Mapping[str, EvidenceValue]


class Stage(StrEnum):
    """What the judge does with a submission, cheapest first."""

    FETCH = "fetch"
    SCREEN = "screen"
    SMOKE = "smoke"
    CORRECTNESS = "correctness"
    WARM_UP = "warm_up"
    TIMED = "timed"
    LOGITS = "logits"


class RejectionCode(StrEnum):
    """Why a submission was turned down: the submission's own fault."""

    FORK_UNREACHABLE = "fork_unreachable"
    COMMIT_NOT_FOUND = "commit_not_found"
    FILES_MISSING = "files_missing"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    SYNTAX_ERROR = "syntax_error"
    FORBIDDEN_IMPORT = "forbidden_import"
    FORBIDDEN_CALL = "forbidden_call"
    MISSING_ENTRY_POINT = "missing_entry_point"
    IMPORT_ERROR = "import_error"
    COMPILE_ERROR = "compile_error"
    RUNTIME_ERROR = "runtime_error"
    PROCESS_EXIT = "process_exit"
    PROTOCOL_VIOLATION = "protocol_violation"
    WRONG_SHAPE_OR_DTYPE = "wrong_shape_or_dtype"
    OUTPUT_MISMATCH = "output_mismatch"
    NON_FINITE = "non_finite"
    INPUT_MODIFIED = "input_modified"
    OUT_OF_MEMORY = "out_of_memory"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    PROCESS_LIMIT = "process_limit"
    LOGITS_DIFFER = "logits_differ"
    HARMED_WORKER = "harmed_worker"


REJECTION_SENTENCES: Mapping[RejectionCode, str] = MappingProxyType(
    {
        RejectionCode.FORK_UNREACHABLE: (
            "The fork could not be read: the address answers, but not with"
            " a public git repository."
        ),
        RejectionCode.COMMIT_NOT_FOUND: (
            "The fork does not hold that commit, or the hash is not a"
            " commit's."
        ),
        RejectionCode.FILES_MISSING: (
            "The commit holds no kernel files in fla/ops/quasar/."
        ),
        RejectionCode.TOO_LARGE: (
            "The kernel files, or what had to be fetched to read them, are"
            " larger or more than the rules allow."
        ),
        RejectionCode.NOT_TEXT: (
            "A kernel file is not plain UTF-8 Python source, or is not a"
            " regular file."
        ),
        RejectionCode.SYNTAX_ERROR: "A kernel file does not parse as Python.",
        RejectionCode.FORBIDDEN_IMPORT: (
            "A kernel file imports a module that is not on the list of"
            " allowed imports."
        ),
        RejectionCode.FORBIDDEN_CALL: (
            "A kernel file uses a name that kernels may not use."
        ),
        RejectionCode.MISSING_ENTRY_POINT: (
            "The package fla.ops.quasar does not export chunk_quasar."
        ),
        RejectionCode.IMPORT_ERROR: (
            "Importing fla.ops.quasar failed in the sandbox."
        ),
        RejectionCode.COMPILE_ERROR: "A Triton kernel failed to compile.",
        RejectionCode.RUNTIME_ERROR: "chunk_quasar raised an error.",
        RejectionCode.PROCESS_EXIT: (
            "The process that runs the kernel ended by itself."
        ),
        RejectionCode.PROTOCOL_VIOLATION: (
            "The process that runs the kernel spoke out of turn, or its work"
            " went on after its answer."
        ),
        RejectionCode.WRONG_SHAPE_OR_DTYPE: (
            "chunk_quasar returned something other than an output of the"
            " shape and dtype of v."
        ),
        RejectionCode.OUTPUT_MISMATCH: (
            "The output differs from the definition of QuasarAttention by"
            " more than the bound."
        ),
        RejectionCode.NON_FINITE: "The output holds NaN or infinity.",
        RejectionCode.INPUT_MODIFIED: "chunk_quasar changed its inputs.",
        RejectionCode.OUT_OF_MEMORY: (
            "The kernel ran out of device memory at the league's length."
        ),
        RejectionCode.TIME_LIMIT: "A stage took longer than its limit.",
        RejectionCode.MEMORY_LIMIT: (
            "The kernel took more of the host's memory, or of the device's,"
            " than its limit."
        ),
        RejectionCode.PROCESS_LIMIT: (
            "The kernel started more processes or threads than its limit."
        ),
        RejectionCode.LOGITS_DIFFER: (
            "With the kernel in place, the reference model's logits differ"
            " by more than the thresholds."
        ),
        RejectionCode.HARMED_WORKER: (
            "The submission broke two healthy workers in a row."
        ),
    }
)


class ProblemCode(StrEnum):
    """Why a request was refused: the `code` of a problem+json answer."""

    # who is asking
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_MALFORMED = "signature_malformed"
    SIGNATURE_BAD = "signature_bad"
    SIGNATURE_STALE = "signature_stale"
    WRONG_RECEIVER = "wrong_receiver"
    NONCE_REPLAYED = "nonce_replayed"
    NOT_REGISTERED = "not_registered"
    NOT_PERMITTED = "not_permitted"
    HOTKEY_MISMATCH = "hotkey_mismatch"
    BANNED = "banned"
    # what is asked
    INVALID_REQUEST = "invalid_request"
    BELOW_SMALLEST_LEAGUE = "below_smallest_league"
    ABOVE_LARGEST_LENGTH = "above_largest_length"
    INVALID_COMMIT = "invalid_commit"
    INVALID_URL = "invalid_url"
    BODY_TOO_LARGE = "body_too_large"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    QUOTA_EXCEEDED = "quota_exceeded"
    RATE_LIMITED = "rate_limited"
    CONFLICT = "conflict"
    UNSEALED_NOT_ACCEPTED = "unsealed_not_accepted"
    COMMITMENT_REPEATED = "commitment_repeated"
    COMMITMENT_MISMATCH = "commitment_mismatch"
    SALT_REUSED = "salt_reused"
    REVEAL_TOO_EARLY = "reveal_too_early"
    REVEAL_TOO_LATE = "reveal_too_late"
    SOURCE_NOT_PUBLIC = "source_not_public"
    # what the platform cannot do just now
    METAGRAPH_UNAVAILABLE = "metagraph_unavailable"
    CHAIN_UNAVAILABLE = "chain_unavailable"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class QuasarError(Exception):
    """The root of everything that this project raises on purpose."""


class SubmissionFault(QuasarError):
    """The submission is at fault: final, told with code and sentence.

    `evidence` holds small plain values that show the fault (family, token,
    error, bound, file, line, rule ...).
    """

    def __init__(
        self,
        code: RejectionCode,
        stage: Stage,
        detail: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        super().__init__(f"{code.value} at {stage.value}: {detail}")
        self.code = code
        self.stage = stage
        self.detail = detail
        self.evidence: Evidence = MappingProxyType(dict(evidence or {}))

    @property
    def sentence(self) -> str:
        """One plain sentence for the miner."""
        return REJECTION_SENTENCES[self.code]


class TransientError(QuasarError):
    """The world is at fault: another attempt, free for the miner."""


class MachineFault(TransientError):
    """A job came to nothing since the machine under it came to harm."""


class Problem(QuasarError):
    """A request that the API refuses, as RFC 9457 will tell it.

    `members` stand beside the detail, for programs.
    """

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        detail: str,
        headers: Mapping[str, str] | None = None,
        members: Evidence | None = None,
    ) -> None:
        super().__init__(f"{status} {code.value}: {detail}")
        self.members: Evidence = MappingProxyType(dict(members or {}))
        self.status = status
        self.code = code
        self.detail = detail
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers or {}))
