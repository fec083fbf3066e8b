"""The page and the tables of a comparison, and the command that writes them."""

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_iris

from skmetricmlp._command import main
from skmetricmlp.study import (
    DataError,
    Dataset,
    Design,
    conclusions,
    load_dataset,
    run_study,
    starts_from_grid,
    write_report,
)
from skmetricmlp.study.figures import _confusion, _draw_curves, _legend_below

TWO = {"init": ["metric", "random"]}


COMMAND = [sys.executable, "-m", "skmetricmlp", "compare"]
QUICK = ["--baselines", "none", "--n-exemplars", "6", "--seeds", "2", "--epochs", "2"]
SMALL = ["--n-comparisons", "40"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def study():
    data = load_dataset("digits")
    design = Design.from_dataset(
        data, starts_from_grid(TWO), sizes=[60, 120], n_seeds=2, n_epochs=3
    )
    return run_study(data, design)


@pytest.fixture(scope="module")
def report(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, study, command="python -m skmetricmlp compare digits")
    return folder / "report.html"


class Page(HTMLParser):
    """Tags with their attributes, and the text outside style elements."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


# --- the page ---


def test_the_page_says_what_was_found(study, report):
    text = re.sub(r"\s+", " ", "".join(Page(report.read_text("utf-8")).text))
    for sentence in conclusions(study):
        assert sentence in text
    ends = (
        100
        * study.curves.query("size == 120 and epoch == 3 and start == 'random'")[
            "accuracy"
        ]
    )
    assert f"{ends.mean():.1f} ± {ends.std():.1f}" in text
    assert "python -m skmetricmlp compare digits" in text
    assert "scikit-learn" in text


def test_the_page_needs_nothing_else(report):
    page = Page(report.read_text("utf-8"))
    assert not page.all("script")
    used = [a["src"] for a in page.all("img")] + [a["srcset"] for a in page.all("source")]
    used += [a["href"] for a in page.all("link")]
    assert all(address.startswith("data:") for address in used)
    links = {a["href"] for a in page.all("a")}
    assert links
    assert all((report.parent / link).is_file() for link in links)


def test_pictures_are_there_for_light_and_dark_and_in_words(report):
    page = Page(report.read_text("utf-8"))
    images, sources = page.all("img"), page.all("source")
    # Curves of two sizes, sizes, seconds, two confusion matrices, and exemplars.
    assert len(images) == len(sources) == 7
    for image, source in zip(images, sources, strict=True):
        assert len(image["alt"]) > 20
        light, dark = (
            base64.b64decode(address.removeprefix("data:image/svg+xml;base64,"))
            for address in (image["src"], source["srcset"])
        )
        assert light != dark
        assert ET.fromstring(light).tag.endswith("svg")  # noqa: S314
        assert ET.fromstring(dark).tag.endswith("svg")  # noqa: S314


def test_names_from_the_data_are_no_markup(tmp_path):
    X, y = load_iris(return_X_y=True)
    labels = pd.Series(y).map({0: "<b>a</b>", 1: "<script>", 2: "c & d"})
    data = Dataset.from_arrays(X, labels, name="<i>x</i>")
    design = Design.from_dataset(
        data, starts_from_grid(TWO), sizes=[60], n_seeds=1, n_epochs=1
    )
    write_report(tmp_path, run_study(data, design))
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert not page.all("script")
    assert not page.all("b")
    assert "<i>x</i>: does it matter" in "".join(page.text)


def test_many_classes_have_no_matrix_but_a_table_of_mistakes(tmp_path):
    data = load_dataset("digits")
    data = replace(data, y=data.y * 3 + data.X["pixel_0_3"].to_numpy().astype(int) % 3)
    assert data.y.nunique() > 20
    starts = starts_from_grid({"init": ["zeros", "random"]})
    design = Design.from_dataset(data, starts, sizes=[300], n_seeds=1, n_epochs=1)
    write_report(tmp_path, run_study(data, design))
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    alternatives = " ".join(a["alt"] for a in page.all("img"))
    assert "Confusion" not in alternatives
    assert "exemplars" not in alternatives  # random weights have none
    assert "The most frequent mistakes" in "".join(page.text)


def test_a_class_that_is_predicted_and_never_true_counts_as_wrong():
    pairs = {"true": ["a", "a", "b"], "predicted": ["a", "c", "b"], "count": [3, 1, 2]}
    picture = _confusion("calculated", pd.DataFrame(pairs))
    assert "83.3 percent on the diagonal" in picture.alt  # 5 of 6


def test_values_are_drawn_against_what_is_true(tmp_path):
    data = load_dataset("diabetes")
    design = Design.from_dataset(
        data, starts_from_grid(TWO), sizes=[100], n_seeds=2, n_epochs=1
    )
    study = run_study(data, design)
    write_report(tmp_path, study)
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    text = re.sub(r"\s+", " ", "".join(page.text))
    assert conclusions(study)[0] in text
    assert "Predicted and true" in text
    assert "mistakes" not in text
    alternatives = [a["alt"] for a in page.all("img")]
    assert sum(a.startswith("True against predicted") for a in alternatives) == 2


@pytest.mark.parametrize("spread", [0.0, 0.003, 0.02, 0.3])
def test_ticks_differ_are_no_more_than_100_percent_and_no_legend_covers_a_curve(
    study, spread
):
    curves = study.curves.query("size == 120")
    curves = curves.assign(accuracy=1 - spread * curves["epoch"] / 3)
    canvas = Figure(layout="constrained", figsize=(4.8, 4.2))
    display = _draw_curves(study, curves, ax=canvas.subplots())
    _legend_below(display.ax_, display.lines_, ["calculated", "random"])
    canvas.draw_without_rendering()
    axis = display.ax_.yaxis
    low, high = display.ax_.get_ylim()
    assert low < 1 - spread
    shown = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    labels = [tick.label1.get_text() for tick in shown]
    assert len(set(labels)) == len(labels) >= 3
    for tick, label in zip(shown, labels, strict=True):
        assert float(label.removesuffix(" %")) == pytest.approx(100 * tick.get_loc())
    assert 1 <= high < 1.01
    assert max(tick.get_loc() for tick in shown) <= 1 + 1e-9
    (legend,) = canvas.legends
    assert legend.get_window_extent().y1 <= display.ax_.get_window_extent().y0


def test_errors_are_drawn_without_sign_and_not_below_zero(study):
    losses = replace(study, design=replace(study.design, scoring="neg_log_loss"))
    canvas = Figure()
    display = _draw_curves(losses, losses.curves, ax=canvas.subplots())
    means = -losses.curves.groupby(["start", "epoch"])["neg_log_loss"].mean()
    for name, line in zip(["calculated", "random"], display.lines_, strict=True):
        assert line.get_ydata() == pytest.approx(means[name].to_numpy())
    low, high = display.ax_.get_ylim()
    assert -0.05 * high < low < high
    assert display.ax_.get_ylabel() == "test log loss (lower is better)"


# --- in a browser ---


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_reader_sees_the_page(browser, study, report, width, scheme):
    """On a small and a large screen, in both color schemes, without a network."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    problems, requests = [], []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri())

    assert page.get_by_role("heading", level=1).inner_text().startswith("digits")
    seen = page.get_by_role("region", name="Conclusions").inner_text()
    assert all(sentence in seen for sentence in conclusions(study))
    assert page.get_by_role("cell", name="±").first.is_visible()
    for image in page.get_by_role("img").all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("e => e.complete && e.naturalWidth > 0")
        box = image.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        shown = "dark" if scheme == "dark" else "light"
        assert (page.evaluate(_DARK_IS_SHOWN, image.element_handle())) == (
            shown == "dark"
        )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert _contrast(page) > 7  # WCAG's enhanced level
    assert not problems
    assert all(url.startswith(("file:", "data:")) for url in requests)
    page.close()


_DARK_IS_SHOWN = "e => e.currentSrc === e.parentElement.querySelector('source').srcset"


def _contrast(page):
    """The contrast of text and page as defined by WCAG 2."""

    def luminance(name):
        color = page.evaluate(f"getComputedStyle(document.body)['{name}']")
        shares = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
        linear = [
            s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares
        ]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    one, other = sorted([luminance("color"), luminance("background-color")])
    return (other + 0.05) / (one + 0.05)


# --- the tables ---


@pytest.mark.parametrize("table_format", ["csv", "parquet"])
def test_tables_hold_the_figures(study, tmp_path, table_format):
    paths = write_report(tmp_path, study, table_format=table_format)
    assert sorted(paths) == sorted(tmp_path.iterdir())
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet}[table_format]
    pd.testing.assert_frame_equal(
        read(tmp_path / f"curves.{table_format}"), study.curves, check_dtype=False
    )
    pd.testing.assert_frame_equal(
        read(tmp_path / f"predictions.{table_format}"),
        study.predictions,
        check_dtype=False,
    )
    assert len(read(tmp_path / f"to_target.{table_format}")) == 2 * 2 * 2
    assert len(read(tmp_path / f"summary.{table_format}")) == 2
    starts = read(tmp_path / f"starts.{table_format}").set_index("start")
    assert starts["init"].to_dict() == {"calculated": "metric", "random": "random"}
    assert set(starts["reference"]) == {"random"}


