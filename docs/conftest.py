"""pytest tests the Markdown pages here, and nothing that builds the site or is built."""

collect_ignore_glob = ["*.py", "_build", "gallery", "api"]
