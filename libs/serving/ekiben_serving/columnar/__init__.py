"""Rows of features and the answers to them as raw typed columns: the body between gateway and Bento.

A frame is `magic | header length (uint32) | header (JSON) | buffers`, little-endian, each part padded
to 8 bytes; the magic ends in the version. The lengths of the buffers follow from the header, and a
frame is exactly as long as its header makes it. By dtype:

    double, float    8, 4 bytes a row     null is NaN
    long, integer    8, 4 bytes a row     where nulls are allowed a double with NaN, as pandas keeps it
    boolean          1 byte a row         0, 1, and where nulls are allowed 2
    string           4 bytes a row        an index into the header's `values`, which may hold null

Needs the standard library and numpy alone: packaging copies this package into each Bento.
"""

from ekiben_serving.columnar.answer import ANSWER_TYPE, MOST_CLASSES, Answer, decode_answer, encode_answer
from ekiben_serving.columnar.columns import (
    COLUMNS_TYPE,
    MOST_COLUMNS,
    MOST_ROWS,
    Column,
    decode_columns,
    encode_rows,
)
from ekiben_serving.columnar.explanation import (
    EXPLANATION_TYPE,
    Explained,
    decode_explanation,
    encode_explanation,
)
from ekiben_serving.columnar.frames import Array, ColumnarError, CutOffError

__all__ = [
    "ANSWER_TYPE",
    "COLUMNS_TYPE",
    "EXPLANATION_TYPE",
    "MOST_CLASSES",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "Answer",
    "Array",
    "Column",
    "ColumnarError",
    "CutOffError",
    "Explained",
    "decode_answer",
    "decode_columns",
    "decode_explanation",
    "encode_answer",
    "encode_explanation",
    "encode_rows",
]
