"""The comparison of initialisations on a data set: data -> run -> table -> report."""

from skmetricmlp.study.compare import compare, time_to_target
from skmetricmlp.study.data import DataError, Dataset, load_digits_dataset, read_dataset
from skmetricmlp.study.report import accuracy_table, target_table, write_report

__all__ = [
    "DataError",
    "Dataset",
    "accuracy_table",
    "compare",
    "load_digits_dataset",
    "read_dataset",
    "target_table",
    "time_to_target",
    "write_report",
]
