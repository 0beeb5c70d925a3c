"""Which models there are, what they answer, and which months of 2013 are for what."""

from __future__ import annotations

from typing import Final

TREES: Final = "flight-delay-trees"
LINEAR: Final = "flight-delay-linear"
ENSEMBLE: Final = "flight-delay"
FEATURE_SERVICE: Final = "flights"

IN_TIME: Final = "in_time"
LATE: Final = "late"
"""The positive class: the last in alphabetical order, which is how scikit-learn orders classes."""

LEARN: Final = range(1, 7)
MEASURE: Final = range(7, 9)
REPLAY: Final = range(9, 13)
CALIBRATION_DAY: Final = 5
"""Every fifth day of the months to learn from is kept apart to calibrate on."""
