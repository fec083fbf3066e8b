"""Tables as users have them: what `compare` reads in them, says of them, and refuses."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

from skmetricmlp._command import main
from skmetricmlp.study import DataError, describe_columns, read_dataset

N = 200
RNG = np.random.default_rng(0)
DAYS = pd.Series(pd.Timestamp("2023-06-01") + pd.to_timedelta(RNG.permutation(N), "D"))
SHOP = pd.DataFrame(
    {
        "age": RNG.normal(50, 9, N).round(1),
        "city": RNG.choice(["Köln", "Bonn", "Łódź"], N),
        "churn": RNG.choice(["yes", "no"], N),
    }
)
VISITS = RNG.poisson(5, N)
GERMAN = SHOP.replace("Łódź", "Fürth").assign(since=DAYS.dt.strftime("%d.%m.%Y"))


@pytest.fixture
def reading(tmp_path, monkeypatch, capsys):
    """Return a function that runs the command up to its first training."""
    monkeypatch.chdir(tmp_path)

    def stop(*_, **__):
        raise ValueError("here training begins")

    monkeypatch.setattr("skmetricmlp.study.run_study", stop)

    def read(name, content, *options, target="churn"):
        if isinstance(content, pd.DataFrame):
            save = content.to_csv if name.endswith("csv") else content.to_parquet
            save(name, index=not name.endswith("csv"))
        else:
            (tmp_path / name).write_bytes(content)
        status = main(["compare", name, "--target", target, *options, "--quiet"])
        shown = capsys.readouterr()
        assert status == 2
        assert shown.err == "error: here training begins\n"
        *lines, plan = shown.out.splitlines()
        assert "trainings (" in plan
        return lines

    return read


# --- what is said of a table ---


def test_a_plain_table_is_told_in_three_lines(reading):
    n = SHOP["churn"].value_counts()
    most, least = (f"{n[label]} rows ({label!r})" for label in n.index)
    assert reading("t.csv", SHOP) == [
        "t: 200 rows, 2 columns, 2 classes",
        "Columns read as 1 number, 1 category",
        f"Target churn: 2 classes, from {most} to {least.replace(' rows', '')}",
    ]


@pytest.mark.parametrize(
    ("name", "target", "line"),
    [
        ("prices", RNG.permutation(N) % 90 + 100, "values from 100 to 189; for classif"),
        ("ages", RNG.permutation(np.arange(N) % 25 + 40), "values from 40 to 64; for "),
        ("small counts", np.arange(N) % 20, "20 classes of 10 rows each; for regress"),
        ("ratings", np.arange(N) % 5 + 1.0, "5 classes of 40 rows each; for regression"),
        ("zeros and ones", np.arange(N) % 2 + 0.0, "2 classes of 100 rows each"),
        ("truth", np.arange(N) % 4 > 2, "2 classes, from 150 rows (False) to 50 (True)"),
        ("measurements", SHOP["age"] * 1.5, f"values from {1.5 * SHOP['age'].min():g}"),
        ("imbalanced", ["no"] * 194 + ["yes"] * 6, "from 194 rows ('no') to 6 ('yes')"),
        ("rare", list("a" * 185 + "b" * 8 + "c" * 4 + "d" * 2 + "e"), "to 1 ('e')"),
    ],
)
def test_the_target_is_described(reading, name, target, line):
    *_, last = reading("t.csv", SHOP.assign(y=target), target="y")
    assert last.startswith("Target y: ")
    assert line in last, name
    assert ("--task" in last) == (name in "prices ages small counts ratings")


def test_a_task_that_is_given_is_not_doubted(reading):
    table = SHOP.assign(y=VISITS)
    assert "--task" in reading("t.csv", table, target="y")[-1]
    for task in ("classes", "values"):
        assert "--task" not in reading("t.csv", table, "--task", task, target="y")[-1]


@pytest.mark.parametrize("n_distinct", [20, 21])
def test_more_than_twenty_integers_are_values(reading, n_distinct):
    table = SHOP.assign(y=np.arange(N) % n_distinct)
    task = "classes" if n_distinct == 20 else "values"
    assert reading("t.csv", table, target="y")[0].endswith(f"{n_distinct} {task}")


@pytest.mark.parametrize(
    ("column", "note"),
    [
        (["unknown", *SHOP["age"][1:].astype(str)], "1 of 200 values is not a number"),
        ([f"€ {1000 * age:,.0f}" for age in SHOP["age"]], "write them as plain numbers"),
        ([f"C{k:05}" for k in range(N)], "all values differ"),
        (range(1000, 1000 + N), "row numbers"),
        (DAYS.dt.strftime("%Y%m%d"), "dates such as 20"),
        (np.where(SHOP["churn"] == "yes", 1, 5) + SHOP["age"] / 99, "decides the target"),
        (np.where(SHOP["churn"] == "yes", "left", "here"), "decides the target alone"),
    ],
)
def test_columns_that_look_unintended_are_named(reading, column, note):
    lines = reading("t.csv", SHOP.assign(odd=column))
    (said,) = [line for line in lines if line.startswith("  ")]
    assert said.startswith("  odd: ")
    assert note in said


def test_a_rare_class_apart_by_chance_is_no_leak():
    y = pd.Series(["a"] * 196 + ["b"] * 4)
    described = describe_columns(pd.DataFrame({"x": np.arange(N) * 1.5}), y)
    assert described["note"].tolist() == [""]
    described = describe_columns(pd.DataFrame({"x": np.arange(N) * 1.5}), y.map(ord))
    assert described["note"].tolist() == [""]


# --- options for what was read otherwise than meant ---


def test_cells_that_count_as_missing(reading):
    ages = ["?" if k % 9 == 0 else str(age) for k, age in enumerate(SHOP["age"])]
    table = SHOP.assign(age=ages)
    assert "see --missing" in reading("t.csv", table)[2]
    assert "1 number, 1 category" in reading("t.csv", table, "--missing", "?")[1]
    data = read_dataset("t.csv", "churn", missing=["?", "unknown"])
    assert data.columns["missing"].tolist() == [23, 0]
    np.testing.assert_array_equal(data.X["age"], SHOP["age"].where(np.arange(N) % 9 > 0))


def test_columns_that_are_left_out(reading):
    table = SHOP.assign(id=[f"C{k}" for k in range(N)], row=range(N))
    lines = reading("t.csv", table, "--drop", "id", "row")
    assert lines == reading("t.csv", SHOP)


@pytest.mark.parametrize(
    ("written_as", "options"),
    [
        ("%Y-%m-%d", {}),
        ("%Y-%m-%dT%H:%M:%S+00:00", {}),
        ("%d.%m.%Y", {}),
        ("%d.%m.%Y %H:%M", {}),
        ("%m/%d/%Y", {}),
        ("%d/%m/%Y", {}),
        ("%Y/%m/%d", {}),
        ("%d %b %Y", {"dates": "%d %b %Y"}),
        ("%Y%m%d", {"dates": "%Y%m%d"}),
    ],
)
def test_dates_in_text_are_those_of_parquet(tmp_path, written_as, options):
    text = SHOP.assign(since=DAYS.dt.strftime(written_as).where(np.arange(N) > 3))
    text.to_csv(tmp_path / "t.csv", index=False)
    SHOP.assign(since=DAYS.where(np.arange(N) > 3)).to_parquet(tmp_path / "t.parquet")
    read = read_dataset(tmp_path / "t.csv", "churn", **options)
    expected = read_dataset(tmp_path / "t.parquet", "churn")
    pd.testing.assert_frame_equal(read.X, expected.X)
    assert read.columns["read as"].tolist() == ["number", "category", "date"]
    seconds = np.diff(read.X["since"][4:]) / 86400
    np.testing.assert_array_equal(seconds, np.diff(DAYS[4:]) / np.timedelta64(1, "D"))


# --- formats that are guessed ---


@pytest.mark.parametrize(
    ("name", "content", "guessed"),
    [
        ("t.csv", SHOP.to_csv(index=False), ""),
        ("t.tsv", SHOP.to_csv(index=False, sep="\t"), ""),
        ("t.csv", SHOP.to_csv(index=False, sep=";"), "--separator ';'"),
        ("t.csv", SHOP.to_csv(index=False, sep="\t"), r"--separator '\t'"),
        ("t.txt", SHOP.to_csv(index=False, sep="|"), "--separator '|'"),
        ("t.tsv", SHOP.to_csv(index=False), "--separator ','"),
        ("t.csv", SHOP.to_csv(index=False).encode("utf-16"), "--encoding utf-16"),
        ("t.csv", SHOP.to_csv(index=False).encode("utf-32"), "--encoding utf-32"),
        (
            "t.csv",
            SHOP.to_csv(index=False, sep=";", decimal=","),
            "--separator ';' --decimal ','",
        ),
        ("t.csv", SHOP.to_csv(index=False, decimal=","), "--decimal ','"),
    ],
)
def test_the_format_of_a_file_is_guessed_and_said(reading, name, content, guessed):
    content = content if isinstance(content, bytes) else content.encode()
    lines = reading(name, content)
    said = [line for line in lines if line.startswith("Read with")]
    assert said == [f"Read with {guessed}, guessed from the file"] * bool(guessed)
    data = read_dataset(name, "churn")
    np.testing.assert_array_equal(data.X["age"], SHOP["age"])
    assert data.X["city"].tolist() == SHOP["city"].tolist()


def test_the_export_of_a_european_spreadsheet(reading):
    """Semicolons, decimal commas, days before months, and umlauts in one byte."""
    content = GERMAN.to_csv(index=False, sep=";", decimal=",").encode("cp1252")
    lines = reading("kunden.csv", content)
    options = "--separator ';' --encoding cp1252 --decimal ','"
    assert lines[1] == f"Read with {options}, guessed from the file"
    assert lines[2] == "Columns read as 1 number, 1 category, 1 date"
    data = read_dataset("kunden.csv", "churn")
    given = {"separator": ";", "decimal": ",", "encoding": "cp1252"}
    pd.testing.assert_frame_equal(data.X, read_dataset("kunden.csv", "churn", **given).X)
    assert read_dataset("kunden.csv", "churn", **given).guessed == ""
    assert set(data.X["city"]) == {"Köln", "Bonn", "Fürth"}
    np.testing.assert_array_equal(data.X["age"], GERMAN["age"])


@pytest.mark.parametrize(
    ("header", "row", "columns", "values"),
    [
        # A comma separates, whatever is in the text.
        ("a;b,y", "1;2,{y}", ["a;b"], ["1;2"]),
        ("a,b,y", "1,x;y;z;w,{y}", ["a", "b"], [1.0, "x;y;z;w"]),
        ('a,"b;c;d",y', '1,"p;q;r",{y}', ["a", "b;c;d"], [1.0, "p;q;r"]),
        # Cells may have line breaks.
        ("a;b;y", '1;"one\nline, two";{y}', ["a", "b"], [1.0, "one\nline, two"]),
        # Numbers with commas between thousands are not those with decimal commas.
        ("a;b;y", "21,345;2.5;{y}", ["a", "b"], ["21,345", 2.5]),
        ("a;b;y", "21,345;2;{y}", ["a", "b"], ["21,345", 2.0]),
        ("a;b;y", "1,5;2.5;{y}", ["a", "b"], ["1,5", 2.5]),
        ("a;b;y", "21,5;2;{y}", ["a", "b"], [21.5, 2.0]),
        ("a;b;y", "-1,5e-3;2;{y}", ["a", "b"], [-0.0015, 2.0]),
    ],
)
def test_what_a_guess_does_not_take_for_a_separator(
    tmp_path, header, row, columns, values
):
    rows = [row.format(y="yes" if k % 2 else "no") for k in range(30)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *rows, ""]))
    data = read_dataset(path, "y")
    assert list(data.X) == columns
    assert data.X.iloc[0].tolist() == values


def test_a_file_without_header_and_with_decimal_commas(tmp_path):
    rows = [f"{k},5;{'yes' if k % 3 else 'no'};7" for k in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    data = read_dataset(tmp_path / "t.csv", "1", has_header=False)
    assert list(data.X) == ["0", "2"]
    np.testing.assert_array_equal(data.X["0"], np.arange(30) + 0.5)


def test_codes_of_a_few_digits_are_not_read_in_part(tmp_path):
    """The guess reads the first rows, and the types are those of all."""
    codes = [*range(1500), "A7"]
    pd.DataFrame({"code": codes, "y": ["a", "b", "c"] * 500 + ["a"]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    data = read_dataset(tmp_path / "t.csv", "y")
    assert data.columns["read as"].tolist() == ["category"]
    assert "such as 'A7'" in data.columns["note"][0]


# --- types of Parquet ---


def test_each_type_of_a_parquet_file(tmp_path):
    k = np.arange(N)
    table = SHOP.assign(
        count=pd.array(k % 7, dtype="Int64"),
        member=pd.array(k % 2 == 0, dtype="boolean"),
        kind=pd.Categorical(np.where(k % 3, "a", "b")),
        took=pd.to_timedelta(k % 50, "h"),
        day=[dt.date(2024, 1, 1) + dt.timedelta(int(i)) for i in k],
        at=pd.date_range("2024-01-01", periods=N, tz="Europe/Berlin"),
        price=[decimal.Decimal(int(i)) / 4 for i in k],
        never=[None] * N,
    )
    for column in ("count", "member", "took", "price"):
        table.loc[7, column] = None
    table.to_parquet(tmp_path / "t.parquet")
    data = read_dataset(tmp_path / "t.parquet", "churn")
    kinds = "number category number category category duration date date number empty"
    assert data.columns["read as"].tolist() == kinds.split()
    known = k != 7
    np.testing.assert_array_equal(data.X["took"][known], (k % 50 * 3600.0)[known])
    np.testing.assert_array_equal(data.X["day"], 86400.0 * k)
    np.testing.assert_array_equal(data.X["price"][known], k[known] / 4)
    assert data.X["price"].isna().sum() == data.X["took"].isna().sum() == 1
    assert set(data.X["member"]) == {"True", "False", "missing"}


def test_an_index_with_a_name_is_a_column(tmp_path):
    SHOP.set_index("city").to_parquet(tmp_path / "t.parquet")
    data = read_dataset(tmp_path / "t.parquet", "churn")
    assert data.X["city"].tolist() == SHOP["city"].tolist()
    SHOP.iloc[::-1].to_parquet(tmp_path / "t.parquet")
    assert list(read_dataset(tmp_path / "t.parquet", "churn").X) == ["age", "city"]


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}])
def test_a_column_of_lists_is_refused_and_may_be_left_out(tmp_path, cell):
    SHOP.assign(basket=[cell] * N).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"the column 'basket' has values .*--drop"):
        read_dataset(tmp_path / "t.parquet", "churn")
    data = read_dataset(tmp_path / "t.parquet", "churn", drop=["basket"])
    assert list(data.X) == ["age", "city"]


@pytest.mark.parametrize(
    ("target", "task", "distinct"),
    [
        (pd.array([None, True, False, False] * 50, dtype="boolean"), "classes", 2),
        (pd.array([None, 1, 2, 3] * 50, dtype="Int64"), "classes", 3),
        (pd.Categorical(np.arange(N) % 3), "classes", 3),
        (pd.to_timedelta(np.arange(N) % 90, "h"), "values", 90),
        ([decimal.Decimal(int(k)) / 4 for k in range(N)], "values", N),
        ([dt.date(2024, 1, 1 + k % 4) for k in range(N)], "classes", 4),
    ],
)
def test_targets_of_other_types(tmp_path, target, task, distinct):
    SHOP.assign(y=target).to_parquet(tmp_path / "t.parquet")
    data = read_dataset(tmp_path / "t.parquet", "y")
    assert (data.task.name, data.y.nunique()) == (task, distinct)
    assert len(data.y) == N - pd.Series(target).isna().sum()


def test_a_target_of_dates_that_all_differ_is_refused(tmp_path):
    SHOP.assign(y=DAYS).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="too many classes: predict numbers, or a"):
        read_dataset(tmp_path / "t.parquet", "y")


# --- a whole run ---


def test_a_whole_run_on_a_table_with_rare_classes_and_all_kinds_of_columns(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    table = GERMAN.assign(
        id=[f"C{k}" for k in range(N)],
        member=np.arange(N) % 3 == 0,
        y=list("a" * 185 + "b" * 8 + "c" * 4 + "d" * 2 + "e"),
    )
    table.loc[::5, ["age", "city", "since"]] = None
    table.to_csv("t.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    options = ["--baselines", "none", "--init", "metric", "random", "--n-exemplars", "9"]
    options += ["--sizes", "60", "--seeds", "1", "--epochs", "1", "--quiet"]
    assert main(["compare", "t.csv", "--target", "y", "--drop", "id", *options]) == 0
    shown = capsys.readouterr()
    assert "5 classes, from 185 rows ('a') to 1 ('e')" in shown.out
    assert "2 numbers" not in shown.out
    assert shown.err == ""
    page = (tmp_path / "reports/compare-t/report.html").read_text("utf-8")
    assert "How your columns were read" in page
    assert "--drop id" in page
