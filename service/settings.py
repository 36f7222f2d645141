"""Every setting of the API and of the workers: typed, read once, every fault reported at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError, validate

from service.domain.callback import CallbackPolicy
from service.domain.signature import signing_keys

PREFIX = "STANCEWIRE_"
MODEL_PROFILES = ("fast", "accurate", "cascade")
DEFAULT_PROFILE = "cascade"


class SettingsError(ValueError):
    """At least one setting is wrong; the message lists every fault."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One process's configuration. Times are in seconds, sizes in bytes unless named otherwise."""

    database_url: str
    broker_url: str
    bind: str
    allow_keyless_bind: bool
    api_processes: int
    max_request_bytes: int
    request_timeout: int
    max_batch_articles: int
    max_queued: int
    max_wait: int
    idempotency_ttl: int
    retention_days: int
    retention_articles: int
    retention_interval: int
    tombstone_days: int
    audit_days: int
    poll_interval: int
    lease: int
    max_attempts: int
    soft_time_limit: int
    hard_time_limit: int
    visibility_timeout: int
    sweep_interval: int
    redeliver_after: int
    broker_timeout: float
    worker_heartbeat: int
    worker_processes: int
    worker_memory: int
    inference_threads: int
    weights_dir: Path
    profile: str
    backend: str
    ner_model: str
    stance_model: str
    stance_hypothesis: str
    log_level: str
    # Kept out of every traceback and log that shows the settings.
    webhook_secret: str = field(repr=False)
    webhook_allow_http: bool
    webhook_allow: tuple[str, ...]

    @property
    def callback_policy(self) -> CallbackPolicy:
        """Where webhooks may go."""
        return CallbackPolicy.of(allow_http=self.webhook_allow_http, allowed=self.webhook_allow)

    metrics_bind: str
    otlp_endpoint: str


def load_settings() -> Settings:
    """Read the settings from the process's environment.

    Raises `SettingsError` naming every variable that is wrong.
    """
    env = Env(eager=False, prefix=PREFIX)
    positive = validate.Range(min=1)
    values: dict[str, Any] = {
        "database_url": env.str("DATABASE_URL", "sqlite:///stancewire.db"),
        "broker_url": env.str("BROKER_URL", "redis://127.0.0.1:6379/0"),
        "bind": env.str("BIND", "127.0.0.1:8080"),
        "allow_keyless_bind": env.bool("ALLOW_KEYLESS_BIND", False),
        "api_processes": env.int("API_PROCESSES", 2, validate=positive),
        # 1,000 articles of 200,000 characters would be 200 MB; a batch of ordinary pages is 10 MB.
        "max_request_bytes": env.int("MAX_REQUEST_BYTES", 32 * 1024 * 1024, validate=positive),
        # A batch of ordinary pages (10 MB) at 1.5 Mbit/s.
        "request_timeout": env.int("REQUEST_TIMEOUT", 60, validate=positive),
        "max_batch_articles": env.int("MAX_BATCH_ARTICLES", 1000, validate=positive),
        # Days of work of one process. Whoever waits behind that is better told to come later.
        "max_queued": env.int("MAX_QUEUED", 50_000, validate=positive),
        # Longer than most proxies' idle limit (60 s) would break the connection, not the job.
        "max_wait": env.int("MAX_WAIT", 30, validate=validate.Range(min=0, max=60)),
        "idempotency_ttl": env.int("IDEMPOTENCY_TTL", 24 * 3600, validate=positive),
        # Off unless asked for: to delete by itself is not a default.
        "retention_days": env.int("RETENTION_DAYS", 0, validate=validate.Range(min=0)),
        "retention_articles": env.int("RETENTION_ARTICLES", 0, validate=validate.Range(min=0)),
        "retention_interval": env.int("RETENTION_INTERVAL", 60, validate=positive),
        # A row of 100 bytes each: a year of a million articles a day is 100 GB, so a busy service
        # wants less. Whoever still asks after a year learns nothing from 410 instead of 404.
        "tombstone_days": env.int("TOMBSTONE_DAYS", 365, validate=positive),
        # Who did what is kept until somebody says for how long; a key's events are few.
        "audit_days": env.int("AUDIT_DAYS", 0, validate=validate.Range(min=0)),
        "poll_interval": env.int("POLL_INTERVAL", 1, validate=positive),
        "lease": env.int("LEASE", 60, validate=positive),
        "max_attempts": env.int("MAX_ATTEMPTS", 3, validate=positive),
        # The longest article that is accepted, 200,000 characters, is as much as 54 of 600 words;
        # of those `accurate` reads 2.9 a minute on a core without AVX-512 (benchmarks.speed).
        "soft_time_limit": env.int("SOFT_TIME_LIMIT", 1500, validate=positive),
        "hard_time_limit": env.int("HARD_TIME_LIMIT", 1560, validate=positive),
        "visibility_timeout": env.int("VISIBILITY_TIMEOUT", 1800, validate=positive),
        "sweep_interval": env.int("SWEEP_INTERVAL", 5, validate=positive),
        "redeliver_after": env.int("REDELIVER_AFTER", 30, validate=positive),
        # Accepting an article must never hang on the broker: the outbox holds it.
        "broker_timeout": env.float("BROKER_TIMEOUT", 0.2, validate=validate.Range(min=0.01)),
        "worker_heartbeat": env.int("WORKER_HEARTBEAT", 10, validate=positive),
        "worker_processes": env.int("WORKER_PROCESSES", 1, validate=positive),
        # The models and the runtime's arenas settle at a third of this.
        "worker_memory": env.int(
            "WORKER_MEMORY", 1_500_000_000, validate=validate.Range(min=100_000_000)
        ),
        "inference_threads": env.int("INFERENCE_THREADS", 1, validate=positive),
        "weights_dir": env.path("WEIGHTS_DIR", Path(__file__).parent.parent / "workers/weights"),
        "profile": env.str("PROFILE", DEFAULT_PROFILE, validate=validate.OneOf(MODEL_PROFILES)),
        "backend": env.str("BACKEND", "onnx", validate=validate.OneOf(["onnx", "torch"])),
        # Names on the Hugging Face Hub, or folders; empty: the bundled model.
        "ner_model": env.str("NER_MODEL", ""),
        "stance_model": env.str("STANCE_MODEL", ""),
        "stance_hypothesis": env.str("STANCE_HYPOTHESIS", "{holder} supports {target}."),
        "log_level": env.str(
            "LOG_LEVEL",
            "INFO",
            validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]),
        ),
        "webhook_secret": env.str("WEBHOOK_SECRET", ""),
        "webhook_allow_http": env.bool("WEBHOOK_ALLOW_HTTP", False),
        "webhook_allow": tuple(
            entry.strip() for entry in env.str("WEBHOOK_ALLOW", "").split(",") if entry.strip()
        ),
        # Both empty: a worker opens no port and sends nothing to anyone but broker and database.
        "metrics_bind": env.str("METRICS_BIND", ""),
        "otlp_endpoint": env.str("OTLP_ENDPOINT", ""),
    }
    faults: dict[str, list[str]] = {}
    try:
        env.seal()
    except EnvValidationError as err:
        messages = err.error_messages
        assert isinstance(messages, Mapping)
        faults = {name: [str(message) for message in found] for name, found in messages.items()}
    if not faults:
        faults = _cross_check(values)
    if faults:
        lines = [f"  {name}: {' '.join(messages)}" for name, messages in sorted(faults.items())]
        raise SettingsError("wrong settings:\n" + "\n".join(lines))
    return Settings(**values)


