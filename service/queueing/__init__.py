"""The broker as a doorbell and as a counter: how a job's id is sent, and requests are counted."""

from service.queueing.doorbell import BrokerDoorbell, open_doorbell
from service.queueing.limiter import BrokerLimiter, open_limiter

__all__ = ["BrokerDoorbell", "BrokerLimiter", "open_doorbell", "open_limiter"]
