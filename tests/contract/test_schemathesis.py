"""schemathesis with its default checks, on the OpenAPI document that the live app serves.

`python -m benchmarks.fuzz --only api` is the long form.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings

from benchmarks.fuzz.api import run_api
from tests.contract import hooks  # noqa: F401 - importing registers them
from tests.contract.conftest import make_app
from tests.contract.sql_app import open_sql

schema = schemathesis.openapi.from_wsgi("/openapi.json", make_app(with_key=True))

# Derandomised, so that a failure in CI is a failure everywhere. Slow generation is no fault here.
_bounded = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@schema.parametrize()
@settings(_bounded, max_examples=15)
def test_every_operation(case: schemathesis.Case) -> None:
    case.call_and_validate()


# Follows what one answer hands out into the next request: submit, read, cancel, delete.
TestSequences = schema.as_state_machine().TestCase
TestSequences.settings = settings(_bounded, max_examples=10, stateful_step_count=6)


def test_every_example_of_the_document_can_be_sent() -> None:
    """The runner stopped at the HTML page: a media type with a strategy takes bytes only."""
    assert (
        run_api(make_app(with_key=True), examples=1, start=1, phases=["examples"])["examples"] > 10
    )


def test_sequences_by_links_over_sql(tmp_path: Path) -> None:
    """The document's links lead from answers to requests that the real store knows."""
    sql = open_sql(tmp_path)
    served = schemathesis.openapi.from_wsgi("/openapi.json", sql.app)
    followed: Counter[str] = Counter()

    class Sequences(served.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            sql.forget()  # the same steps get the same answers

        def after_call(self, response: Any, case: Any) -> None:
            operation = case.operation.definition.raw["operationId"]
            followed[f"{operation} {response.status_code}"] += 1

    Sequences.run(settings=settings(_bounded, max_examples=30, stateful_step_count=15))
    print(followed)
    # By chance no id of a job or an article is ever hit: links led here.
    wanted = {"getJob 200", "getArticle 200", "getAnalysis 200", "deleteArticle 204"}
    assert wanted <= followed.keys()
    assert {"getJob 410", "getArticle 410", "cancelJob 409"} & followed.keys()
