"""Requests by the minute over a real broker, which may be away or hang."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from service.domain.ports import Window
from service.queueing import BrokerLimiter, open_limiter
from service.queueing.limiter import OwnWindows
from service.queueing.line import REST_SECONDS
from service.settings import Settings, load_settings
from tests.integration.processes import Broker, wait_for


@pytest.fixture
def broker() -> Iterator[Broker]:
    started = Broker()
    yield started
    started.stop()


@pytest.fixture
def settings(broker: Broker) -> Settings:
    return replace(load_settings(), broker_url=broker.url)


@pytest.fixture
def limiter(settings: Settings) -> Iterator[BrokerLimiter]:
    opened = open_limiter(settings)
    yield opened
    opened.close()


def count_of(broker: Broker, name: str) -> int:
    with broker.client() as client:
        return int(client.get(f"stancewire:requests:{name}") or 0)


def test_processes_count_together_each_key_for_itself(
    settings: Settings, limiter: BrokerLimiter, broker: Broker
) -> None:
    other = open_limiter(settings)
    windows = [one.hit("a-key", 3) for one in (limiter, other, limiter, other)]
    assert [window.allowed for window in windows] == [True, True, True, False]
    assert [window.left for window in windows] == [2, 1, 0, 0]
    assert all(55 <= window.seconds <= 60 for window in windows)
    assert limiter.hit("another", 3).left == 2
    assert (count_of(broker, "a-key"), count_of(broker, "another")) == (4, 1)
    other.close()


def test_a_window_always_has_an_end(limiter: BrokerLimiter, broker: Broker) -> None:
    limiter.hit("a-key", 1)
    with broker.client() as client:
        client.pexpire("stancewire:requests:a-key", 300)
    assert limiter.hit("a-key", 1) == Window(False, 0, 1)
    time.sleep(0.4)
    assert limiter.hit("a-key", 1).allowed


def test_without_a_broker_each_process_counts_for_itself(
    limiter: BrokerLimiter, broker: Broker
) -> None:
    limiter.hit("a-key", 2)
    broker.stop()
    windows = [limiter.hit("a-key", 2) for _ in range(3)]
    assert [window.allowed for window in windows] == [True, True, False]
    broker.start()
    wait_for(
        lambda: limiter.hit("another", 2).allowed and count_of(broker, "another") > 0,
        REST_SECONDS + 5,
        "it counts at the broker again",
    )


def test_a_broker_that_hangs_is_not_waited_for(
    limiter: BrokerLimiter, broker: Broker, settings: Settings
) -> None:
    limiter.hit("a-key", 1000)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert limiter.hit("a-key", 1000).left == 999
        assert time.monotonic() - began < settings.broker_timeout + 0.3
        # It is not asked again for a moment: a rush of requests pays once.
        began = time.monotonic()
        for _ in range(50):
            assert limiter.hit("a-key", 1000).allowed
        assert time.monotonic() - began < settings.broker_timeout
    finally:
        os.kill(broker.pid, signal.SIGCONT)


def test_own_windows_begin_with_the_first_request_and_end_a_minute_later() -> None:
    now = [100.0]
    windows = OwnWindows(lambda: now[0])
    assert windows.count("a") == (1, 60)
    now[0] += 45
    assert windows.count("a") == (2, 15)
    assert windows.count("b") == (1, 60)
    now[0] += 15
    assert windows.count("a") == (1, 60)
