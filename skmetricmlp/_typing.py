"""Names of types: an array of any namespace, and NumPy's of numbers."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Bools", "Floats", "Ints"]

# An array of any array API namespace, or a SciPy sparse matrix.
Array: TypeAlias = Any
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.intp]
