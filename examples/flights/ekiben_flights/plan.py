"""Which models there are, and which months of 2013 are for what."""

from __future__ import annotations

from typing import Final

TREES: Final = "flight-delay-trees"
LINEAR: Final = "flight-delay-linear"
ENSEMBLE: Final = "flight-delay"

LEARN: Final = range(1, 7)
MEASURE: Final = range(7, 9)
REPLAY: Final = range(9, 13)
CALIBRATION_DAY: Final = 5
"""Every fifth day of the months to learn from is kept apart to calibrate on."""
