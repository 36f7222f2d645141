"""Jobs, the answers to a submission, and lists of jobs."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.domain.job import JobState, Priority, Stage
from service.domain.spans import OFFSET_UNITS
from service.schemas.fields import CleanString, Timestamp, identifier, nested, nested_list
from service.schemas.problem import ProblemSchema

MAX_PAGE = 100
DEFAULT_PAGE = 20

_STATES = tuple(state.value for state in JobState)


def _link(description: str) -> fields.String:
    return fields.String(
        required=True, metadata={"format": "uri-reference", "description": description}
    )


def _moment(*, allow_none: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=allow_none, metadata={"format": "date-time"})


class JobLinksSchema(Schema):
    """Where to go from a job."""

    job = _link("The job.")
    article = _link("The submitted article.")
    analysis = _link("The article's analysis, once the job has succeeded.")


class FailureSchema(Schema):
    """Why a job failed."""

    code = fields.String(required=True, metadata={"description": "Stable, for programs."})
    detail = fields.String(required=True, metadata={"description": "A sentence for people."})


class JobOptionsSchema(Schema):
    """The options that the job runs with."""

    targets = fields.List(fields.String(), required=True)
    offsets = fields.String(required=True, validate=[validate.OneOf(OFFSET_UNITS)])
    callback_url = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Who is told when the job has ended."},
    )


class JobSchema(Schema):
    """One analysis of one article."""

    id = identifier(required=True)
    article_id = identifier(required=True)
    batch_id = identifier(required=True, allow_none=True)
    state = fields.String(required=True, validate=[validate.OneOf(_STATES)])
    stage = fields.String(
        required=True,
        allow_none=True,
        validate=[validate.OneOf([stage.value for stage in Stage])],
        metadata={"description": "The stage that runs or ran last."},
    )
    progress = fields.Float(
        required=True,
        validate=[validate.Range(min=0, max=1)],
        metadata={"description": "Share of the stages that are done."},
    )
    priority = fields.String(
        required=True, validate=[validate.OneOf([priority.value for priority in Priority])]
    )
    options = nested(JobOptionsSchema)
    attempts = fields.Integer(required=True, validate=[validate.Range(min=0)])
    max_attempts = fields.Integer(required=True, validate=[validate.Range(min=1)])
    created_at = _moment()
    updated_at = _moment()
    started_at = _moment(allow_none=True)
    finished_at = _moment(allow_none=True)
    failure = fields.Nested(FailureSchema, required=True, allow_none=True)
    links = nested(JobLinksSchema)


class JobPageSchema(Schema):
    """One page of jobs, newest first."""

    jobs = nested_list(JobSchema)
    next_cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`cursor` of the next page; null on the last."},
    )


class JobQuerySchema(Schema):
    """Which jobs to list."""

    state = fields.String(validate=[validate.OneOf(_STATES)])
    batch_id = identifier()
    article_id = identifier()
    source = CleanString(max_length=300, metadata={"description": "The outlet, exactly."})
    created_after = Timestamp(metadata={"description": "Exclusive."})
    created_before = Timestamp(metadata={"description": "Exclusive."})
    cursor = identifier(metadata={"description": "`next_cursor` of the page before."})
    limit = fields.Integer(
        load_default=DEFAULT_PAGE, validate=[validate.Range(min=1, max=MAX_PAGE)]
    )


class AcceptedSchema(Schema):
    """The receipt for one accepted article."""

    article_id = identifier(required=True)
    job_id = identifier(required=True)
    state = fields.String(required=True, validate=[validate.OneOf(_STATES)])
    text_sha256 = fields.String(
        required=True,
        metadata={
            "pattern": "^[0-9a-f]{64}$",
            "description": "SHA-256 of the text in UTF-8: names what the offsets count in.",
        },
    )
    links = nested(JobLinksSchema)


class BatchItemSchema(Schema):
    """The answer for one article of a batch: a receipt, or the problem that refused it."""

    index = fields.Integer(required=True, validate=[validate.Range(min=0)])
    status = fields.Integer(required=True, metadata={"description": "202, or the problem's."})
    article_id = identifier()
    job_id = identifier()
    text_sha256 = fields.String(metadata={"pattern": "^[0-9a-f]{64}$"})
    links = fields.Nested(JobLinksSchema)
    problem = fields.Nested(ProblemSchema)


class BatchLinksSchema(Schema):
    """Where to go from a batch."""

    jobs = _link("The batch's jobs.")


class BatchAcceptedSchema(Schema):
    """The answer to a batch: one item an article, in the order in which they came."""

    batch_id = identifier(required=True)
    accepted = fields.Integer(required=True, validate=[validate.Range(min=0)])
    rejected = fields.Integer(required=True, validate=[validate.Range(min=0)])
    items = nested_list(BatchItemSchema)
    links = nested(BatchLinksSchema)
