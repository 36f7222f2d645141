"""The Python client of the Stancewire API, and the `stancewire` command."""

from client.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidRequestError,
    JobNotFinishedError,
    NotFoundError,
    OverloadedError,
    Problem,
    ProblemError,
    ServerFaultError,
    ServiceUnreachableError,
    StancewireClientError,
)
from client.http import StancewireClient
from client.resources import Analysis, BatchItem, Job, NewArticle, Receipt

__all__ = [
    "Analysis",
    "BatchItem",
    "ConflictError",
    "ForbiddenError",
    "GoneError",
    "InvalidRequestError",
    "Job",
    "JobNotFinishedError",
    "NewArticle",
    "NotFoundError",
    "OverloadedError",
    "Problem",
    "ProblemError",
    "Receipt",
    "ServerFaultError",
    "ServiceUnreachableError",
    "StancewireClient",
    "StancewireClientError",
]
