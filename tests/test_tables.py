"""Tables as they are: categories, dates, missing values, and columns of any unit."""

import pickle
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from factories import classifier, regressor
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from skmetricmlp import MetricInitMLPClassifier, MetricInitMLPRegressor
from skmetricmlp.tables import fit_encoding, table_summary

X, y = load_iris(return_X_y=True)
X = X + np.random.default_rng(0).normal(scale=0.01, size=X.shape)  # without ties
VALUES = X[:, 3] + 0.1 * X[:, 0]


def with_holes(table, share=0.25, seed=0):
    """Return a copy with missing numbers, one known number in each row at least."""
    rng = np.random.default_rng(seed)
    holes = rng.random(table.shape) < share
    holes[np.arange(len(table)), rng.integers(table.shape[1], size=len(table))] = False
    return np.where(holes, np.nan, table)


def mixed_table(n=160, seed=0):
    """Return a table of all kinds of columns, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(18, 90, n)
    city = rng.choice(["Rome", "Oslo", "Lima"], n)
    table = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "city": pd.Categorical(city),
            "job": np.where(rng.random(n) < 0.2, None, rng.choice(["a", "b"], n)),
            "member": rng.random(n) < 0.5,
            "visits": pd.array(rng.integers(9, size=n), dtype="Int64"),
            "since": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(900, size=n), "D"),
        }
    )
    table.loc[3, "visits"] = pd.NA
    table.loc[5, "since"] = pd.NaT
    labels = np.where((age > 50) ^ (city == "Rome"), "yes", "no")
    return table, labels


TABLE, LABELS = mixed_table()
MORE, _ = mixed_table(seed=1)


# --- missing values: the nearest exemplars by the known features ---


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("trained_with", ["complete rows", "holes"])
def test_votes_are_those_of_nan_euclidean_neighbors(k, tied, trained_with):
    rows = X if trained_with == "complete rows" else with_holes(X)
    settings = {"n_neighbors": k, "tied": tied, "activation": "step"}
    model = classifier(n_exemplars=15, **settings).fit(rows, y)
    neighbors = KNeighborsClassifier(k, metric="nan_euclidean")
    neighbors.fit(model.exemplars_, model.exemplar_labels_)
    values = regressor(n_exemplars=15, **settings).fit(rows, VALUES)
    of_values = KNeighborsRegressor(k, metric="nan_euclidean")
    of_values.fit(values.exemplars_, values.exemplar_values_)
    without_a_column = X.copy()
    without_a_column[:, 2] = np.nan
    for some in (with_holes(X, 0.5, seed=1), without_a_column, X):
        assert_allclose(
            model.predict_proba(some), neighbors.predict_proba(some), atol=1e-12
        )
        assert_allclose(values.predict(some), of_values.predict(some), rtol=1e-9)


def test_a_row_of_which_nothing_is_known_gets_probabilities():
    for model in (classifier(), classifier(n_neighbors=3)):
        model.fit(with_holes(X), y)
        nothing = np.full((1, 4), np.nan)
        assert_allclose(model.predict_proba(nothing).sum(), 1.0)


def test_exemplars_are_means_of_what_is_known():
    rows = np.array([[0.0, 1.0], [0.2, np.nan], [9.0, 8.0], [9.2, 9.0]])
    model = regressor(n_exemplars=2, n_neighbors=1).fit(rows, [0.0, 0.0, 1.0, 1.0])
    order = np.argsort(model.exemplars_[:, 0])
    assert_allclose(model.exemplars_[order], [[0.1, 1.0], [9.1, 8.5]])


def test_exemplars_of_a_late_class_are_means_of_what_is_known():
    first = np.array([[0.0, 1.0], [0.2, np.nan], [9.0, 8.0], [9.2, 9.0]])
    stream = classifier(n_exemplars=2, n_neighbors=1)
    stream.partial_fit(first, [0, 0, 1, 1], classes=[0, 1, 2])
    stream.partial_fit([[20.0, 5.0], [22.0, np.nan], [24.0, np.nan]], [2, 2, 2])
    assert_allclose(stream.exemplars_[stream.exemplar_labels_ == 2], [[22.0, 5.0]])


def of_known_features(model, rows, scale):
    """Outputs of an untrained network from the definition, in loops.

    A unit compares two exemplars on the features of the row that are known, and on
    whether they are, where the training data had missing values.
    """
    state = model._fit_state
    layer = model.network_.layers[0]
    compared, points = state.comparisons, state.exemplars.points
    points = np.clip(points, layer.low, layer.high)
    W, b = model.coefs_[1], model.intercepts_[1]
    outputs = []
    for row in np.clip(rows, layer.low, layer.high):
        u = []
        for i, j, columns, divisor in zip(
            compared.first,
            compared.second,
            compared.features,
            compared.scale,
            strict=True,
        ):
            known = [f for f in np.flatnonzero(columns) if not np.isnan(row[f])]
            farther = sum(((row[f] - points[j, f]) / scale[f]) ** 2 for f in known)
            nearer = sum(((row[f] - points[i, f]) / scale[f]) ** 2 for f in known)
            u.append((farther - nearer) / divisor)
        both = [min(pair) for pair in pairwise(u)]
        outputs.append(np.maximum([*u, *both], 0) @ W + b)
    return np.array(outputs)


@pytest.mark.parametrize("trained_with", ["complete rows", "holes"])
def test_comparisons_leave_out_what_is_missing(trained_with):
    rows = X if trained_with == "complete rows" else with_holes(X)
    model = regressor(n_exemplars=10).fit(rows, VALUES)
    few = with_holes(X, 0.4, seed=2)[::15]
    encoded, scale = few, rows.std(axis=0)
    if trained_with == "holes":
        # Each column is followed by one that tells whether its value is missing.
        filled = np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows)
        encoded = np.stack([few, np.isnan(few)], axis=2).reshape(len(few), 8)
        scale = np.stack([filled.std(axis=0), np.ones(4)], axis=1).ravel()
    expected = of_known_features(model, encoded, scale)[:, 0]
    assert_allclose(model.predict(few), expected, rtol=1e-7)


def test_a_metric_that_needs_all_features_is_refused():
    with pytest.raises(
        ValueError, match=r"X has missing values \(NaN\), and metric='cosine'"
    ):
        classifier(metric="cosine").fit(with_holes(X), y)


@pytest.mark.parametrize("kind", [list, np.float32, object])
def test_arrays_of_every_kind_may_have_holes(kind):
    rows = with_holes(X)
    given = rows.tolist() if kind is list else rows.astype(kind)
    model = classifier().fit(given, y)
    if kind is np.float32:
        assert model.coefs_[0].dtype == np.float32
        assert model.score(given, y) > 0.8
    else:
        expected = classifier().fit(rows, y).predict_proba(rows)
        assert_array_equal(model.predict_proba(given), expected)


@pytest.mark.parametrize("metric", ["kl", "itakura_saito", "seuclidean"])
def test_missing_values_with_other_metrics(metric):
    model = classifier(metric=metric, n_neighbors=None).fit(X, y)
    assert model.score(with_holes(X, 0.1), y) > 0.8


# --- columns of all kinds ---


def encoded_by_hand(table, rows):
    """Encode rows of the mixed table, whose columns are known, cell by cell."""
    mean = table["age"].mean()
    days = (table["since"] - pd.Timestamp(0)).dt.total_seconds() / 86400
    visits = table["visits"].astype(float)
    lines = []
    for _, row in rows.iterrows():
        line = [mean if pd.isna(row["age"]) else row["age"], pd.isna(row["age"])]
        line += [row["city"] == name for name in ("Lima", "Oslo", "Rome")]
        line += [row["job"] == name for name in ("a", "b")] + [pd.isna(row["job"])]
        line += [row["member"]]
        is_missing = pd.isna(row["visits"])
        line += [visits.mean() if is_missing else row["visits"], is_missing]
        is_missing = pd.isna(row["since"])
        day = (row["since"] - pd.Timestamp(0)) / pd.Timedelta(days=1)
        line += [days.mean() if is_missing else day, is_missing]
        lines.append([float(value) for value in line])
    return np.array(lines)


def test_each_column_is_encoded_as_what_it_is():
    encoding = fit_encoding(TABLE)
    for rows in (TABLE, MORE):
        assert_allclose(encoding.encode(rows), encoded_by_hand(TABLE, rows))
    assert encoding.names == [
        "age",
        "missingindicator_age",
        "city_Lima",
        "city_Oslo",
        "city_Rome",
        "job_a",
        "job_b",
        "job_nan",
        "member",
        "visits",
        "missingindicator_visits",
        "since",
        "missingindicator_since",
    ]
    assert encoding.groups.tolist() == [0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 4, 5, 5]
    flags = [int(is_flag) for is_flag in encoding.are_flags]
    assert flags == [0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1]


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_table_straight_in(make):
    target = LABELS if make is classifier else (LABELS == "yes").astype(float)
    model = make(n_comparisons=200).fit(TABLE, target)
    assert model.n_features_in_ == 6
    assert model.feature_names_in_.tolist() == list(TABLE.columns)
    assert model.encoded_feature_names_.tolist() == fit_encoding(TABLE).names
    assert len(model.coefs_[0]) == len(model.encoded_feature_names_)
    assert model.comparison_features_.shape == (200, 6)
    assert model.score(TABLE, target) > 0.5
    if make is classifier:
        assert set(model.predict(MORE)) == {"yes", "no"}
        assert model.score(MORE, mixed_table(seed=1)[1]) > 0.8
    restored = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert_array_equal(restored.predict(MORE), model.predict(MORE))


@pytest.mark.parametrize("by", ["exemplar", "feature", "comparison"])
def test_contributions_of_a_table_add_up(by):
    model = regressor(n_exemplars=10).fit(TABLE, TABLE["age"].fillna(0.0))
    explained = model.explain(MORE[:20], by=by)
    sums = explained.groupby("row")["contribution"].sum()
    assert_allclose(sums, model.predict(MORE[:20]), rtol=1e-6)
    if by == "feature":
        named = explained.loc[explained["term"] == "feature", "feature"]
        assert named.tolist() == list(TABLE.columns) * 20
    if by == "comparison":
        features = explained["features"].dropna().str.split(", ").explode()
        assert set(features) == set(TABLE.columns)


def test_a_feature_that_is_missing_contributes_nothing_but_that_it_is():
    """With distances alone: indicators of the votes' network are not compared."""
    rows = with_holes(X)
    model = regressor().fit(rows, VALUES)
    column = model.encoded_feature_names_.tolist().index("missingindicator_x0")
    assert np.abs(model.coefs_[0][column]).max() > 0
    votes = regressor(n_neighbors=1).fit(rows, VALUES)
    metric, points = votes._fit_state.metric, votes._fit_state.exemplars.points
    A, _ = metric(points)
    mean = np.nanmean(rows[:, 0])
    p = points[:, 0]
    # |mean - p|^2 less what all exemplars share, which the indicator takes back.
    assert_allclose(A[:, 1], -(-2 * p * mean + p**2), rtol=1e-12)


