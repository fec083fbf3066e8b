"""Data sets: files, arrays, and data of scikit-learn by name."""

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.base import clone
from sklearn.utils import Bunch

from skmetricmlp.study import (
    DataError,
    Dataset,
    load_dataset,
    read_dataset,
    tabular_transformer,
)
from skmetricmlp.study.tasks import CLASSES, VALUES

# --- files ---


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.parquet"])
def test_mixed_columns_and_missing_values_become_numbers(tmp_path, mixed_frame, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        mixed_frame.to_parquet(path)
    else:
        mixed_frame.to_csv(path, index=False)
    data = read_dataset(path, "label")
    assert data.name == "table"
    assert data.y.tolist() == mixed_frame["label"].tolist()
    X = clone(data.transformer).fit_transform(data.X)
    assert X.dtype == float
    assert np.isfinite(X).all()
    assert len(X) == len(mixed_frame)


def test_a_file_without_names_of_columns(tmp_path):
    iris = datasets.load_iris(as_frame=True).frame
    iris.to_csv(tmp_path / "iris.csv", index=False, header=False, sep=" ")
    data = read_dataset(tmp_path / "iris.csv", "4", separator=" ", has_header=False)
    assert list(data.X) == ["0", "1", "2", "3"]
    np.testing.assert_array_equal(data.X, iris.iloc[:, :4])
    np.testing.assert_array_equal(data.y, iris["target"])


def test_rows_without_a_label_are_left_out(tmp_path, mixed_frame):
    frame = mixed_frame.copy()
    frame.loc[:9, "label"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert len(read_dataset(tmp_path / "t.csv", "label").y) == len(frame) - 10


@pytest.mark.parametrize(
    ("target", "change", "message"),
    [
        ("labl", lambda frame: frame, "no column 'labl'.*did you mean 'label'"),
        (None, lambda frame: frame, "--target.*size, count"),
        ("label", lambda frame: frame.assign(label="yes"), "it has one class 'yes'"),
        ("label", lambda frame: frame.assign(label=None), "no labels"),
        ("label", lambda frame: frame.head(15), "at least 20 labeled rows.*got 15"),
        (
            "day",
            lambda frame: frame.assign(day=[f"d{k}" for k in range(120)]),
            "too many classes: predict numbers, or a column of fewer",
        ),
        ("label", lambda frame: frame[["label"]], "no column besides"),
    ],
)
def test_errors_say_what_is_wrong_with_the_file(
    tmp_path, mixed_frame, target, change, message
):
    path = tmp_path / "table.csv"
    change(mixed_frame).to_csv(path, index=False)
    with pytest.raises(DataError, match=message):
        read_dataset(path, target)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "no such file: .*missing.csv"),
        ("table.xlsx", b"", "must be a .csv or .parquet file"),
        ("table.csv", b"", "cannot be read"),
        ("table.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path / name, "label")


def test_columns_on_a_scale_from_0_to_1(mixed_frame):
    """Test rows outside the range of the training rows are clipped."""
    data = Dataset.from_arrays(mixed_frame.drop(columns="label"), mixed_frame["label"])
    order = data.X["size"].fillna(0).argsort()
    transformer = tabular_transformer("minmax").fit(data.X.iloc[order[:60]])
    X = transformer.transform(data.X)
    assert X.min() == 0
    assert X.max() == 1
    with pytest.raises(DataError, match="one of standard, minmax, got 'robust'"):
        tabular_transformer("robust")


# --- scikit-learn's ---


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "iris", "wine"])
def test_data_that_scikit_learn_ships(name):
    """The labels are the target names, and the rows are those of the loader."""
    data, bunch = load_dataset(name), getattr(datasets, f"load_{name}")()
    assert data.name == name
    np.testing.assert_array_equal(data.X.to_numpy(), bunch.data)
    np.testing.assert_array_equal(data.y, bunch.target_names[bunch.target])
    X = clone(data.transformer).fit_transform(data.X)
    assert X.shape == bunch.data.shape


def test_diabetes_has_values():
    data, bunch = load_dataset("diabetes"), datasets.load_diabetes()
    assert data.task is VALUES
    np.testing.assert_array_equal(data.y, bunch.target)


