"""Two models that see the same flights differently: boosted trees, and a linear model of scaled columns.

Both are plain scikit-learn, so whoever serves them needs no code of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PowerTransformer

from ekiben_flights.features import NUMBERS, TEXTS
from ekiben_flights.plan import LINEAR, TREES


def boosted_trees() -> Pipeline:
    """Histogram gradient boosting: texts as codes to split on, nulls as they are, no scaling."""
    texts = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    trees = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.08,
        max_leaf_nodes=15,
        min_samples_leaf=200,
        l2_regularization=5.0,
        random_state=0,
    ).set_params(early_stopping=False)  # it would hold out rows of the days it learns from
    return make_pipeline(make_column_transformer((texts, list(TEXTS)), remainder="passthrough"), trees)


def logistic_regression() -> Pipeline:
    """Logistic regression: texts and clocks one-hot, nulls by the median and a flag, long tails drawn in."""
    texts = OneHotEncoder(handle_unknown="ignore", min_frequency=50)
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), PowerTransformer())
    columns = make_column_transformer(
        (texts, [*TEXTS, "hour", "weekday"]),
        (numbers, ["distance", "scheduled_minutes", *NUMBERS]),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=300))


MODELS: Final[Mapping[str, Callable[[], Pipeline]]] = {TREES: boosted_trees, LINEAR: logistic_regression}
