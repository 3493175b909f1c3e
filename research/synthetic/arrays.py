"""Types of arrays, one element for each client or row, and the length of a month in days."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

DAYS_IN_MONTH = 30.44