def _cross_check(values: Mapping[str, Any]) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}

    def fault(name: str, message: str) -> None:
        faults.setdefault(PREFIX + name, []).append(message)

    if values["soft_time_limit"] >= values["hard_time_limit"]:
        fault("SOFT_TIME_LIMIT", "must be below the hard time limit.")
    if values["hard_time_limit"] >= values["visibility_timeout"]:
        fault("VISIBILITY_TIMEOUT", "must be above the hard time limit, or a job runs twice.")
    if values["max_queued"] < values["max_batch_articles"]:
        fault("MAX_QUEUED", "must not be below MAX_BATCH_ARTICLES, or such a batch never fits.")
    metrics_bind = values["metrics_bind"]
    if metrics_bind:
        try:
            host_and_port(metrics_bind)
        except ValueError:
            fault("METRICS_BIND", "must be HOST:PORT.")
        else:
            if not values["allow_keyless_bind"] and not is_loopback(metrics_bind):
                fault("METRICS_BIND", "must be a loopback address (or ALLOW_KEYLESS_BIND).")
    if values["otlp_endpoint"] and not _is_http_url(values["otlp_endpoint"]):
        fault("OTLP_ENDPOINT", "must be http://… or https://….")
    named = [name for name in ("NER_MODEL", "STANCE_MODEL") if values[name.lower()]]
    if values["backend"] == "torch" and not named:
        fault("BACKEND", "torch needs NER_MODEL, STANCE_MODEL or both.")
    if values["backend"] != "torch":
        for name in named:
            fault(name, "is only read with BACKEND=torch.")
    if not _names_holder_and_target(values["stance_hypothesis"]):
        fault("STANCE_HYPOTHESIS", "must name {holder} and {target}, and nothing else in braces.")
    scheme = urlsplit(values["broker_url"]).scheme
    if scheme not in {"redis", "rediss", "redis+socket"}:
        fault("BROKER_URL", "must be redis://, rediss:// or redis+socket://.")
    if not values["database_url"].startswith(("sqlite:///", "postgresql+pg8000://")):
        fault("DATABASE_URL", "must be sqlite:///… or postgresql+pg8000://….")
    for name, check in (
        ("WEBHOOK_SECRET", lambda: signing_keys(values["webhook_secret"])),
        ("WEBHOOK_ALLOW", lambda: CallbackPolicy.of(allow_http=False, allowed=_allowed(values))),
    ):
        try:
            check()
        except ValueError as err:
            fault(name, f"{err}.")
    return faults


def _allowed(values: Mapping[str, Any]) -> tuple[str, ...]:
    allowed: tuple[str, ...] = values["webhook_allow"]
    return allowed


def is_loopback(bind: str) -> bool:
    """Whether only this machine can reach `bind` (`host:port`, `[host]:port` or `unix:path`)."""
    if bind.startswith("unix:"):
        return True
    host = urlsplit(f"//{bind}").hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_and_port(bind: str) -> tuple[str, int]:
    """The two parts of `HOST:PORT` or `[HOST]:PORT`. Raises `ValueError`."""
    parts = urlsplit(f"//{bind}")
    if not parts.hostname or parts.port is None or parts.path:
        raise ValueError(f"not HOST:PORT: {bind}")
    return parts.hostname, parts.port


def _names_holder_and_target(template: str) -> bool:
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return False
    fields = {name for _, name, _, _ in parts if name is not None}
    plain = not any(style or conversion for _, _, style, conversion in parts)
    return plain and fields == {"holder", "target"}


def _is_http_url(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


SETTING_NAMES: tuple[str, ...] = tuple(
    PREFIX + setting.name.upper() for setting in fields(Settings)
)
