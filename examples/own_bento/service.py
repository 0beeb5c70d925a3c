"""A BentoML service as anybody writes one, without a line of Ekiben: `bentoml serve service:FlatPrices`."""

from __future__ import annotations

import bentoml

Flat = dict[str, float]


@bentoml.service(name="flat_prices")
class FlatPrices:
    """What a flat costs. It fails as a whole by a single flat without rooms, as hand-written services do."""

    @bentoml.api
    def estimate(self, flats: list[Flat]) -> list[float]:
        """One price for each flat, in their order."""
        return [4_000 * flat["area"] + 20_000 * flat["area"] / flat["rooms"] for flat in flats]
