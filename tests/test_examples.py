"""What examples do with arguments and without a network, and their form.

``make docs`` runs every example once, as a page of the gallery: it has to print
something, to draw something if it plots, to leave no file, and to raise no warning.
"""

import importlib
import re
import runpy
import sys
import warnings
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
EXTENSIONS = Path(__file__).parents[1] / "docs" / "extensions"

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # The warning of matplotlib about a backend that draws to no screen.
    pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive"),
]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run an example in an empty folder; return its output and its number of figures."""
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)

    def offline(*_, **__):
        raise URLError("no network in tests")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", offline)

    def run(path, *arguments):
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        runpy.run_path(str(path), run_name="__main__")
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        return capsys.readouterr().out, len(plt.get_fignums())

    backend = plt.get_backend()
    plt.switch_backend("Agg")
    yield run
    plt.close("all")
    plt.switch_backend(backend)


def example(name):
    return next(path for path in EXAMPLES if path.stem == name)


def test_there_are_examples():
    assert EXAMPLES


@pytest.fixture
def gallery(monkeypatch):
    """Return the extension that watches the examples of the gallery."""
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(EXTENSIONS)
    return importlib.import_module("examples_gallery")


def test_an_example_has_to_print_and_to_draw_if_it_plots(gallery):
    page = ".. rst-class:: sphx-glr-script-out"
    figure = ".. image-sg:: /gallery/images/sphx_glr_one_001.png"
    assert not gallery.lacks("print(1)", page)
    assert not gallery.lacks("print(1); plt.show()", page + figure)
    assert gallery.lacks("print(1); plt.show()", page) == ["figures, or plt."]
    assert gallery.lacks("print(1)", page + figure) == ["figures, or plt."]
    assert gallery.lacks("1", "") == ["output"]


def test_the_gallery_runs_all_but_one_and_those_whose_packages_are_not_installed(gallery):
    never = {"parquet_larger_than_memory"}
    of_pytorch = {"pytorch_images", "pytorch_own_network", "pytorch_transfer"}
    for installed, lacking in (
        ({"torch", "skorch"}, set()),
        ({"torch"}, of_pytorch),
        (set(), of_pytorch),
    ):
        pattern = gallery.run_pattern(installed.__contains__)
        shown = {path.stem for path in EXAMPLES if not re.search(pattern, str(path))}
        assert shown == never | lacking


def test_a_warning_of_an_example_is_an_error_and_so_is_a_file_left(gallery, tmp_path):
    watch, script = gallery.Strictness(tmp_path), "one.py"
    filters = warnings.filters[:]
    watch({}, None, "before")
    watch({}, script, "before")
    with pytest.raises(RuntimeWarning):
        warnings.warn("a warning", RuntimeWarning, stacklevel=1)
    warnings.warn("few epochs", ConvergenceWarning, stacklevel=1)
    watch({}, script, "after")
    assert warnings.filters == filters
    watch({}, script, "before")
    (tmp_path / "left.csv").touch()
    with pytest.raises(Exception, match=r"one\.py left left\.csv"):
        watch({}, script, "after")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_a_page_of_a_gallery(path):
    quotes, title, rule, empty, *rest = path.read_text(encoding="utf-8").splitlines()
    assert quotes == '"""'
    assert title
    assert rule == "=" * len(title)
    assert not empty
    assert "# %%" in rest


def test_a_table_is_written_for_the_comparison(run, tmp_path):
    pytest.importorskip("jinja2")
    from skmetricmlp.study import read_dataset  # noqa: PLC0415

    path = tmp_path / "new" / "customers.csv"
    with pytest.raises(SystemExit):
        run(example("mixed_columns"), path)
    data = read_dataset(path, "stays")
    assert len(data.y) == 1000
    assert set(data.y) == {"yes", "no"}
    kinds = dict(zip(data.columns["column"], data.columns["read as"], strict=True))
    assert kinds == {
        "orders": "number",
        "value": "number",
        "channel": "category",
        "region": "category",
        "opened": "date",
    }
    assert data.columns["missing"].sum() > 150


@pytest.mark.parametrize("shape", [(8, 8), (64,), (8, 8, 1)])
def test_mnist_is_read_from_a_file(run, tmp_path, shape):
    X, y = load_digits(return_X_y=True)
    path = tmp_path / "mnist.npz"
    X = X.astype(np.uint8).reshape(-1, *shape)
    np.savez(path, x_train=X[:600], y_train=y[:600], x_test=X[600:], y_test=y[600:])
    printed, _ = run(example("mnist"), path)
    assert f"images of {path}" in printed
    assert f"600 images to train on, {len(y) - 600} to test on, (8, 8)" in printed


def test_mnist_says_what_a_file_lacks(run, tmp_path):
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=np.zeros((2, 8, 8)), labels=np.zeros(2))
    with pytest.raises(SystemExit, match=r"x_test, y_train, y_test.*labels"):
        run(example("mnist"), path)


def test_mnist_makes_do_without_a_network(run):
    printed, _ = run(example("mnist"))
    assert "no network in tests" in printed
    assert "small digits of scikit-learn" in printed


def test_a_stream_is_read_from_a_table(run, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=400), "b": rng.choice(["x", "y"], 400)})
    table["target"] = np.where(table["a"] > 0, "up", "down")
    path = tmp_path / "stream.csv"
    table.to_csv(path, index=False)
    printed, n_figures = run(example("stream_in_order"), path)
    assert "400 rows, 3 columns, 2 classes" in printed
    accuracy = re.search(r"^closed form +([\d.]+)", printed, re.MULTILINE)[1]
    assert float(accuracy) > 0.9
    assert n_figures == 1