def test_a_format_that_nobody_knows_writes_nothing(study, tmp_path):
    with pytest.raises(DataError, match="'excel'"):
        write_report(tmp_path / "new", study, table_format="excel")
    assert not (tmp_path / "new").exists()


# --- the command line ---


@pytest.fixture
def shop(tmp_path, mixed_frame):
    mixed_frame.to_csv(tmp_path / "shop.csv", index=False)
    return tmp_path / "shop.csv"


def test_command_on_a_file_writes_page_and_tables(shop):
    """The command runs in its own process."""
    arguments = ["shop.csv", "--target", "label", "--sizes", "30", "60", *QUICK]
    result = subprocess.run(
        [*COMMAND, *arguments],
        cwd=shop.parent,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "PYTHONIOENCODING": "utf-8", "HOME": str(shop.parent)},
    )
    assert "12 of 12 runs" in result.stderr
    folder = shop.parent / "reports" / "compare-shop"
    written = pd.read_csv(folder / "curves.csv")
    assert len(written) == 2 * 2 * 3 * 3
    percent = 100 * written.groupby(["size", "start", "epoch"])["accuracy"].mean()
    assert f"{percent[30, 'calculated', 0]:.1f}" in result.stdout
    page = folder.relative_to(shop.parent) / "report.html"
    assert result.stdout.splitlines()[-1] == f"Report: {page}"
    assert (
        "With 60 training rows, the accuracy of calculated weights was" in result.stdout
    )
    assert "compare shop.csv --target label" in (shop.parent / page).read_text("utf-8")


