"""The comparison of starts on a data set, as a function and as a command.

A :class:`Design` of starts, sizes and seeds is run on a :class:`Dataset`. The
:class:`Study` that results is summarized in tables, sentences and a report.
"""

from skmetricmlp.study.columns import describe_columns
from skmetricmlp.study.compare import Study, compare, run_study
from skmetricmlp.study.conclusions import conclusions
from skmetricmlp.study.data import (
    Dataset,
    load_dataset,
    read_dataset,
    tabular_transformer,
)
from skmetricmlp.study.design import Design, Start, starts_from_grid
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.files import OutputError
from skmetricmlp.study.report import mistakes_table, starts_table, write_report
from skmetricmlp.study.rivals import compare_models
from skmetricmlp.study.summary import (
    model_table,
    score_table,
    summarize,
    target_table,
    time_to_target,
)

__all__ = [
    "DataError",
    "Dataset",
    "Design",
    "OutputError",
    "Start",
    "Study",
    "compare",
    "compare_models",
    "conclusions",
    "describe_columns",
    "load_dataset",
    "mistakes_table",
    "model_table",
    "read_dataset",
    "run_study",
    "score_table",
    "starts_from_grid",
    "starts_table",
    "summarize",
    "tabular_transformer",
    "target_table",
    "time_to_target",
    "write_report",
]