def test_categories_that_are_rare_or_new_share_a_column():
    names = [f"c{k:02}" for k in range(30)]
    often = [name for k, name in enumerate(names) for _ in range(40 - k)]
    table = pd.DataFrame({"name": often})
    encoding = fit_encoding(table)
    rows = encoding.encode(pd.DataFrame({"name": ["c00", "c29", "new", None]}))
    assert rows.shape == (4, 20)
    assert rows[0].argmax() == 0
    for row in rows[1:]:
        assert row.tolist() == [0.0] * 19 + [1.0]
    few = fit_encoding(pd.DataFrame({"name": ["a", "b"] * 9}))
    assert few.encode(pd.DataFrame({"name": ["new", "b"]})).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("dtype", [object, "str", "string", "category"])
@pytest.mark.parametrize("has_numbers", [False, True])
@pytest.mark.parametrize("some_missing", [False, True])
@pytest.mark.parametrize("n_kinds", [3, 40])
def test_categories_are_encoded_as_by_the_encoder(
    dtype, has_numbers, some_missing, n_kinds
):
    kinds = np.random.default_rng(0).integers(0, n_kinds, 300)
    values = [float(k) if has_numbers else f"k{k}" for k in kinds]
    if some_missing:
        values[::7] = [None] * len(values[::7])
    column = pd.Series(values, dtype=object if has_numbers else dtype, name="kind")
    encoding = fit_encoding(column.to_frame(), ["kind"])
    encoder = encoding.columns[0].encoder
    asked = [*values[:50], None, 99.0 if has_numbers else "unknown"]
    cells = np.array([np.nan if v is None else v for v in asked], dtype=object)
    cells = cells.astype(float) if has_numbers else cells
    later = object if has_numbers else dtype
    frame = pd.DataFrame({"kind": pd.Series(asked, dtype=later)})
    found = encoding.encode(frame)
    assert_array_equal(found, encoder.transform(cells[:, None]))
    assert found.any()


