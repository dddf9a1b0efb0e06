"""The application layer, pure: one submission against the world gives exactly one outcome."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from domain.attempts import attempt_refused
from domain.calendars import CalendarUnknown
from domain.event import Event
from domain.rules import FieldError, Refusal, Rejection, Waiting, rejection
from domain.submissions import DECIDERS, Submission
from domain.world import World

Disposition = Literal["accepted", "refused", "duplicate", "conflict", "parked", "dead"]


class Outcome(NamedTuple):
    """What became of a submission. `stream` is what a parked one waits for; `rule` why one was refused."""

    disposition: Disposition
    events: tuple[Event, ...] = ()
    rule: str | None = None
    stream: str | None = None
    errors: tuple[FieldError, ...] = ()


def streams_of(submissions: Iterable[Submission[Any]]) -> set[str]:
    """What a batch will read, so that it can be loaded at once."""
    return {stream for submission in submissions for stream in submission.payload.streams()}


def handle(submission: Submission[Any], world: World) -> Outcome:
    """Decides one submission and takes its events, with the notices they owe, into the world."""
    payload = submission.payload
    before = len(world.pending)
    try:
        if submission.classified:
            raise Refusal("classified")
        world.require_mandate(submission)
        if submission.caller is not None:
            submission = submission._replace(auth="token")  # for it has a mandate, its principal vouches
        elif submission.signature is not None:
            submission = submission._replace(auth="jws")
        events = DECIDERS[type(payload)](submission, world)
    except Waiting as waiting:
        return Outcome("parked", stream=waiting.stream)
    except Rejection as rejected:
        return Outcome("dead", errors=rejected.errors)
    except CalendarUnknown as unknown:
        return Outcome("dead", errors=rejection("*", "calendar.unknown", unknown.year).errors)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        # A fault of ours must not stop everybody's intake: the submission is kept and can be retried once it is mended.
        return Outcome(
            "dead", errors=(FieldError("*", "internal.error", "系统内部错误，可在修复后重试", type(error).__name__),)
        )
    except Refusal as refusal:
        attempt = attempt_refused(submission.meta, refusal.rule, payload.TYPE, payload.about())
        world.append([attempt])
        return Outcome("refused", (attempt,), rule=refusal.rule.code)
    world.append(events)
    return Outcome("accepted", tuple(world.pending[before:]))
