"""What was just created takes a moment to be seen, on every broker of a cluster."""

from __future__ import annotations

import pytest

from ekiben_bus.acls import AclsError
from ekiben_bus.administration import until_visible

pytestmark = pytest.mark.virtual_time


async def test_it_is_looked_for_until_nothing_is_hidden_and_what_was_seen_last_is_told():
    sights = iter(["two topics", "one topic", ""])

    async def look() -> str:
        return next(sights)

    assert await until_visible(look, lambda seen: seen, "topics") == ""
    assert list(sights) == []


async def test_what_stays_hidden_is_told_in_the_end():
    async def look() -> int:
        return 3

    with pytest.raises(AclsError, match=r"the new access control lists within 30 s, still hidden: 3 of 7;"):
        await until_visible(look, lambda seen: f"{seen} of 7", "access control lists", AclsError)
