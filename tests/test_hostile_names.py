"""Names from the data are written as text, and are never executed or evaluated."""

import base64
import html
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from skmetricmlp import MetricInitMLPClassifier
from skmetricmlp.plotting import (
    ComparisonWeightsDisplay,
    DecisionBoundariesDisplay,
    ExemplarsDisplay,
    LearningCurvesDisplay,
    MarginsDisplay,
)
from skmetricmlp.study import (
    Dataset,
    Design,
    Start,
    mistakes_table,
    run_study,
    write_report,
)

# Each group has three names, for classes, columns and starts.
GROUPS = {
    "markup": ("<script>alert(1)</script>", '" onload="alert(1)', "</title><img src=x>"),
    "template": ("{{7*7}}", "{% for x in y %}", "%s{0}"),
    "formulas of TeX": ("$x_$", r"$\frac{$", r"\$a$ $"),
    "ends": ("a\nb", "c\r\nd", "e\u2028f"),
    "long": ("x" * 3000, "y" * 3000 + "$", "z" * 23 + "$$"),
    "turned": ("\u202eevil\u202c", "\u200fright", "\u2066apart"),
    "formulas": ("=cmd|'/c calc'!A0", "@SUM(1)", "-1+cmd"),
    "comments": ("--><script>x</script>", "]]>", "<!--"),
    "controls": ("\x00\x01", "\x1b[31mred", "\x7f\x85"),
    "little": ("", "_", "_under"),
    "letters": ("日本語", "&lt;", "\\"),
}
VOID = {"meta", "link", "img", "source", "br"}


def made_of(names):
    X, y = load_iris(return_X_y=True)
    columns = [f"{name}{k}" for k, name in enumerate((*names, names[0]))]
    return pd.DataFrame(X, columns=columns), np.array(names, dtype=object)[y]


