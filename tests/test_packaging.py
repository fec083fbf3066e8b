"""What the package index and the installer read: links, versions and the command."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import skmetricmlp

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
HOOK = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
SITE = "https://skmetricmlp.readthedocs.io/en/latest/"
CODE = "https://github.com/skmetricmlp/skmetricmlp/blob/main/"
RAW = "https://raw.githubusercontent.com/skmetricmlp/skmetricmlp/main/"
LINK = re.compile(r"(!?)\[[^\]]*\]\(\s*([^)\s]+)\s*\)")


def on_the_index(text):
    """Return the README as the build writes it into the metadata."""
    for rule in HOOK["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    return text


def links(text):
    """Return whether each link is an image, and its target."""
    return [(bool(image), target) for image, target in LINK.findall(text)]


def file_of(address):
    """Return the file of the project that an address shows, or None."""
    address = address.partition("#")[0]
    if address.startswith(SITE):
        page = address.removeprefix(SITE)
        return ROOT / "docs" / Path(page).with_suffix(".md")
    for start in (CODE, RAW):
        if address.startswith(start):
            return ROOT / address.removeprefix(start)
    return None


def test_links_on_the_package_index_are_absolute_and_lead_to_the_same_files():
    (fragment,) = HOOK["fragments"]
    before = (ROOT / fragment["path"]).read_text("utf-8")
    own, shown = links(before), links(on_the_index(before))
    assert any(image for image, _ in shown)
    for (_, written), (image, address) in zip(own, shown, strict=True):
        assert address.startswith("https://"), address
        if "://" in written:
            assert address == written
            continue
        file, _, anchor = written.partition("#")
        assert file_of(address) == ROOT / file
        assert file_of(address).exists()
        assert address.partition("#")[2] == anchor
        assert address.startswith(RAW) == image  # what a browser can show as a picture


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[a](docs/start.md)", f"[a]({SITE}start.html)"),
        ("[a](docs/api/index.md#b-c)", f"[a]({SITE}api/index.html#b-c)"),
        ("[a](examples/mnist.py)", f"[a]({CODE}examples/mnist.py)"),
        ("![a\nb](docs/images/c.png)", f"![a\nb]({RAW}docs/images/c.png)"),
        ("[a](https://arxiv.org)", "[a](https://arxiv.org)"),
    ],
)
def test_a_link_becomes_absolute(written, shown):
    assert on_the_index(written) == shown


def test_versions_agree():
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    newest = re.search(r"(?m)^## (\S+)(?: - (\S+))?", changes)
    cited = dict(re.findall(r"(?m)^([\w-]+): (\S.*)$", citation))
    assert cited["version"] == skmetricmlp.__version__
    assert newest[1] in {skmetricmlp.__version__, "Unreleased"}
    if newest[1] == skmetricmlp.__version__:
        assert cited["date-released"] == newest[2]


def test_the_citation_names_what_the_package_names():
    cited = (ROOT / "CITATION.cff").read_text("utf-8")
    project = PROJECT["project"]
    assert f"title: {project['name']}\n" in cited
    assert f"license: {project['license']}\n" in cited
    assert f"repository-code: {project['urls']['Source']}\n" in cited
    assert f"url: {project['urls']['Documentation']}\n" in cited
    assert f"- name: {project['authors'][0]['name']}\n" in cited
    assert file_of(project["urls"]["Changelog"]).exists()


def test_the_command_is_that_of_the_package():
    module, _, function = PROJECT["project"]["scripts"]["skmetricmlp"].partition(":")
    main = getattr(import_module(module), function)
    assert main is import_module("skmetricmlp.__main__").main


def test_the_extra_for_studies_has_what_the_command_asks_for():
    from skmetricmlp._command import STUDY_PACKAGES  # noqa: PLC0415

    extras = PROJECT["project"]["optional-dependencies"]
    named = {re.match(r"[\w-]+", need)[0] for need in extras["study"] + extras["plot"]}
    assert {*STUDY_PACKAGES, "pyarrow"} <= named
