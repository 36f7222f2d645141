"""schemathesis with its default checks, on the OpenAPI document that the live app serves.

`python -m benchmarks.fuzz --only api` is the long form.
"""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, settings

from benchmarks.fuzz.api import run_api
from tests.contract import hooks  # noqa: F401 - importing registers them
from tests.contract.conftest import make_app

schema = schemathesis.openapi.from_wsgi("/openapi.json", make_app())

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
    assert run_api(make_app(), examples=1, start=1, phases=["examples"])["examples"] > 10
