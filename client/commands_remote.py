"""Commands against a running service: submit, status, result, cancel, delete."""

from __future__ import annotations

import sys

import click

from client.commands_analyze import print_json_line
from client.errors import NotFoundError, ProblemError
from client.exit_codes import ExitCode
from client.http import OffsetUnit, StancewireClient
from client.inputs import ArticleInput, read_inputs
from client.options import (
    check_offsets,
    connect,
    json_option,
    offsets_option,
    service_options,
    target_option,
)
from client.report import print_report
from client.resources import Job, NewArticle
from client.terminal import console


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@json_option
@target_option
@service_options
def submit(
    paths: tuple[str, ...],
    as_json: bool,
    targets: tuple[str, ...],
    url: str | None,
    api_key: str | None,
) -> int:
    """Submit articles and print a line for each: job id, article id, file (tab-separated)."""
    inputs = read_inputs(paths, sys.stdin.buffer, targets)
    code = ExitCode.OK
    with connect(url, api_key) as client:
        for given in inputs.articles:
            try:
                receipt = client.submit(given.article)
            except ProblemError as problem:
                click.echo(f"stancewire: {given.name}: {problem}", err=True)
                code = ExitCode.ARTICLE_FAILED
                continue
            if as_json:
                ids = {"job_id": receipt.job_id, "article_id": receipt.article_id}
                print_json_line({**ids, "file": given.name})
            else:
                click.echo(f"{receipt.job_id}\t{receipt.article_id}\t{given.name}")
    for fault in inputs.faults:
        click.echo(f"stancewire: {fault}", err=True)
        code = ExitCode.INPUT
    return code


@click.command()
@click.argument("job_id")
@json_option
@click.option("--wait", "wait_seconds", type=click.FloatRange(min=0), help="Wait for its end.")
@service_options
def status(
    job_id: str,
    as_json: bool,
    wait_seconds: float | None,
    url: str | None,
    api_key: str | None,
) -> int:
    """Where a job stands. Exit code 1 when it failed or was cancelled."""
    with connect(url, api_key) as client:
        if wait_seconds is None:
            job = client.job(job_id)
        else:
            job = client.wait(job_id, timeout=wait_seconds)
    _print_job(job, as_json)
    return ExitCode.ARTICLE_FAILED if job.state in {"failed", "cancelled"} else ExitCode.OK


@click.command()
@click.argument("article_or_job_id")
@json_option
@offsets_option
@service_options
def result(
    article_or_job_id: str,
    as_json: bool,
    offsets: OffsetUnit,
    url: str | None,
    api_key: str | None,
) -> int:
    """The analysis of an article, named by its own id or by its job's."""
    check_offsets(offsets, as_json)
    with connect(url, api_key) as client:
        article_id = _article_id(client, article_or_job_id)
        analysis = client.analysis(article_id, offsets=offsets)
        if as_json:
            print_json_line(analysis)
            return ExitCode.OK
        kept = client.article(article_id)
    article = NewArticle(
        text=kept["text"],
        title=kept["title"],
        source=kept["source"],
        published_at=kept["published_at"],
    )
    print_report(console(sys.stdout), ArticleInput(article_id, article), analysis)
    return ExitCode.OK


@click.command()
@click.argument("job_id")
@json_option
@service_options
def cancel(job_id: str, as_json: bool, url: str | None, api_key: str | None) -> int:
    """Cancel a job that is queued or running."""
    with connect(url, api_key) as client:
        _print_job(client.cancel(job_id), as_json)
    return ExitCode.OK


@click.command()
@click.argument("article_id")
@service_options
def delete(article_id: str, url: str | None, api_key: str | None) -> int:
    """Delete an article with its jobs and its analysis."""
    with connect(url, api_key) as client:
        client.delete(article_id)
    click.echo(f"{article_id} is deleted")
    return ExitCode.OK


def _article_id(client: StancewireClient, either: str) -> str:
    try:
        return client.job(either).article_id
    except NotFoundError:
        return either


def _print_job(job: Job, as_json: bool) -> None:
    if as_json:
        print_json_line(dict(job.document))
        return
    line = f"{job.id}\t{job.state}"
    if job.state == "running":
        line += f"\t{job.stage} ({job.progress:.0%})"
    if job.failure:
        line += f"\t{job.failure}"
    click.echo(line)