@pytest.mark.parametrize(
    ("y", "task", "message"),
    [
        (["a", "b"] * 15, "values", "the target 'y' has values that are not finite"),
        ([1.5, np.inf] * 15, None, "the target 'y' has values that are not finite"),
        ([1.5] * 30, "values", "needs at least two values; it has 1.5"),
        ([0.5] * 9 + [1.0] * 9, "values", "at least 20 labeled rows"),
        ([0, 1] * 15, "numbers", "task must be one of classes, values, got 'numbers'"),
    ],
)
def test_targets_that_are_no_values(y, task, message):
    with pytest.raises(DataError, match=message):
        Dataset.from_arrays(np.zeros((len(y), 1)), y, task=task)


def test_a_column_of_numbers_is_classes_or_values(tmp_path, mixed_frame):
    mixed_frame.to_csv(tmp_path / "t.csv", index=False)
    assert read_dataset(tmp_path / "t.csv", "size").task is VALUES
    assert read_dataset(tmp_path / "t.csv", "count").task is CLASSES
    assert read_dataset(tmp_path / "t.csv", "count", task="values").task is VALUES


def test_digits_are_images_with_pixels_from_0_to_1():
    data = load_dataset("digits")
    X = clone(data.transformer).fit_transform(data.X)
    assert (X.min(), X.max()) == (0.0, 1.0)
    assert np.prod(data.image_shape) == X.shape[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "no data set 'digit'.*did you mean 'digits'"),
        (
            "xyz",
            "no data set 'xyz': name one of breast_cancer, diabetes, digits, iris, wine",
        ),
    ],
)
def test_names_that_nobody_knows(name, message):
    with pytest.raises(DataError, match=message):
        load_dataset(name)


def test_data_of_openml(monkeypatch, mixed_frame):
    """Downloaded data are treated like a table of the user."""
    asked = []

    def fetch_openml(name, *, as_frame):
        asked.append((name, as_frame))
        target = mixed_frame["label"].astype("category")
        return Bunch(data=mixed_frame.drop(columns="label"), target=target)

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    data = load_dataset("openml:credit-g")
    assert asked == [("credit-g", True)]
    assert data.name == "credit-g"
    assert data.y.tolist() == mixed_frame["label"].tolist()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (OSError("no network"), "openml:mnist could not be downloaded: no network"),
        (
            ValueError("no such data"),
            "openml:mnist could not be downloaded: no such data",
        ),
        (None, "openml:mnist has no single target column"),
    ],
)
def test_data_that_openml_does_not_have(monkeypatch, mixed_frame, answer, message):
    def fetch_openml(*_, **__):
        if isinstance(answer, Exception):
            raise answer
        return Bunch(data=mixed_frame, target=mixed_frame[["label", "day"]])

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    with pytest.raises(DataError, match=message):
        load_dataset("openml:mnist")


# --- arrays ---


def test_arrays_are_what_a_file_of_them_is(tmp_path, mixed_frame):
    mixed_frame.to_csv(tmp_path / "t.csv", index=False)
    read = read_dataset(tmp_path / "t.csv", "label")
    frame = pd.read_csv(tmp_path / "t.csv")
    given = Dataset.from_arrays(frame.drop(columns="label"), frame["label"], name="t")
    pd.testing.assert_frame_equal(given.X, read.X)
    assert given.fingerprint == read.fingerprint
    assert Dataset.from_arrays(np.eye(24), np.arange(24) % 2).X.shape == (24, 24)


def test_arrays_of_different_lengths():
    with pytest.raises(DataError, match="X has 30 rows and y has 29"):
        Dataset.from_arrays(np.zeros((30, 2)), np.arange(29) % 2)


def test_the_fingerprint_changes_with_what_it_is_of():
    X, y = datasets.load_iris(return_X_y=True)
    data = Dataset.from_arrays(X, y)
    moved, relabeled = X.copy(), y.copy()
    moved[3, 1] += 1e-9
    relabeled[5] = 2
    others = [
        Dataset.from_arrays(moved, y),
        Dataset.from_arrays(X, relabeled),
        Dataset.from_arrays(X[::-1], y[::-1]),
        Dataset.from_arrays(pd.DataFrame(X, columns=list("abcd")), y),
        Dataset.from_arrays(X, y, transformer="passthrough"),
        Dataset.from_arrays(X, y, task="values"),
    ]
    prints = {other.fingerprint for other in others}
    assert len(prints) == len(others)
    assert data.fingerprint not in prints
    assert data.fingerprint == Dataset.from_arrays(X.copy(), list(y)).fingerprint
