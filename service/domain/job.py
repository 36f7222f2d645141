"""A job and its state machine: `queued → running → succeeded / failed / cancelled`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.article import AnalysisOptions


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can change the state any more (a failed job can be retried as new)."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

# running → queued: a lease ran out, or a worker handed the job back.
# failed → queued: the caller asks for another round.
TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
    JobState.RUNNING: frozenset(
        {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED}
    ),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset(),
}


class Priority(StrEnum):
    """Which queue a job waits in."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class Stage(StrEnum):
    """The stages in the order in which they run."""

    CLEAN = "clean"
    SEGMENT = "segment"
    RECOGNISE = "recognise"
    ATTRIBUTE = "attribute"
    CANONICALISE = "canonicalise"
    STANCE = "stance"
    STORE = "store"


STAGES: tuple[Stage, ...] = tuple(Stage)


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed: a stable code for programs and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Job:
    """One analysis of one article."""

    id: str
    article_id: str
    state: JobState
    priority: Priority
    options: AnalysisOptions
    attempts: int
    max_attempts: int
    created_at: datetime
    updated_at: datetime
    version: int
    batch_id: str | None = None
    stage: Stage | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: JobFailure | None = None

    @property
    def progress(self) -> float:
        """Share of the stages that are done, 0 to 1."""
        if self.state is JobState.SUCCEEDED:
            return 1.0
        if self.stage is None:
            return 0.0
        return STAGES.index(self.stage) / len(STAGES)


class InvalidTransitionError(ValueError):
    """A state change that the state machine does not allow."""


def check_transition(old: JobState, new: JobState) -> None:
    """Raise `InvalidTransitionError` unless a job may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise InvalidTransitionError(f"a job cannot go from {old} to {new}")
