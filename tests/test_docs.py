"""The pages of docs/: all are in a table of contents, and all links have a target."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("api/*.rst")])
READ_ON_A_HOST = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
FENCED = r"(?ms)^( *)```.*?^\1```"


def without_code(text):
    """Return Markdown without code blocks and code spans, which contain no links."""
    text = re.sub(FENCED, "", text)
    return re.sub(r"`[^`\n]*`", "code", text)


def links(path):
    """Return the targets in the project of links and images of a Markdown page."""
    found = re.findall(r"\]\(\s*([^)\s]+)\s*\)", without_code(path.read_text("utf-8")))
    return [target for target in found if "://" not in target]


def anchors(path):
    """Return the anchors of the headings of a Markdown page."""
    text = re.sub(FENCED, "", path.read_text("utf-8"))
    headings = re.findall(r"(?m)^#+ (.+)$", text)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def listed(path):
    """Return the pages in the tables of contents of a page, relative to docs/."""
    text = path.read_text("utf-8")
    fenced = re.findall(r"(?ms)^```\{toctree\}\n(.*?)^```", text)
    indented = re.findall(r"(?m)^\.\. toctree::\n((?:[ ]+.*\n|\n)+)", text)
    lines = "\n".join([*fenced, *indented]).split("\n")
    names = (line.strip() for line in lines)
    folder = path.parent.relative_to(DOCS)
    return [(folder / n).as_posix() for n in names if re.fullmatch(r"\w[\w/-]*", n)]


def name_of(path):
    """Return the name of a page, relative to docs/ and without its suffix."""
    return path.relative_to(DOCS).with_suffix("").as_posix()


def test_every_page_is_in_one_table_of_contents():
    pages = {name_of(path) for path in PAGES}
    contents = [name for path in PAGES for name in listed(path)]
    assert len(set(contents)) == len(contents)
    assert set(contents) | {"index"} == pages | {"gallery/index"}
    reached, new = set(), {"index"}
    while new:
        reached |= new
        there = [path for path in PAGES if name_of(path) in new]
        new = {name for path in there for name in listed(path)} - reached
    assert reached == pages | {"gallery/index"}


@pytest.mark.parametrize("path", READ_ON_A_HOST, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in links(path):
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{path.name} links to {target}"
        assert found.is_relative_to(ROOT)
        if anchor:
            includes = re.search(r"(?m)^```\{include\} (\S+)", found.read_text("utf-8"))
            headed = found.parent / includes[1] if includes else found
            assert anchor in anchors(headed), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", READ_ON_A_HOST, ids=lambda path: path.name)
def test_links_to_a_function_lead_to_the_file_that_has_it(path):
    pattern = r"\[`(\w+)`\]\(((?:\.\./)?skmetricmlp/[\w/]+\.py)\)"
    for name, file in re.findall(pattern, path.read_text("utf-8")):
        code = (path.parent / file).resolve().read_text("utf-8")
        defined = rf"(?m)^(?:def|class) {name}\b|^{name}\b.*=|^    \"{name}\",$"
        assert re.search(defined, code), f"{path.name}: {name} is not in {file}"


def test_the_gallery_has_the_folder_of_the_examples():
    settings = (DOCS / "conf.py").read_text("utf-8")
    assert '"examples_dirs": "../examples"' in settings
    assert (ROOT / "examples" / "README.rst").is_file()


def test_every_figure_is_shown():
    text = "".join(path.read_text("utf-8") for path in PAGES)
    shown = set(re.findall(r"(?m)^\.\. plot:: figures/(\w+)\.py(?: \w+)?$", text))
    assert shown == {path.stem for path in (DOCS / "figures").glob("*.py")}
