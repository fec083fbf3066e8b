"""How the columns of a table are read by the comparison, and what is said of them."""

import numpy as np
import pandas as pd
import pytest

from skmetricmlp._command import main
from skmetricmlp.study import Dataset, describe_columns, read_dataset
from skmetricmlp.study.columns import count_kinds, date_formats

N = 60
RNG = np.random.default_rng(0)
LABELS = pd.Series(RNG.choice(["yes", "no"], N), name="bought")
NUMBERS = RNG.uniform(1, 100, N)


def described(column, y=LABELS):
    return describe_columns(pd.DataFrame({"c": column}), y).iloc[0]


@pytest.mark.parametrize(
    ("column", "kind", "n_missing", "n_distinct"),
    [
        (NUMBERS, "number", 0, N),
        (np.where(np.arange(N) < 4, np.nan, np.arange(N) % 3), "number", 4, 3),
        (pd.array([1, None] * 30, dtype="Int64"), "one value", 30, 1),
        (["a", "b", None] * 20, "category", 20, 2),
        ([True, False] * 30, "category", 0, 2),
        ([np.nan] * N, "empty", N, 0),
        (["x"] * N, "one value", 0, 1),
        (pd.date_range("2024-01-01", periods=N), "date", 0, N),
        (["2024-01-31", "2024-02-29 08:30", None] * 20, "date", 20, 2),
        (["2024-01-31", "2024-02-30"] * 30, "category", 0, 2),
    ],
)
def test_what_a_column_is_read_as(column, kind, n_missing, n_distinct):
    found = described(column)
    counts = found["read as"], found["missing"], found["distinct"]
    assert counts == (kind, n_missing, n_distinct)
    assert found["note"] == ""


@pytest.mark.parametrize(
    ("column", "note"),
    [
        ([f"{v:.1f}".replace(".", ",") for v in NUMBERS], "decimal comma.*--decimal"),
        ([f"€ {1000 * v:,.0f}" for v in NUMBERS], "in a form that is read as text.*€"),
        ([f"{v:.0f} %" for v in NUMBERS], "in a form that is read as text.* %"),
        (
            ["unknown", *map(str, NUMBERS[1:])],
            "1 of 60 values is not a number.*'unknown'.*--missing",
        ),
        (["?"] * 20 + [*map(str, NUMBERS[20:])], "20 of 60 values are not .*'\\?'"),
        (["2024-01-31"] * 59 + ["soon"], "1 of 60 values is not a date, such as 'soon'"),
        (["01/02/2024", "03/04/2024"] * 30, "cannot be told apart.*--dates '%d/%m/%Y'"),
        (20240101 + np.arange(N) % 20, "dates such as 20240101.*--dates '%Y%m%d'"),
        (np.arange(N) + 7, "row numbers.*--drop"),
        ([f"{v:.1f}" for v in NUMBERS], "decimal point.*--decimal '\\.'"),
        ([f"customer {k}" for k in range(N)], "all values differ.*--drop"),
        ([f"street {k // 2}" for k in range(N)], "19 most frequent"),
        (np.where(LABELS == "yes", "A", "B"), "decides the target alone"),
        (np.where(LABELS == "yes", 3, 8), "decides the target alone.*--drop"),
        (np.where(LABELS == "yes", 0, 99) + NUMBERS, "decides the target alone"),
    ],
)
def test_what_looks_unintended(column, note):
    assert pd.Series([described(column)["note"]]).str.contains(note).all()


def test_a_column_that_is_the_target_in_other_units():
    values = pd.Series(NUMBERS)
    assert "up to its units" in described(1.8 * NUMBERS + 32, values)["note"]
    noisy = NUMBERS + RNG.normal(scale=0.5, size=N)
    assert described(noisy, values)["note"] == ""


@pytest.mark.parametrize(
    ("column", "formats"),
    [
        (["2024-01-31", None], ["ISO8601"]),
        (["2024-03-31T01:30:00+01:00", "2024-03-31T03:30:00+02:00"], ["ISO8601"]),
        (["31.01.2024", "01.02.2024"], ["%d.%m.%Y"]),
        (["31.01.2024 08:30"], ["%d.%m.%Y %H:%M"]),
        (["1/31/2024", "2/1/2024"], ["%m/%d/%Y"]),
        (["31/01/2024"], ["%d/%m/%Y"]),
        (["01/02/2024"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["2024/01/31"], ["%Y/%m/%d"]),
        (["31.01.2024", "2024-01-31"], []),
        (["31.02.2024"], []),
        (["1.2.3"], []),
        ([20240131.0], []),
        ([None, None], []),
    ],
)
def test_dates_are_text_of_dates_only(column, formats):
    assert date_formats(pd.Series(column)) == formats


def test_kinds_are_counted_in_words():
    kinds = ["number", "category", "number", "category", "one value", "empty", "date"]
    counted = count_kinds(pd.DataFrame({"read as": kinds}))
    assert counted == "2 numbers, 2 categories, 1 of one value, 1 empty, 1 date"


def test_dates_of_a_csv_file_are_those_of_a_parquet_file(tmp_path):
    days = pd.Series(pd.date_range("2024-01-01", periods=N)).where(np.arange(N) != 5)
    table = pd.DataFrame({"day": days, "y": LABELS})
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    one, other = (
        read_dataset(tmp_path / f"t.{kind}", "y") for kind in ("csv", "parquet")
    )
    pd.testing.assert_frame_equal(one.X, other.X)
    assert one.columns["read as"].tolist() == ["date"]
    assert one.X["day"].isna().sum() == 1


def test_rows_without_a_target_are_not_described():
    y = LABELS.where(np.arange(N) != 0)
    data = Dataset.from_arrays(pd.DataFrame({"x": [np.nan, *NUMBERS[1:]]}), y)
    assert data.columns["missing"].tolist() == [0]


def test_the_command_says_how_columns_were_read(tmp_path, capsys):
    table = pd.DataFrame({"age": ["unknown", *map(str, NUMBERS[1:])], "x": NUMBERS})
    table.assign(y=LABELS).to_csv(tmp_path / "t.csv", index=False)
    options = ["--seeds", "1", "--epochs", "1", "--init", "metric", "random", "--quiet"]
    options += ["--baselines", "none"]
    folder = tmp_path / "out"
    files = [str(tmp_path / "t.csv"), "--target", "y", "--output", str(folder)]
    assert main(["compare", *files, *options]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[1] == "Columns read as 1 category, 1 number"
    assert printed[2].startswith("  age: 1 of 60 values is not a number")
    page = (folder / "report.html").read_text()
    assert "How your columns were read" in page
    assert "Target y: 2 classes" in page
    assert "1 of 60 values is not a number" in page
