"""Whether a callback URL is accepted."""

from __future__ import annotations

from service.domain.callback import CallbackRefusedError
from service.problems import ProblemError
from service.routes.context import context


def check_callback(url: str | None, **place: str) -> None:
    """Raise the 422 problem unless webhooks are sent here and may go to `url`.

    `place` is the `pointer` or the `parameter` that the fault names.
    """
    if url is None:
        return
    settings = context().settings
    if not settings.webhook_secret:
        fault = {**place, "detail": "Webhooks are off."}
        raise ProblemError("webhooks-off", errors=[fault])
    try:
        settings.callback_policy.check_url(url)
    except CallbackRefusedError as err:
        raise ProblemError("validation", errors=[{**place, "detail": str(err)}]) from err