def _takes_interrupts():
    """Restore the handler of interrupts, which background processes ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


INTERRUPTED = {"sizes": [100], "n_seeds": 2, "n_epochs": 6}


@pytest.fixture(scope="module")
def undisturbed():
    starts = starts_from_grid({"n_exemplars": [6], "batch_size": [32]})
    data = load_dataset("iris")
    design = Design.from_dataset(data, starts, **INTERRUPTED)
    return run_study(data, design).curves.drop(columns="seconds")


@pytest.mark.parametrize("jobs", [1, 2])
def test_command_that_was_interrupted_goes_on(tmp_path, undisturbed, jobs):
    """All processes get the interrupt during a training, as with Ctrl-C."""
    arguments = ["iris", "--n-exemplars", "6", "--baselines", "none"]
    arguments += ["--sizes", "100", "--seeds", "2", "--epochs", "6"]
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--n-jobs", str(jobs)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_takes_interrupts,  # noqa: PLW1509
    )
    folder = tmp_path / "reports" / "compare-iris"
    deadline = time.monotonic() + 120
    while not list(folder.rglob("runs/*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "the same command continues there" in errors
    # A worker that is just starting may print a traceback too.
    assert jobs > 1 or "Traceback" not in errors
    finished = len(list(folder.rglob("runs/*.json")))
    assert 1 <= finished < 6
    result = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    first = re.search(r"(\d+) of 6 runs", result.stderr)
    assert int(first.group(1)) == finished
    found = pd.read_csv(folder / "curves.csv").drop(columns="seconds")
    pd.testing.assert_frame_equal(found, undisturbed)


def test_command_takes_metrics_exemplars_and_a_count_to_be_chosen(tmp_path, capsys):
    arguments = [
        "--metric",
        "cosine",
        "--exemplars",
        "lvq",
        "--n-exemplars",
        "auto",
        *SMALL,
    ]
    output = ["--output", str(tmp_path), "--quiet"]
    assert main(["compare", "iris", *QUICK, *arguments, *output]) == 0
    captured = capsys.readouterr()
    assert "calculated" in captured.out
    assert not captured.err
    curves = pd.read_csv(tmp_path / "curves.csv")
    untrained = curves[(curves["start"] == "calculated") & (curves["epoch"] == 0)]
    assert untrained["accuracy"].min() > 0.6


def test_command_takes_counts_and_shares_of_exemplars(tmp_path):
    arguments = ["--n-exemplars", "6", "0.1", "--sizes", "60", "--seeds", "1"]
    arguments += ["--baselines", "none"]
    output = ["--epochs", "1", "--output", str(tmp_path), "--quiet"]
    assert main(["compare", "iris", *arguments, *output]) == 0
    starts = pd.read_csv(tmp_path / "starts.csv")
    assert starts["n_exemplars"].tolist() == [6, 0.1] * 3


def test_command_compares_a_fitted_output_with_the_networks_of_the_source(tmp_path):
    arguments = ["--n-neighbors", "none", "1", "3", "--sizes", "60", "--seeds", "1"]
    arguments += ["--baselines", "none"]
    output = ["--n-exemplars", "6", "--epochs", "1", "--output", str(tmp_path), "--quiet"]
    assert main(["compare", "iris", *arguments, *output]) == 0
    starts = pd.read_csv(tmp_path / "starts.csv", keep_default_na=False)
    assert starts["start"].tolist()[:3] == [
        f"calculated, n_neighbors={n}" for n in (None, 1, 3)
    ]
    assert starts["n_neighbors"].tolist() == [*["None", "1", "3"] * 2, "None"]


def test_command_takes_several_starts_and_another_reference(tmp_path, capsys):
    arguments = ["--init", "metric", "zeros", "--metric", "cosine", "sqeuclidean"]
    arguments += ["--activation", "tanh", "--format", "parquet", "--sizes", "50"]
    output = ["--output", str(tmp_path)]
    assert main(["compare", "iris", *arguments, *QUICK, *output]) == 0
    assert "zeros" in capsys.readouterr().out
    summary = pd.read_parquet(tmp_path / "summary.parquet")
    assert summary["start"].tolist() == [
        "calculated, metric=cosine",
        "calculated, metric=sqeuclidean",
    ]
    assert summary["reference"].unique().tolist() == ["zeros"]


def test_command_scales_for_metrics_of_values_that_are_not_negative(tmp_path, capsys):
    arguments = ["wine", "--metric", "kl", "--sizes", "60", *QUICK]
    output = ["--output", str(tmp_path), "--quiet"]
    assert main(["compare", *arguments, *output]) == 2
    assert "metric='kl' needs values >= 0" in capsys.readouterr().err
    assert main(["compare", *arguments, "--scale", "minmax", *output]) == 0
    curves = pd.read_csv(tmp_path / "curves.csv")
    untrained = curves[(curves["start"] == "calculated") & (curves["epoch"] == 0)]
    assert untrained["accuracy"].min() > 0.8


def test_command_passes_on_how_to_run(tmp_path, monkeypatch):
    passed = []

    def record(dataset, design, **how):
        passed.append((dataset, design, how))
        raise DataError("enough")

    monkeypatch.setattr("skmetricmlp.study.run_study", record)
    arguments = ["--n-jobs", "3", "--target-score", "0.5", "--seeds", "4", "--quiet"]
    assert main(["compare", "wine", *arguments, "--output", str(tmp_path)]) == 2
    ((dataset, design, how),) = passed
    assert (dataset.name, design.target_score, design.n_seeds) == ("wine", 0.5, 4)
    assert how == {"n_jobs": 3, "folder": tmp_path / "runs", "progress": False}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv", "--target", "label"], "no such file: nowhere.csv"),
        (["digit"], "did you mean 'digits'?"),
        (["--target", "label"], "--target only applies to a CSV or Parquet file"),
        (["--task", "values"], "--task only applies to a CSV or Parquet file"),
        (["--n-exemplars", "1.5"], "a float above 0 and up to 1"),
        (["--sizes", "5000"], "size 5000"),
        (["--seeds", "0"], "n_seeds must be at least 1"),
        (["--init", "random"], "a comparison needs at least two starts, got random"),
        (["--activation", "step"], "activation='step'"),
        (["--init", "metric", "gaussian"], "init must be one of"),
        (["--metric", "manhattan"], "metric must be one of"),
        (["--exemplars", "best"], "exemplars must be one of"),
    ],
)
def test_command_reports_errors_without_a_traceback(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *QUICK, *arguments]) == 2
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line.startswith("error: ")
    assert message in last_line
    assert not list(tmp_path.rglob("*.html")) + list(tmp_path.rglob("*.csv"))


def test_command_refuses_a_number_of_neighbors_that_is_none(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["compare", "iris", "--n-neighbors", "few"])
    assert "must be an int or none, got 'few'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("tqdm", []), ("jinja2", []), ("pyarrow", ["--format", "parquet"])],
)
def test_command_without_the_extra_names_it(
    package, arguments, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["compare", *arguments]) == 2
    assert "pip install 'skmetricmlp[study]'" in capsys.readouterr().err
    assert not list(Path().iterdir())
