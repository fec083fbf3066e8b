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
from skmetricmlp.study.report import (
    mistakes_table,
    settings_table,
    starts_table,
    write_report,
)
from skmetricmlp.study.rivals import ModelResults, compare_models
from skmetricmlp.study.runs import sample_rows
from skmetricmlp.study.scores import Score, find_score
from skmetricmlp.study.summary import (
    arrivals,
    measure_table,
    model_table,
    rank_starts,
    ranking_table,
    recall_table,
    score_table,
    summarize,
    target_table,
    time_to_target,
)

__all__ = [
    "DataError",
    "Dataset",
    "Design",
    "ModelResults",
    "OutputError",
    "Score",
    "Start",
    "Study",
    "arrivals",
    "compare",
    "compare_models",
    "conclusions",
    "describe_columns",
    "find_score",
    "load_dataset",
    "measure_table",
    "mistakes_table",
    "model_table",
    "rank_starts",
    "ranking_table",
    "read_dataset",
    "recall_table",
    "run_study",
    "sample_rows",
    "score_table",
    "settings_table",
    "starts_from_grid",
    "starts_table",
    "summarize",
    "tabular_transformer",
    "target_table",
    "time_to_target",
    "write_report",
]
