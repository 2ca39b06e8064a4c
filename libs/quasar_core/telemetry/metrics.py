"""Metrics: every series that a process shows, with bounded labels.

A label's values come from closed lists (events, codes, statuses, route
templates, configured pools and workers): never a hotkey, a commit, a URL
or an id, of which strangers can make as many as they like.

Who counts what an alert asks for names its labels at the start, so that the
series is seen at 0 before it is seen at 1.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, start_http_server

SHORT_SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
    *(0.5, 1.0, 2.5, 5.0, 10.0),
)
LONG_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200)

# --- messages --------------------------------------------------------------

MESSAGES_PUBLISHED = Counter(
    "quasar_messages_published", "Messages put on a queue.", ["event"]
)
PUBLISH_FAILURES = Counter(
    "quasar_publish_failures", "Messages the broker did not take.", ["event"]
)
MESSAGES_HANDLED = Counter(
    "quasar_messages_handled",
    "Messages taken and handled, by how that ended.",
    ["event", "outcome"],
)
MESSAGES_SET_ASIDE = Counter(
    "quasar_messages_set_aside",
    "Messages that were not of our making, kept in dead.<queue>.",
    ["queue", "reason"],
)
HANDLING_SECONDS = Histogram(
    "quasar_handling_seconds",
    "Time from taking a message to being done with it.",
    ["event"],
    buckets=LONG_SECONDS,
)
CRASHES = Counter(
    "quasar_crashes", "Errors of our own making, each with a log.", ["where"]
)
SPOOLED_EVENTS = Gauge(
    "quasar_spooled_events", "Results on disk that await the broker."
)

# --- HTTP ------------------------------------------------------------------

REQUESTS = Counter(
    "quasar_requests", "Requests answered.", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "quasar_request_seconds",
    "Time to answer a request.",
    ["method", "route"],
    buckets=SHORT_SECONDS,
)
REFUSALS = Counter(
    "quasar_refusals", "Requests refused, by problem code.", ["code"]
)

LIMIT_REFUSALS = Counter(
    "quasar_limit_refusals",
    "Requests over a limit: a client's, a hotkey's, or failed signatures.",
    ["limit"],
)
LIMITS_OPEN = Counter(
    "quasar_limits_open",
    "Questions of limits that Redis did not answer: nothing was limited.",
)

# --- the queue and its attempts --------------------------------------------

SUBMISSIONS = Gauge(
    "quasar_submissions", "Submissions of the open round.", ["status"]
)
BEST_TOKENS_PER_SEC = Gauge(
    "quasar_best_tokens_per_sec",
    "The open round's fastest scored entry.",
    ["league"],
)
QUEUE_DEPTH = Gauge(
    "quasar_queue_depth",
    "Submissions that wait for a worker, from the database.",
    ["queue", "pool"],
)
QUEUE_OLDEST_SECONDS = Gauge(
    "quasar_queue_oldest_seconds",
    "Age of the submission that waits longest.",
    ["queue", "pool"],
)
ATTEMPTS = Counter(
    "quasar_attempts", "Attempts ended, by how.", ["queue", "outcome"]
)
LEASE_EXPIRIES = Counter(
    "quasar_lease_expiries", "Attempts whose worker went silent.", ["queue"]
)
OUTBOX_WAITING = Gauge(
    "quasar_outbox_waiting", "Outbox entries not yet published."
)
OUTBOX_LAG_SECONDS = Gauge(
    "quasar_outbox_lag_seconds", "Age of the oldest unpublished entry."
)
WORKERS_SEEN = Gauge(
    "quasar_workers_seen", "Workers heard of lately.", ["role", "pool"]
)
GAUGES_REFRESHED = Gauge(
    "quasar_gauges_refreshed_timestamp_seconds",
    "When the scheduler last read its gauges from the database, or started,"
    " Unix time; 0 elsewhere.",
)

CLOCK_AHEAD_SECONDS = Gauge(
    "quasar_clock_ahead_seconds",
    "How far the scheduler's clock is ahead of the database's; 0 elsewhere,"
    " and with SQLite.",
)

# --- judging ---------------------------------------------------------------

STAGE_SECONDS = Histogram(
    "quasar_stage_seconds",
    "Time a stage took that was passed.",
    ["stage"],
    buckets=LONG_SECONDS,
)
VERDICTS = Counter(
    "quasar_verdicts",
    "Verdicts: `passed`, `failed_run`, or a rejection's code.",
    ["code"],
)
JUDGE_OVERHEAD_SECONDS = Gauge(
    "quasar_judge_overhead_seconds", "An empty exchange's cost.", ["worker"]
)
BASELINE_SECONDS = Gauge(
    "quasar_baseline_seconds",
    "The trusted kernel's median sample, at the start of the round.",
    ["worker"],
)
CANARY_RUNS = Gauge(
    "quasar_canary_runs",
    "Canaries judged within a day: `right`, or `wrong`, by all workers.",
    ["canary", "outcome"],
)
CANARIES_OVERDUE = Gauge(
    "quasar_canaries_overdue",
    "Workers that are up and judged no canary for twice its period.",
    ["role"],
)
WORST_COSINE_SIM = Gauge(
    "quasar_worst_cosine_sim", "The last verification's worst position."
)
WORST_MAX_DIFF = Gauge(
    "quasar_worst_max_diff", "The last verification's worst position."
)

# --- rounds and weights ----------------------------------------------------

ROUND_NUMBER = Gauge("quasar_round_number", "The open round.")
ROUND_BLOCKS_LEFT = Gauge(
    "quasar_round_blocks_left", "Blocks until the open round closes."
)
ROUNDS = Gauge("quasar_rounds", "Rounds by status.", ["status"])
WEIGHTS_SET_AT = Gauge(
    "quasar_weights_set_at_seconds",
    "When this weight setter last set weights, Unix time; 0 before.",
)
WEIGHTS_DUE_SINCE = Gauge(
    "quasar_weights_due_since_seconds",
    "When this weight setter started, or last heard that no round is final,"
    " Unix time.",
)
WEIGHT_SETTINGS = Counter(
    "quasar_weight_settings", "Attempts to set weights.", ["outcome"]
)
CHAIN_CALLS = Counter(
    "quasar_chain_calls",
    "Calls to the chain: answered, unavailable, or how setting weights ended.",
    ["call", "outcome"],
)

# --- a worker's GPU ----------------------------------------------------------

GPU_MEMORY_USED_BYTES = Gauge(
    "quasar_gpu_memory_used_bytes",
    "Memory that is taken on the worker's GPU, by whomever.",
    ["worker"],
)
GPU_MEMORY_SIZE_BYTES = Gauge(
    "quasar_gpu_memory_size_bytes",
    "All memory of the worker's GPU.",
    ["worker"],
)
GPU_SM_CLOCK_HERTZ = Gauge(
    "quasar_gpu_sm_clock_hertz",
    "The clock of the GPU's multiprocessors, as of now.",
    ["worker"],
)
GPU_MEMORY_CLOCK_HERTZ = Gauge(
    "quasar_gpu_memory_clock_hertz",
    "The clock of the GPU's memory, as of now.",
    ["worker"],
)
GPU_TEMPERATURE_CELSIUS = Gauge(
    "quasar_gpu_temperature_celsius",
    "The temperature of the worker's GPU.",
    ["worker"],
)
GPU_THROTTLED = Gauge(
    "quasar_gpu_throttled",
    "1 where this holds the GPU's clocks down.",
    ["worker", "reason"],
)

# --- disks -----------------------------------------------------------------

DISK_FREE_BYTES = Gauge(
    "quasar_disk_free_bytes",
    "What this process may still write where it keeps this, as of now.",
    ["place"],
)
DISK_SIZE_BYTES = Gauge(
    "quasar_disk_size_bytes",
    "The size of the file system on which this process keeps this.",
    ["place"],
)


def serve_metrics(port: int, address: str = "127.0.0.1") -> bool:
    """Serve /metrics on its own port, in a daemon thread.

    Port 0 serves none and gives False. Raises OSError where the port is
    taken.
    """
    if port == 0:
        return False
    start_http_server(port, addr=address)
    return True
