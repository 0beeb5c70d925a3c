"""A BentoML service of which one method is slow and the other is not: `bentoml serve service:TwoSpeeds`."""

from __future__ import annotations

import time

import bentoml

ROW_S = 0.002
Row = dict[str, float]


@bentoml.service(name="two_speeds", workers=1)
class TwoSpeeds:
    """Both give x back."""

    @bentoml.api
    def slow(self, rows: list[Row]) -> list[float]:
        """After 2 ms a row."""
        time.sleep(ROW_S * len(rows))
        return [row["x"] for row in rows]

    @bentoml.api
    def fast(self, rows: list[Row]) -> list[float]:
        """At once."""
        return [row["x"] for row in rows]
