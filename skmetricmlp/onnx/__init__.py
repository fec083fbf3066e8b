"""ONNX: fitted estimators, alone or in a pipeline, for other runtimes.

Importing this module registers converters with skl2onnx, so that ``skl2onnx.to_onnx``
converts pipelines that end in an estimator of this package. :func:`to_onnx` calls it with
the types of a table.
"""

from skmetricmlp.onnx.converters import OPSET, to_onnx

__all__ = [
    "OPSET",
    "to_onnx",
]
