"""The comparison of initialisations on a data set.

data and design -> runs -> study -> summary and verdict -> page
"""

from skmetricmlp.study.compare import Study, compare, run_study
from skmetricmlp.study.data import (
    DataError,
    Dataset,
    load_dataset,
    read_dataset,
    tabular_transformer,
)
from skmetricmlp.study.design import Design, Start, starts_of
from skmetricmlp.study.report import mistakes_table, starts_table, write_report
from skmetricmlp.study.summary import (
    score_table,
    summarise,
    target_table,
    time_to_target,
)
from skmetricmlp.study.verdict import verdict

__all__ = [
    "DataError",
    "Dataset",
    "Design",
    "Start",
    "Study",
    "compare",
    "load_dataset",
    "mistakes_table",
    "read_dataset",
    "run_study",
    "score_table",
    "starts_of",
    "starts_table",
    "summarise",
    "tabular_transformer",
    "target_table",
    "time_to_target",
    "verdict",
    "write_report",
]
