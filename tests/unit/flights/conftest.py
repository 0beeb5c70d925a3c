from __future__ import annotations

import pandas as pd
import pytest

from ekiben_flights.data import Year, landed, load


@pytest.fixture(scope="session")
def year() -> Year:
    return load()


@pytest.fixture(scope="session")
def some_flights(year: Year) -> pd.DataFrame:
    """Twenty flights from all over the year, the first and the last of it among them."""
    flights = landed(year.flights)
    step = len(flights) // 19
    return flights.iloc[[*range(0, step * 19, step), len(flights) - 1]]
