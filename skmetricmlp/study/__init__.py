"""The comparison of initializations on a data set.

data and design -> runs -> study -> summary and verdict -> page
"""

from skmetricmlp.plotting._text import escape_controls as visible
from skmetricmlp.study.compare import Study, compare, run_study
from skmetricmlp.study.data import (
    Dataset,
    load_dataset,
    read_dataset,
    tabular_transformer,
)
from skmetricmlp.study.design import Design, Start, starts_of
from skmetricmlp.study.errors import DataError
from skmetricmlp.study.files import OutputError, discard_folders, make_folder
from skmetricmlp.study.report import (
    counted,
    mistakes_table,
    report_names,
    starts_table,
    write_report,
)
from skmetricmlp.study.summary import (
    score_table,
    summarize,
    target_table,
    time_to_target,
)
from skmetricmlp.study.verdict import verdict

__all__ = [
    "DataError",
    "Dataset",
    "Design",
    "OutputError",
    "Start",
    "Study",
    "compare",
    "counted",
    "discard_folders",
    "load_dataset",
    "make_folder",
    "mistakes_table",
    "read_dataset",
    "report_names",
    "run_study",
    "score_table",
    "starts_of",
    "starts_table",
    "summarize",
    "tabular_transformer",
    "target_table",
    "time_to_target",
    "verdict",
    "visible",
    "write_report",
]
