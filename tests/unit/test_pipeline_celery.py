"""The worker's limits fit together, and every queue that is sent to is served."""

from __future__ import annotations

import pytest

from service.domain.job import Priority
from service.queueing.names import ANALYSE, QUEUE_OF_PRIORITY, QUEUES, declared_queues
from service.settings import load_settings
from workers.__main__ import main
from workers.celery_app import HEALTH_SECONDS, RECONNECT_SECONDS, create_app


def test_every_priority_has_a_declared_queue() -> None:
    assert set(QUEUE_OF_PRIORITY) == set(Priority)
    assert set(QUEUE_OF_PRIORITY.values()) <= set(QUEUES)
    assert {queue.name for queue in declared_queues()} == set(QUEUES)


def test_the_worker_knows_the_task_that_the_web_process_sends() -> None:
    app, broken = create_app(load_settings())
    assert ANALYSE in app.tasks
    assert not broken()


def test_the_limits_fit_together() -> None:
    app, _ = create_app(load_settings())
    conf = app.conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    visible = conf.broker_transport_options["visibility_timeout"]
    assert conf.task_soft_time_limit < conf.task_time_limit < visible
    # A broker that comes back is noticed within ten seconds.
    assert max(RECONNECT_SECONDS, 2 * HEALTH_SECONDS) < 10


@pytest.mark.parametrize("queues", ["nonsense", "bulk,nonsense", ""])
def test_an_unknown_queue_is_refused(queues: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--queues", queues])
    assert caught.value.code == 2
    assert "no such queue" in capsys.readouterr().err
