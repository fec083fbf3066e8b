"""Plot tables of docs/benchmarks.md, as they stand there."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

PAGE = (Path.cwd().parent / "benchmarks.md").read_text(encoding="utf-8")
NUMBER = r"-?[\d.]+"
OURS, FITTED, RANDOM, OTHERS = "#2a7fb8", "#e07b39", "#b5651d", "0.55"
STYLES = {"random, fitted": FITTED, "random": RANDOM, "MLP": "#8c6bb1"}


def section(heading):
    """Return the text under a heading, up to the next one of its level."""
    level = heading.split(" ")[0]
    text = PAGE.split(f"\n{heading}\n")[1]
    return re.split(rf"(?m)^#{{1,{len(level)}}} ", text)[0]


def tables(text):
    """Return the Markdown tables: a list of {row: {column: number}}."""
    found = []
    for block in re.findall(r"(?m)(?:^\|.*\n)+", text):
        heading, _, *rows = (
            [cell.strip() for cell in line[1:-1].split("|")]
            for line in block.strip().split("\n")
        )
        found.append({row[0]: numbers(heading, row) for row in rows})
    return found


def numbers(heading, row):
    """Return the first number of each cell that has one."""
    cells = zip(heading[1:], row[1:], strict=True)
    return {name: float(re.match(NUMBER, cell)[0]) for name, cell in cells if cell}


def color(name):
    """Return the color of a model: calculated, random with a fitted output, others."""
    if name.startswith("calculated"):
        return OURS
    if name == "random forest":
        return OTHERS
    keys = [key for key in STYLES if name.startswith(key)]
    return STYLES[keys[0]] if keys else OTHERS


def ranked(panel, table, column, title):
    """Draw a column as points on a line, the best at the top."""
    numbers = {name: row[column] for name, row in table.items()}
    names = sorted(numbers, key=numbers.get, reverse=column != "accuracy")
    positions = range(len(names))
    for position, name in zip(positions, names, strict=True):
        panel.plot(numbers[name], position, "o", color=color(name), ms=6)
    panel.set_yticks(positions, names)
    panel.set_title(title, size=10)
    panel.grid(axis="x", color="0.9")
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)


def judged(text):
    """Draw a pair of tables, of classes and of values, without the last few."""
    classes, values = tables(text)[:2]
    values = {name: row for name, row in values.items() if row["ratio"] < 1.5}
    _, panels = plt.subplots(1, 3, figsize=(8.5, 3.4))
    ranked(panels[0], classes, "accuracy", "accuracy")
    shown = {name: row for name, row in classes.items() if row["log loss"] < 0.9}
    ranked(panels[1], shown, "log loss", "log loss")
    ranked(panels[2], values, "ratio", "RMSE / ours")
    plt.show()


def small():
    """Draw the tables of at most 2,000 rows."""
    judged(section("## Many tables").split("At most 10,000")[0])


def large():
    """Draw the tables of at most 10,000 rows."""
    judged(section("## Many tables").split("At most 10,000")[1])


def long_training():
    """Draw accuracy, log loss and RMSE by the number of epochs."""
    text = section("## Training for long, in small and in large batches")
    text = text.split("### ")[0]
    _, panels = plt.subplots(2, 3, figsize=(8.5, 4.8), sharex=True)
    pairs = (tables(text)[:2], tables(text)[2:])
    for line, (classes, values) in zip(panels, pairs, strict=True):
        for panel, table, column in zip(
            line,
            (classes, classes, values),
            ("accuracy", "log loss", "ratio"),
            strict=True,
        ):
            curves = {}
            for name, row in table.items():
                found = re.fullmatch(r"(.+), (\d+) epochs", name)
                model, epoch = (found[1], int(found[2])) if found else (name, 0)
                curves.setdefault(model, []).append((epoch, row[column]))
            for model, points in curves.items():
                panel.plot(
                    *zip(*sorted(points), strict=True),
                    "o-",
                    color=color(model),
                    label=model,
                    ms=4,
                )
            panel.set_title({"ratio": "RMSE / ours at the start"}.get(column, column))
            panel.grid(color="0.93")
    for line, size in zip(panels, (32, 200), strict=True):
        line[0].set_ylabel(f"batches of {size}")
    for panel in panels[1]:
        panel.set_xlabel("epochs")
    panels[0, 0].legend(frameon=False, fontsize=8)
    plt.show()


def parts():
    """Draw the accuracy before and after training, with one part changed."""
    text = section("## What each part is worth")
    blocks = re.findall(r"(?m)^start\s*\n((?:.+\n)+)", text)
    titles = ("all tables", "ten labels per class", "MNIST, 1,000 rows")
    _, panels = plt.subplots(1, 3, figsize=(8.5, 4), sharey=True)
    for panel, block, title in zip(panels, blocks, titles, strict=True):
        lines = [line for line in block.splitlines() if re.match("[a-z0-9]", line)]
        rows = [re.split(r"\s{2,}", line) for line in lines[::-1]]
        rows = [row for row in rows if row[0] != "random"]
        for position, row in enumerate(rows):
            accuracies = [float(cell) for cell in row[1].split(" ")]
            before, after = accuracies[0], accuracies[3]
            panel.plot([before, after], [position] * 2, color="0.75", zorder=0)
            panel.plot(before, position, "o", color=OURS, ms=6)
            panel.plot(after, position, "o", mfc="white", mec=OURS, ms=6)
        panel.set_yticks(range(len(rows)), [row[0] for row in rows])
        panel.set_title(title, size=10)
        panel.grid(axis="x", color="0.9")
        panel.set_xlabel("accuracy")
    panels[0].plot([], [], "o", color=OURS, label="before training")
    panels[0].plot([], [], "o", mfc="white", mec=OURS, label="after 20 epochs")
    panels[0].legend(frameon=False, fontsize=8)
    plt.show()


def mnist():
    """Draw the test accuracy on MNIST after each epoch."""
    all_rows, _, fewer = tables(section("## MNIST"))
    _, panels = plt.subplots(1, 2, figsize=(9, 3.4))
    groups = (
        ("60,000 rows", all_rows, (0.94, 0.985)),
        ("300, 1,000 and 20,000 rows", fewer, (0.74, 0.99)),
    )
    for panel, (title, table, limits) in zip(panels, groups, strict=True):
        epochs = [int(epoch) for epoch in table]
        for name in next(iter(table.values())):
            start, drawn = name.rsplit(", ", 1)
            panel.plot(
                epochs,
                [row[name] for row in table.values()],
                {"default": "-", "linear": "--"}.get(start, "-"),
                marker="o",
                color=OURS if drawn == "calculated" else RANDOM,
                label=drawn if start in {"default", "300 rows"} else None,
                ms=4,
            )
        panel.set(title=title, xlabel="epochs", ylim=limits)
        panel.grid(color="0.93")
    panels[0].set_ylabel("accuracy; dashed: rate falls to zero")
    panels[1].legend(frameon=False)
    plt.show()


def speed():
    """Draw the times of an epoch, that of MLPClassifier being one."""
    found = tables(section("## Speed"))
    names = re.findall(r"(?m)^\*\*(.+?)\*\*, (\d+) rows, batches of (\d+)", PAGE)
    _, panel = plt.subplots(figsize=(8, 3))
    for position, (name, table) in enumerate(zip(names, found, strict=True)):
        for offset, model in enumerate(("metric", "random", "PyTorch")):
            panel.barh(
                -position - 0.25 * offset,
                table[model]["epoch / `MLPClassifier`"],
                0.22,
                color={"metric": OURS, "random": RANDOM}.get(model, OTHERS),
                label=None if position else {"metric": "calculated"}.get(model, model),
            )
        label = f"{name[0].split(': ')[-1]}, batches of {name[2]}"
        panel.text(-0.01, -position - 0.25, label, ha="right", va="center")
    panel.axvline(1, color="0.3", lw=1)
    panel.set(yticks=[], xlabel="time of an epoch, that of MLPClassifier being 1")
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(frameon=False, fontsize=8)
    plt.show()


def sharpness():
    """Draw the accuracy of networks that vote before and after training."""
    rows = re.findall(
        r"(?m)^(?:([13]) )?\s*(relu|logistic|tanh)?\s+(?:random|sharpness ([\d.]+)).* "
        r"([\d.]+) +[\d.]+ +([\d.]+)$",
        section("## Sharpness"),
    )
    curves, k, activation = {}, "", ""
    for number, name, value, before, after in rows:
        k, activation = number or k, name or activation
        if value and float(value) <= 4:
            curve = curves.setdefault((k, activation), [])
            curve.append((float(value), float(before), float(after)))
    _, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
    colors = {"relu": OURS, "logistic": FITTED, "tanh": "#3d9a63"}
    for (k, activation), curve in curves.items():
        panel = panels[0 if k == "1" else 1]
        values, before, after = zip(*curve, strict=True)
        panel.plot(values, before, "o--", color=colors[activation], ms=4)
        panel.plot(values, after, "o-", color=colors[activation], label=activation, ms=4)
        panel.set(title=f"n_neighbors={k}", xscale="log", xlabel="sharpness")
        panel.set_xticks(values, values)
        panel.minorticks_off()
        panel.grid(color="0.93")
    panels[0].set_ylabel("accuracy; dashed: before training")
    panels[1].legend(frameon=False)
    plt.show()
