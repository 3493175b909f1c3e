"""LightGBM's C library, without its Python package: that imports scipy, 140 MB which a prediction does not need.

The calls are those of LightGBM's Python package, so the numbers are the same to the last bit (a test compares them).
https://lightgbm.readthedocs.io/en/stable/C-API.html
"""

import ctypes
import sys
from ctypes import POINTER, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLOAT64, ROW_MAJOR = 1, 1
RAW_SCORE, CONTRIBUTIONS = 1, 3
"""Kinds of prediction: log-odds, one for each row; TreeSHAP values and their base value, one more than features."""
PARAMETERS = b"num_threads=1"
ALL_TREES = (0, -1)
MAX_NAME_BYTES = 256
"""Bytes of the longest feature name that is read in one call; a longer one is a second call."""
_FILES = {"darwin": "lib_lightgbm.dylib", "win32": "lib_lightgbm.dll"}
_SIGNATURES = {
    "LGBM_BoosterLoadModelFromString": (c_char_p, POINTER(c_int), POINTER(c_void_p)),
    "LGBM_BoosterFree": (c_void_p,),
    "LGBM_BoosterGetNumFeature": (c_void_p, POINTER(c_int)),
    "LGBM_BoosterGetFeatureNames": (
        c_void_p, c_int, POINTER(c_int), c_size_t, POINTER(c_size_t), POINTER(c_char_p),
    ),
    "LGBM_BoosterCalcNumPredict": (c_void_p, c_int, c_int, c_int, c_int, POINTER(c_int64)),
    "LGBM_BoosterPredictForMat": (
        c_void_p, c_void_p, c_int, c_int32, c_int32, c_int, c_int, c_int, c_int, c_char_p, POINTER(c_int64),
        POINTER(c_double),
    ),
}  # fmt: skip


class LibraryError(RuntimeError):
    """LightGBM's library reports an error, or is not installed."""


class Booster:
    """A trained booster, read from LightGBM's text format; predictions may run in several threads at once.

    Raises:
        LibraryError: the text is no model that this version of LightGBM reads.
    """

    def __init__(self, text: str) -> None:
        self._handle = c_void_p()
        _call("LGBM_BoosterLoadModelFromString", text.encode(), c_int(), self._handle)

    def __del__(self) -> None:
        if self._handle:
            _call("LGBM_BoosterFree", self._handle)

    def feature_names(self) -> list[str]:
        """Return the columns of the matrix, in their order."""
        n_features, n_bytes = self._n_features(), c_size_t(MAX_NAME_BYTES)
        while True:
            size = n_bytes.value
            buffers = [ctypes.create_string_buffer(size) for _ in range(n_features)]
            pointers = (c_char_p * n_features)(*map(ctypes.addressof, buffers))  # type: ignore[misc]  # addresses, which ctypes takes
            _call("LGBM_BoosterGetFeatureNames", self._handle, n_features, c_int(), size, n_bytes, pointers)
            if n_bytes.value <= size:
                return [buffer.value.decode() for buffer in buffers]

    def predict(self, matrix: NDArray[np.float64], kind: int) -> NDArray[np.float64]:
        """Return the prediction of a kind for each row, one after the other; `matrix` is rows x features.

        Raises:
            LibraryError: the matrix has another number of columns than the model has features.
        """
        matrix, size = np.ascontiguousarray(matrix, np.float64), c_int64()
        rows, columns = matrix.shape
        _call("LGBM_BoosterCalcNumPredict", self._handle, rows, kind, *ALL_TREES, size)
        result = np.empty(size.value)
        _call(
            "LGBM_BoosterPredictForMat",
            *(self._handle, matrix.ctypes.data, FLOAT64, rows, columns, ROW_MAJOR, kind, *ALL_TREES, PARAMETERS),
            *(size, result.ctypes.data_as(POINTER(c_double))),
        )
        return result

    def _n_features(self) -> int:
        number = c_int()
        _call("LGBM_BoosterGetNumFeature", self._handle, number)
        return number.value


@cache
def _library() -> ctypes.CDLL:
    """Load the library from the installed package, without importing the package."""
    package = find_spec("lightgbm")
    if package is None or package.origin is None:
        raise LibraryError("the package lightgbm is not installed")
    folder, name = Path(package.origin).parent, _FILES.get(sys.platform, "lib_lightgbm.so")
    path = next((path for part in ("lib", "bin") if (path := folder / part / name).is_file()), folder / "lib" / name)
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise LibraryError(f"{path} cannot be loaded: {error}") from error
    library.LGBM_GetLastError.restype = c_char_p
    for function, signature in _SIGNATURES.items():
        getattr(library, function).argtypes = signature
    return library


def _call(function: str, *arguments: object) -> None:
    library = _library()
    if getattr(library, function)(*arguments) != 0:
        raise LibraryError(library.LGBM_GetLastError().decode(errors="replace").splitlines()[0])
