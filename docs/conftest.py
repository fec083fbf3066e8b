"""pytest collects the Markdown pages here, and no files of the site itself."""

collect_ignore_glob = ["*.py", "_build", "gallery", "api"]