class Page(HTMLParser):
    """Open tags, attributes and text. An end tag must match the last open tag."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)


def study_of(names):
    X, y = made_of(names)
    data = Dataset.from_arrays(X, y, name=names[0][:60])
    few = {"n_exemplars": 6}
    starts = [
        Start(names[1] or "one", few, names[2]),
        Start(names[2], {**few, "init": "random"}, names[2]),
    ]
    design = Design.from_dataset(data, starts, sizes=[60], n_seeds=1, n_epochs=1)
    return run_study(data, design)


@pytest.mark.parametrize("names", GROUPS.values(), ids=GROUPS)
def test_names_are_text_in_the_page_its_pictures_and_the_tables(names, tmp_path):
    study = study_of(names)
    command = f"python -m skmetricmlp compare {names[0]}"
    write_report(tmp_path, study, command=command)
    source = (tmp_path / "report.html").read_bytes().decode("utf-8")

    page = Page(source)
    assert not page.open
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base", "b", "i"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "srcset", "href"):
            value = attributes.get(name)
            assert value is None or re.match(r"data:|\w+\.(csv|parquet)$", value), tag
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", source
    )
    if names[0].isprintable():
        title = f"{names[0][:60]}: does it matter"
        assert title in "".join(page.text)
        assert command in "".join(page.text)

    # A spreadsheet must not evaluate a name as a formula.
    table = pd.read_csv(
        tmp_path / "predictions.csv",
        keep_default_na=False,
        dtype=str,
        lineterminator="\n",
    )
    formulas = ("=", "@", "-")
    expected = {"'" + n if n.startswith(formulas) else n for n in names}
    assert set(table["true"]) == expected

    pictures = re.findall(r'"data:image/svg\+xml;base64,([^"]+)"', source)
    assert len(pictures) == 2 * 5
    for picture in pictures:
        svg = ET.fromstring(base64.b64decode(picture))  # noqa: S314
        for element in svg.iter():
            assert not str(element.tag).endswith(("script", "foreignObject", "}a"))
            assert not [name for name in element.attrib if name.startswith("on")]


def test_the_page_forbids_scripts_and_requests(tmp_path):
    write_report(tmp_path, study_of(GROUPS["template"]))
    source = (tmp_path / "report.html").read_text("utf-8")
    (policy,) = (
        a["content"]
        for tag, a in Page(source).tags
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "script-src" not in rules
    assert "{{7*7}}" in html.unescape(source)


def test_tables_of_parquet_hold_every_name_as_it_is(tmp_path):
    names = GROUPS["formulas"]
    write_report(tmp_path, study_of(names), table_format="parquet")
    assert set(pd.read_parquet(tmp_path / "predictions.parquet")["true"]) == set(names)


def test_numbers_and_signs_are_no_formulas(tmp_path):
    X, y = load_iris(return_X_y=True)
    data = Dataset.from_arrays(X, np.array(["-1", "+", "-"], dtype=object)[y])
    starts = [Start("a", {}, "b"), Start("b", {"init": "random"}, "b")]
    design = Design.from_dataset(data, starts, sizes=[60], n_seeds=1, n_epochs=1)
    write_report(tmp_path, run_study(data, design))
    read = pd.read_csv(tmp_path / "predictions.csv", dtype=str)
    assert set(read["true"]) == {"-1", "+", "-"}


@pytest.mark.parametrize("names", GROUPS.values(), ids=GROUPS)
@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_names_are_drawn_as_they_are(names):
    import matplotlib.pyplot as plt  # noqa: PLC0415

    X, y = made_of(names)
    weights = dict.fromkeys(names, 1.0)
    clf = MetricInitMLPClassifier(
        n_exemplars=6, max_iter=0, random_state=0, class_weight=weights
    ).fit(X, y)

    shown = clf._repr_html_()
    assert not [name for name in names if "<" in name and name in shown]

    curves = pd.DataFrame({"epoch": [0, 1] * 3, names[0] + "s": 0.1})
    curves[names[1] + "h"] = np.repeat(names, 2)
    displays = [
        ExemplarsDisplay.from_estimator(clf),
        ExemplarsDisplay.from_estimator(clf, image_shape=(2, 2)),
        MarginsDisplay.from_estimator(clf, X.iloc[:1]),
        ComparisonWeightsDisplay.from_estimator(clf),
        ComparisonWeightsDisplay.from_estimator(clf, image_shape=(2, 2)),
        DecisionBoundariesDisplay.from_estimator(clf, X, y, features=[0, 1]),
        LearningCurvesDisplay.from_curves(curves, y=names[0] + "s", hue=names[1] + "h"),
    ]
    for display in displays:
        display.figure_.savefig(io.BytesIO(), format="svg")
        plt.close(display.figure_)


def test_a_dollar_is_a_letter():
    """A dollar sign does not begin a formula."""
    import matplotlib.pyplot as plt  # noqa: PLC0415

    X, y = made_of(("$a$ $", "b", "c"))
    clf = MetricInitMLPClassifier(n_exemplars=3, max_iter=0, random_state=0).fit(X, y)
    display = ExemplarsDisplay.from_estimator(clf)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [r"\$a\$ \$", "b", "c"]
    file = io.BytesIO()
    with plt.rc_context({"svg.fonttype": "none"}):
        display.figure_.savefig(file, format="svg")
    plt.close(display.figure_)
    assert ">$a$ $<" in file.getvalue().decode()


def test_a_command_on_a_file_of_such_names(tmp_path):
    """The names of the file, its columns and its classes are hostile."""
    name = '<script>alert(1)<!-- " $x_$ {{7*7}} \u202e.csv'
    X, y = made_of(GROUPS["markup"])
    X.assign(**{"<b>target</b>": y}).to_csv(tmp_path / name, index=False)
    command = [sys.executable, "-m", "skmetricmlp", "compare"]
    quick = ["--sizes", "30", "--seeds", "1", "--epochs", "1", "--n-exemplars", "6"]
    result = subprocess.run(
        [*command, name, "--target", "<b>target</b>", *quick, "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert not result.stderr
    assert "\u202e" not in result.stdout.decode()
    (report,) = tmp_path.rglob("report.html")
    page = Page(report.read_text("utf-8"))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "{{7*7}}" in "".join(page.text)
    for file in tmp_path.rglob("runs/*.json"):
        json.loads(file.read_text("ascii"))


def test_mistakes_are_listed_by_the_names_of_classes():
    names = GROUPS["markup"]
    table = mistakes_table(study_of(names))
    assert set(table.index.get_level_values("true")) <= set(names)
