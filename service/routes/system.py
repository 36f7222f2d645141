"""Is it alive, is it ready, and what does it run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from service.domain.errors import StoreUnavailableError
from service.domain.key import Scope
from service.domain.ports import WorkerInfo
from service.problems import ProblemError
from service.routes.context import Context, context
from service.routes.documents import answer
from service.routes.operation import API_KEY, ETAG, IF_NONE_MATCH, NOT_MODIFIED, Answer, operation
from service.schemas import examples
from service.schemas.system import AliveSchema, ModelsSchema, ReadySchema

system = Blueprint("system", __name__, description="Health, figures and models")

# A worker that misses this many heartbeats in a row counts as gone.
_HEARTBEATS = 3

log = logging.getLogger(__name__)


@operation(
    system,
    "/livez",
    open_to_all=True,
    answers={200: Answer("Alive.", AliveSchema, {}, {"alive": {"status": "ok"}})},
)
def get_livez() -> Response:
    """Does this process answer? Looks at nothing behind it."""
    return answer({"status": "ok"})


@operation(
    system,
    "/readyz",
    open_to_all=True,
    answers={200: Answer("Ready.", ReadySchema, {}, {"ready": examples.READY})},
    problems=("not-ready",),
)
def get_readyz() -> Response:
    """Do the database, the broker and at least one worker answer? 503 names what does not."""
    checks = _checks(context())
    failing = [name for name, found in checks.items() if found != "ok"]
    if failing:
        detail = f"Not ready: {', '.join(failing)}."
        raise ProblemError("not-ready", detail, members={"checks": checks})
    return answer({"status": "ok", "checks": checks})


@operation(
    system,
    "/metrics",
    open_to_all=True,
    answers={200: Answer("The figures.", content={"text/plain": examples.METRICS})},
    problems=("unauthorized", "insufficient-scope", "rate-limited", "store-unavailable"),
    security=[{}, {API_KEY: [Scope.ADMIN.value]}],
)
def get_metrics() -> Response:
    """Figures for Prometheus, in its text format 0.0.4.

    Of all processes of this API together; queues, workers, failures and webhooks as the database
    has them now. While the database is away `stancewire_database_up` is 0 and those are left out;
    `stancewire_broker_up` says whether the broker answers. On loopback they need no key, elsewhere
    one of the tenant `default` with the scope `admin`.
    """
    here = context()
    here.access.admit_scraper(request.headers.get("Authorization"))
    within = _HEARTBEATS * here.settings.worker_heartbeat
    figures = here.metrics.exposition(here.stores, here.doorbell, workers_within=within)
    return Response(figures, content_type=CONTENT_TYPE_PLAIN_0_0_4)


@operation(
    system,
    "/v1/models",
    answers={
        200: Answer("The models.", ModelsSchema, ETAG, {"models": examples.MODELS}),
        304: NOT_MODIFIED,
    },
    problems=("store-unavailable",),
    headers=(IF_NONE_MATCH,),
)
def list_models() -> Response:
    """List the models that the live workers run, with their figures."""
    return answer({"models": _models(_live_workers(context()))})


def _checks(here: Context) -> dict[str, str]:
    checks = {"database": "ok", "broker": "ok", "workers": "ok"}
    try:
        here.stores.ping()
        if not _live_workers(here):
            checks["workers"] = "no heartbeat"
    except StoreUnavailableError as err:
        log.error("the store does not answer: %s", err)
        checks["database"] = "does not answer"
        checks["workers"] = "unknown without the database"
    if not here.doorbell.ping():
        checks["broker"] = "does not answer"
    return checks


def _live_workers(here: Context) -> tuple[WorkerInfo, ...]:
    return here.stores.live_workers(within=_HEARTBEATS * here.settings.worker_heartbeat)


def _models(workers: Sequence[WorkerInfo]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for worker in workers:
        for model in worker.models:
            name = str(model["name"])
            document: dict[str, Any] = {
                "name": name,
                "task": model.get("task"),
                "version": model.get("version"),
                "sha256": model.get("sha256"),
                "calibrated": bool(model.get("calibrated")),
                "metrics": model.get("metrics") or {},
                "pipeline_version": worker.pipeline_version,
            }
            key = (name, str(document["sha256"]), worker.pipeline_version)
            known = found.setdefault(key, {**document, "workers": 0})
            known["workers"] += 1
    return [found[key] for key in sorted(found)]
