"""Grouping the rows of a batch by what they go to: bodies are cut off a group while it is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ekiben_inference_gateway.routing import Choice, Endpoint

Place = tuple[int, int]
"""Whose row it is: the request's index in the batch, and its member's in the plan."""


class Group:
    """The rows of a batch for one endpoint, in the order they came."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self._places: list[Place] = []
        self._taken = 0

    def __len__(self) -> int:
        """Rows that nobody has taken yet."""
        return len(self._places) - self._taken

    def add(self, place: Place) -> None:
        self._places.append(place)

    def take(self, most: int) -> Sequence[Place]:
        """The next rows, none once all are taken."""
        taken = self._places[self._taken : self._taken + most]
        self._taken += len(taken)
        return taken


def groups(drawn: Iterable[tuple[int, int, Choice]]) -> Collection[Group]:
    """One group for each endpoint."""
    found: dict[Endpoint, Group] = {}
    for request, member, choice in drawn:
        group = found.get(choice.endpoint)
        if group is None:
            group = found[choice.endpoint] = Group(choice)
        group.add((request, member))
    return found.values()