def test_polars_tables_are_those_of_pandas():
    polars = pytest.importorskip("polars")
    columns = {name: list(TABLE[name].astype(object)) for name in TABLE}
    columns["visits"] = [None if pd.isna(v) else int(v) for v in TABLE["visits"]]
    columns["job"] = [None if pd.isna(v) else v for v in TABLE["job"]]
    columns["age"] = [None if pd.isna(v) else float(v) for v in TABLE["age"]]
    columns["since"] = [None if pd.isna(v) else v.to_pydatetime() for v in TABLE["since"]]
    table = polars.DataFrame(columns, strict=False)
    assert_allclose(fit_encoding(table).encode(table), fit_encoding(TABLE).encode(TABLE))
    model = classifier().fit(table, LABELS)
    assert_allclose(
        model.predict_proba(table), classifier().fit(TABLE, LABELS).predict_proba(TABLE)
    )


@pytest.mark.parametrize(
    "given", [["x"], [0], np.array([True, False]), np.array(["x"], dtype=object)]
)
def test_numbers_that_are_categories(given):
    table = pd.DataFrame({"x": [3, 1, 2, 1] * 9, "z": np.arange(36.0)})
    encoding = fit_encoding(table, given)
    assert encoding.names == ["x_1.0", "x_2.0", "x_3.0", "z"]
    new = pd.DataFrame({"x": [2.0, np.nan], "z": [0.0, 1.0]})
    assert_array_equal(encoding.encode(new), [[0, 1, 0, 0], [0, 0, 0, 1]])
    if not isinstance(given[0], str):
        assert_array_equal(
            fit_encoding(table.to_numpy(), given).encode(new.to_numpy()),
            encoding.encode(new),
        )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("auto", "categorical_features .*'from_dtype'.*got 'auto'"),
        ([7], "positions from 0 to 5, got"),
        ([True, False], "a mask of 2 columns, and X has 6"),
        (["town"], "names that X lacks.*town"),
        (1.5, "categorical_features"),
        ([[0]], "categorical_features"),
    ],
)
def test_other_categorical_features_are_refused(given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        classifier(categorical_features=given).fit(TABLE, LABELS)


def test_text_is_no_number_without_categories():
    with pytest.raises(ValueError, match="numbers in column 'city', got '"):
        classifier(categorical_features=None).fit(TABLE, LABELS)


def test_errors_name_the_column():
    model = classifier().fit(TABLE, LABELS)
    with pytest.raises(ValueError, match="numbers in column 'age', got 'old'"):
        model.predict(TABLE.astype({"age": object}).replace({"age": {np.nan: "old"}}))
    with pytest.raises(ValueError, match="infinity in column 'age'"):
        model.predict(TABLE.assign(age=np.inf))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(TABLE[TABLE.columns[::-1]])
    with pytest.raises(ValueError, match=r"6 features|missing"):
        model.predict(TABLE.drop(columns="age"))
    with pytest.raises(ValueError, match="explain needs values in column 'member'"):
        model.explain(TABLE.assign(member=np.nan))


# --- columns as users have them ---

N = len(TABLE)
DAYS = pd.Timestamp("2024-02-27") + pd.to_timedelta(np.arange(N), "D")
SINCE_1970 = 19780.0 + np.arange(N)  # 54 years, 13 leap days and 57 days; and so on


def arrow(values, kind):
    types = {
        "date": pa.date32(),
        "duration": pa.duration("us"),
        "truth": pa.bool_(),
        "decimal": pa.decimal128(9, 2),
        "text": pa.string(),
    }
    return pd.Series(values, dtype=pd.ArrowDtype(types[kind]))


NUMBERS = {
    "times": (DAYS, SINCE_1970),
    "times of a zone": (DAYS.tz_localize("Asia/Tokyo"), SINCE_1970 - 9 / 24),
    "dates": ([day.date() for day in DAYS], SINCE_1970),
    "times as objects": (pd.Series(list(DAYS), dtype=object), SINCE_1970),
    "times of two zones": (
        [day.tz_localize("UTC" if k % 2 else "Asia/Tokyo") for k, day in enumerate(DAYS)],
        SINCE_1970 - np.where(np.arange(N) % 2, 0, 9 / 24),
    ),
    "periods": (DAYS.to_period("D"), SINCE_1970),
    "dates of arrow": (arrow([day.date() for day in DAYS], "date"), SINCE_1970),
    "durations": (pd.to_timedelta(np.arange(N), "h"), np.arange(N) / 24),
    "durations as objects": (
        pd.Series([timedelta(hours=k) for k in range(N)], dtype=object),
        np.arange(N) / 24,
    ),
    "durations of arrow": (
        arrow([timedelta(hours=k) for k in range(N)], "duration"),
        np.arange(N) / 24,
    ),
    "decimals": ([Decimal(k) / 100 for k in range(N)], np.arange(N) / 100),
    "decimals of arrow": (
        arrow([Decimal(k) / 100 for k in range(N)], "decimal"),
        np.arange(N) / 100,
    ),
    "truth values": (np.arange(N) % 3 == 0, np.arange(N) % 3 == 0),
    "truth of arrow": (
        arrow([k % 3 == 0 for k in range(N)], "truth"),
        np.arange(N) % 3 == 0,
    ),
    "the end of time": ([date(9999, 12, 31)] * N, np.full(N, 2932896.0)),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("is_missing", [False, True])
def test_dates_durations_and_numbers_of_any_type_are_numbers(name, is_missing):
    column, expected = NUMBERS[name]
    table = pd.DataFrame({"x": column})
    if is_missing:
        if table["x"].dtype == bool:
            table = table.astype("boolean")
        table.loc[3, "x"] = None
    encoding = fit_encoding(table)
    if encoding is None:
        assert name == "truth values"
        return
    assert encoding.names == ["x"] + ["missingindicator_x"] * is_missing
    known = np.arange(N) != 3
    encoded = encoding.encode(table)
    assert_allclose(encoded[known, 0], np.asarray(expected, float)[known], rtol=1e-12)
    assert_array_equal(encoded[:, 1:], np.eye(N)[:, [3] * is_missing])


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (["k"] * N, ["x_k"]),
        ([None] * N, ["x_nan"]),
        (pd.Categorical([None] * N, categories=["a"]), ["x_nan"]),
        (pd.array([None] * N, dtype="string"), ["x_nan"]),
        (pd.array([None] * N, dtype="Int64"), ["x", "missingindicator_x"]),
        ([np.nan] * N, ["x", "missingindicator_x"]),
        ([pd.NaT] * N, ["x", "missingindicator_x"]),
        ([1, "z"] * (N // 2), ["x_1", "x_z"]),
        ([1.0, None, "z", 0.5] * (N // 4), ["x_0.5", "x_1", "x_z", "x_nan"]),
        (pd.cut(np.arange(N), 2, labels=None), ["x_(-0.159, 79.5]", "x_(79.5, 159.0]"]),
        (arrow(["b", None] * (N // 2), "text"), ["x_b", "x_nan"]),
    ],
)
def test_columns_of_one_value_of_none_and_of_mixed_ones(column, names):
    table = TABLE.assign(x=column)[["age", "x"]]
    encoding = fit_encoding(table)
    assert encoding.names == ["age", "missingindicator_age", *names]
    assert np.isfinite(encoding.encode(table)).all()
    model = classifier(n_comparisons=20).fit(table, LABELS)
    assert np.isfinite(model.predict_proba(table)).all()


@pytest.mark.parametrize("codes", [[1, 2], [1.0, 2.0], ["1", "2"], ["1", None]])
def test_codes_are_the_same_category_as_text_and_as_numbers(codes):
    """A missing value makes integers floats, and "1" must not become "1.0"."""
    encoding = fit_encoding(pd.DataFrame({"zip": ["1", "2", "3"] * 9}))
    for table in (pd.DataFrame({"zip": codes}), pd.DataFrame({"zip": [*codes, np.nan]})):
        encoded = encoding.encode(table)
        expected = np.zeros((len(table), 3))
        for row, code in enumerate(table["zip"]):
            if not pd.isna(code):
                expected[row, int(code) - 1] = 1
        assert_array_equal(encoded, expected)


def test_a_column_without_values_in_training_may_have_some_later():
    table = TABLE[["age"]].assign(nothing=None, never=np.nan)
    model = classifier(n_comparisons=20).fit(table, LABELS)
    later = table.assign(nothing="x", never=1.0)
    assert np.isfinite(model.predict_proba(later)).all()


@pytest.mark.parametrize(
    "cell", [[1, 2], (1, 2), {"a": 1}, {1}, np.array([1, 2])], ids=str
)
def test_cells_of_several_values_are_refused(cell):
    message = f"text or dates in column 'x', got a cell of type {type(cell).__name__}"
    column = [None, *[cell] * (N - 1)]
    for features in ("from_dtype", None, ["x"]):
        with pytest.raises(ValueError, match=message):
            fit_encoding(TABLE[["age"]].assign(x=column), features)
    table = TABLE.assign(x="text")
    with pytest.raises(ValueError, match=message):
        fit_encoding(table).encode(table.assign(x=column))


def test_a_series_of_polars_is_refused():
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match=r"got a Series of shape \(2,\)"):
        fit_encoding(polars.Series([1.0, 2.0]))


def test_cells_of_several_values_in_polars_are_refused():
    polars = pytest.importorskip("polars")
    for column in ([[1, 2]] * 9, [{"a": 1}] * 9):
        with pytest.raises(ValueError, match=r"dates in column 'x', got a cell of type"):
            fit_encoding(polars.DataFrame({"x": column, "y": ["a"] * 9}))


PLAIN = pd.DataFrame(X, columns=list("abcd"))
WITH_TEXT = PLAIN.astype({"b": object})
WITH_TEXT.loc[4, "b"] = "unknown"
PLACES = {"b": np.where(np.arange(len(X)) == 7, -np.inf, X[:, 1])}


@pytest.mark.parametrize(
    ("trained_on", "later", "message"),
    [
        (PLAIN, PLAIN.assign(**PLACES), "infinity in column 'b'"),
        (PLAIN, WITH_TEXT, "must have numbers in column 'b', got 'unknown'"),
        (PLAIN, PLAIN.assign(b=DAYS[:150]), "numbers in column 'b', got dates"),
        (PLAIN, PLAIN.assign(b=1j), "real numbers in column 'b', got complex"),
        (
            PLAIN.assign(b=DAYS[:150]),
            PLAIN,
            "dates in column 'b', got numbers: they were dates in fit",
        ),
        (
            PLAIN.assign(b=DAYS[:150]),
            PLAIN.assign(b=DAYS[:150] - DAYS[0]),
            "dates in column 'b', got durations",
        ),
        (
            PLAIN.assign(b=DAYS[:150]),
            PLAIN.assign(b=DAYS[:150].astype(str)),
            "must have dates in column 'b', got '2024-02-27",
        ),
        (PLAIN.assign(b=None), PLAIN.drop(columns="c"), r"(?s)missing:.*- c"),
    ],
)
def test_rows_to_predict_that_are_of_another_kind(trained_on, later, message):
    model = classifier(n_comparisons=20).fit(trained_on, y)
    with pytest.raises(ValueError, match=message):
        model.predict(later)


def test_columns_that_are_missing_may_be_of_any_kind():
    table = PLAIN.assign(b=DAYS[:150])
    model = classifier(n_comparisons=20).fit(table, y)
    assert np.isfinite(model.predict_proba(table.assign(b=np.nan))).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (PLAIN.assign(**PLACES), "Input X contains infinity in column 'b'"),
        (TABLE.assign(age=np.inf), "Input X contains infinity in column 'age'"),
        (TABLE.assign(age=1j), "real numbers in column 'age', got complex"),
        (PLAIN.set_axis(["a", "b", "a", "d"], axis=1), "X has two columns named 'a'"),
        (pd.concat([TABLE, TABLE], axis=1), "X has two columns named 'age'"),
        (TABLE[[]], "at least one column"),
        (TABLE[["age", "city"]].to_numpy(), "numbers in column 1, got '"),
        (TABLE[["age", "city"]].to_numpy().tolist(), "categorical_features"),
    ],
)
def test_tables_that_are_refused(table, message):
    labels = y if len(table) == len(y) else LABELS
    with pytest.raises(ValueError, match=message):
        classifier().fit(table, labels)


def test_infinity_in_a_column_of_categories_that_are_numbers():
    table = pd.DataFrame({"code": [1.0, 2.0, np.inf]})
    with pytest.raises(ValueError, match="infinity in column 'code'"):
        fit_encoding(table, ["code"])


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ({"age": 1.0, "kind": "a"}, TypeError, r"got a dict: .*DataFrame\(\[X\]\)"),
        ([{"age": 1.0, "kind": "a"}], TypeError, "got a list of dicts: pass pandas.Data"),
        (pd.Series({"age": 1.0, "kind": "a"}), ValueError, r"got a Series .* table.iloc"),
    ],
)
@pytest.mark.parametrize("has_categories", [True, False])
def test_what_is_no_table_is_refused(X, error, message, has_categories):
    table = pd.DataFrame({"age": np.arange(20.0), "kind": list("ab") * 10})
    if not has_categories:
        table["kind"] = np.arange(20) % 3
    model = MetricInitMLPClassifier(max_iter=0)
    with pytest.raises(error, match=message):
        model.fit(X, [0])
    labels = np.arange(20) % 2
    with pytest.raises(error, match=message):
        clone(model).set_params(max_iter=1).fit(table, labels, X_val=X, y_val=[0])
    model.fit(table, labels)
    for refuse in (model.predict, lambda X: model.partial_fit(X, [0])):
        with pytest.raises(error, match=message):
            refuse(X)


def test_tables_of_other_libraries_are_refused():
    with pytest.raises(TypeError, match=r"pandas or Polars.*pyarrow\.lib\.Table"):
        classifier().fit(pa.table({"a": [1.0, 2.0]}), ["x", "y"])


@pytest.mark.parametrize("kind", [object, "string"])
def test_labels_that_are_missing_are_counted(kind):
    labels = pd.Series(LABELS, dtype=kind)
    labels[:3] = None
    with pytest.raises(ValueError, match="Input y contains NaN: 3 of 160 labels"):
        classifier().fit(TABLE, labels)
    with pytest.raises(ValueError, match="Input y contains NaN: 3 of 160 labels"):
        classifier().fit(np.arange(160.0)[:, None], labels)


def test_complete_numbers_are_read_as_they_are():
    assert fit_encoding(X) is None
    assert fit_encoding(X.tolist()) is None
    assert fit_encoding(csr_array(X)) is None
    frame = pd.DataFrame(X, columns=list("abcd"))
    assert fit_encoding(frame) is None
    of_frame, of_array = classifier().fit(frame, y), classifier().fit(X, y)
    assert of_frame.encoded_feature_names_.tolist() == list("abcd")
    assert of_array.encoded_feature_names_.tolist() == ["x0", "x1", "x2", "x3"]
    assert_array_equal(of_frame.predict_proba(frame), of_array.predict_proba(X))


def test_a_stream_and_a_warm_start_keep_the_encoding():
    stream = classifier()
    for part in (TABLE[:80], TABLE[80:].assign(city="Bern")):
        stream.partial_fit(part, LABELS[part.index], classes=["no", "yes"])
    assert stream.encoded_feature_names_.tolist() == fit_encoding(TABLE[:80]).names
    settings = {"max_iter": 1, "learning_rate": "linear"}
    warm = classifier(warm_start=True, **settings).fit(TABLE, LABELS)
    before = warm.encoded_feature_names_.tolist()
    assert warm.fit(TABLE, LABELS).encoded_feature_names_.tolist() == before


def test_validation_data_are_encoded_too():
    model = classifier(max_iter=2, learning_rate="linear")
    model.fit(TABLE, LABELS, X_val=MORE, y_val=LABELS)
    assert_allclose(model.validation_scores_[-1], model.score(MORE, LABELS), atol=0.02)


def test_given_exemplars_are_rows_of_the_table():
    points = TABLE[10:30]
    model = classifier(exemplars=(points, LABELS[10:30])).fit(TABLE, LABELS)
    expected = encoded_by_hand(TABLE, points)[:, ~np.isin(range(13), [1, 10, 12])]
    assert_allclose(model.exemplars_, expected)
    with pytest.raises(ValueError, match="points of 6 features"):
        classifier(exemplars=(points.to_numpy()[:, :2], LABELS[10:30])).fit(TABLE, LABELS)


def test_groups_are_of_the_columns_of_the_table():
    groups = ["a", "b", "b", "c", "a", "d"]
    model = classifier(feature_groups=groups, max_features=1).fit(TABLE, LABELS)
    compared = {tuple(np.flatnonzero(row)) for row in model.comparison_features_}
    assert compared <= {(), (0, 4), (1, 2), (3,), (5,)}
    assert len(compared) > 3


def test_a_search_over_a_table():
    grid = {
        "n_exemplars": [4, 8],
        "categorical_features": ["from_dtype", ["city", "job"]],
    }
    search = GridSearchCV(classifier(), grid, cv=3, error_score="raise")
    search.fit(TABLE, LABELS)
    assert search.best_score_ > 0.6
    assert clone(search.best_estimator_).get_params()["n_exemplars"] in {4, 8}


# --- units ---


@pytest.mark.parametrize("make", [MetricInitMLPClassifier, MetricInitMLPRegressor])
@pytest.mark.parametrize("max_iter", [0, 3])
def test_units_of_the_columns_do_not_matter(make, max_iter):
    target = y if make is MetricInitMLPClassifier else np.sin(3 * X[:, 1]) * X[:, 2]
    changed = X * [1000.0, 0.01, 1.0, 30.0] + [5.0, 1.0, -300.0, 0.0]
    settings = {"max_iter": max_iter, "random_state": 0, "n_comparisons": 100}
    one, other = (make(**settings).fit(rows, target) for rows in (X, changed))
    method = "predict_proba" if make is MetricInitMLPClassifier else "predict"
    predicted = getattr(one, method)(X)
    assert_allclose(getattr(other, method)(changed), predicted, atol=5e-3)
    in_units = make(metric="sqeuclidean", **settings | {"max_iter": 0})
    in_units.fit(changed, target)
    assert np.abs(getattr(in_units, method)(changed) - predicted).max() > 0.05


@pytest.mark.parametrize("rows", ["pixels", "words", "votes"])
def test_columns_of_one_unit_stay_as_they_are(rows):
    data, labels = load_digits(return_X_y=True)
    data, settings = data[:300], {}
    if rows == "words":
        shares = np.random.default_rng(0).uniform(size=2560)
        data = csr_array(np.tile(data, 40) * shares)
    if rows == "votes":
        data, settings = data * np.arange(64), {"n_neighbors": 3}
    automatic, raw = (
        classifier(metric=metric, **settings).fit(data, labels[:300])
        for metric in ("auto", "sqeuclidean")
    )
    assert_array_equal(automatic.predict_proba(data), raw.predict_proba(data))


def test_columns_of_zeros_and_ones_count_as_they_are():
    encoded = fit_encoding(TABLE).encode(TABLE)
    model = classifier().fit(TABLE, LABELS)
    V = model.effective_metric_params_["V"]
    flags = fit_encoding(TABLE).are_flags
    assert_array_equal(V[flags], 1.0)
    assert_allclose(V[~flags], encoded[:, ~flags].var(axis=0))


def test_parameters_of_an_automatic_metric_are_refused():
    with pytest.raises(ValueError, match="metric_params must be None with metric='auto'"):
        classifier(metric_params={"V": np.ones(4)}).fit(X, y)


@pytest.mark.parametrize("n_parts", [2, 7])
def test_the_summary_of_parts_is_that_of_all_rows(n_parts):
    rng = np.random.default_rng(0)
    n = 200
    table = pd.DataFrame(
        {
            "number": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "zip": (30 * rng.random(n) ** 2).astype(int).astype("str"),
            "mixed": [k % 5 if k < n // 2 else "other" for k in range(n)],
            "late": [None] * (n - 3) + ["a", "b", "a"],
            "date": pd.date_range("2026-01-01", periods=n),
        }
    )
    whole = fit_encoding(table)
    # Blocks of "mixed" have numbers alone, which only its name tells are categories.
    categories = ["zip", "mixed", "late"]
    order = np.argsort(np.arange(n) % n_parts, kind="stable")
    for rows, names in ((order, "from_dtype"), (np.arange(n), categories)):
        parts = [
            table_summary(table.iloc[part], names)
            for part in np.array_split(rows, n_parts)
        ]
        joined = reduce(lambda one, other: one.plus(other), parts).encoding()
        assert joined.names == whole.names
        assert_allclose(joined.encode(table), whole.encode(table))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"b": [1.0]}, "same columns in all parts"),
        ({"a": ["x"]}, "numbers in some rows of column 'a'"),
        ({"a": pd.to_datetime(["2026-01-01"])}, "must have numbers in column 'a'"),
    ],
)
def test_parts_of_different_tables_have_no_summary(other, message):
    one = table_summary(pd.DataFrame({"a": [1.0]}))
    with pytest.raises(ValueError, match=message):
        one.plus(table_summary(pd.DataFrame(other)))
