"""The broker as a doorbell: which queues there are and how a job id is sent to one."""

from service.queueing.doorbell import BrokerDoorbell, open_doorbell

__all__ = ["BrokerDoorbell", "open_doorbell"]
