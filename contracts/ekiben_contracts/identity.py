"""Ids that are computed, never drawn: a redelivered input gives outputs with the same ids."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import blake2b


class Stage(StrEnum):
    """Where in its way an output of a request was made. Completed and failed share one stage."""

    SCORED = "scored"
    RESULT = "result"


def request_identity(
    request_id: str | None, ce_id: str | None, topic: str, partition: int, offset: int
) -> str:
    """The id of a request: its own, else the CloudEvent's, else the place of its record."""
    return request_id or ce_id or f"{topic}-{partition}-{offset}"


def output_id(request_id: str, stage: Stage | str, attempt: int = 1) -> str:
    """The ce_id of what a stage made of a request, such as `flight-7/result/1`."""
    # an enum in an f-string is formatted in Python, and twice as slow as all of this
    return request_id + "/" + stage + ("/1" if attempt == 1 else f"/{attempt}")


def shadow_stage(version: str, member: str | None = None) -> str:
    """The stage of what a shadow version answered; of an ensemble's request also for which member.

    Two members may have shadows of one version. No model or version has a colon in its name.
    """
    return f"shadow-{version}" if member is None else f"shadow-{member}:{version}"


def dead_letter_id(topic: str, group: str, partition: int, offset: int, attempt: int = 1) -> str:
    """The id of a dead letter: the place of the original record, and which attempt died."""
    return f"{topic}/{group}/{partition}/{offset}/{attempt}"


def action_id(dead_letter: str, action: str) -> str:
    """The ce_id of what was done about a dead letter: doing it again says the same."""
    return f"{dead_letter}/{action}"


def reveal_id(dead_letter: str, by: str, at: datetime) -> str:
    """The ce_id of a look at what is sensitive: one for each who looked, and each time."""
    who = blake2b(by.encode(errors="backslashreplace"), digest_size=8).hexdigest()  # a name may be longer
    return action_id(dead_letter, f"revealed/{who}/{int(at.timestamp() * 1000)}")


def health_id(gateway: str, model: str, version: str, url: str, window_start: datetime) -> str:
    """The ce_id of what a gateway reports of an endpoint: one for each window, however often it is sent."""
    where = blake2b(url.encode(), digest_size=8).hexdigest()  # a URL may be longer than an id
    return f"{gateway}/{model}/{version}/{where}/{int(window_start.timestamp() * 1000)}"
