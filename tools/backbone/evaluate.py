#!/usr/bin/env python3
"""Trains adapters with `graft train` on a backbone and evaluates them with `graft eval`, for the model card's table.

No epoch is chosen by the reported split: the recipes are fixed and the last epoch's adapter is evaluated. A run that was
stopped goes on where it was; a task whose result is in OUT is left alone.
Needs a built checkout (`npm run build`). Usage: evaluate.py BACKBONE OUT [--data DIR] [--tasks sst2 banking77 trec]
"""

import argparse
import json
import subprocess
from pathlib import Path

from common import DATA, ROOT
from probe import examples_of

# Bottleneck 64, batch 32, warm-up over a tenth of the steps, weight decay 0.01 and clipping at 1 are Graft's defaults.
RECIPES = {
    "sst2": {"--epochs": 1, "--learning-rate": 1e-3, "--dropout": 0},
    "banking77": {"--epochs": 10, "--learning-rate": 2e-3, "--dropout": 0.05},
    "trec": {"--epochs": 10, "--learning-rate": 1e-3, "--dropout": 0.1},
}


def write_tsv(path: Path, examples: list[tuple[str, str]]) -> None:
    """One layout for every set; no text of these holds a tab."""
    lines = ["text\tlabel", *(f"{' '.join(text.split())}\t{label}" for text, label in examples)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def graft(*arguments: object) -> str:
    command = ["node", str(ROOT / "dist/cli.js"), *map(str, arguments)]
    print("graft " + " ".join(command[2:]), flush=True)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbone", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--tasks", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--backend", default="wasm")
    parser.add_argument("--threads", type=int, help="of the CPU backend; all cores where left out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for task in options.tasks:
        done = options.out / f"{task}.json"
        if done.exists():
            continue
        train, test = options.out / f"{task}.train.tsv", options.out / f"{task}.test.tsv"
        for path, examples in zip((train, test), examples_of(options.data, task)):
            write_tsv(path, examples)
        adapter = options.out / task
        columns = ("--text", "text", "--label", "label", "--backend", options.backend, "--json")
        threads = ("--threads", options.threads) if options.threads else ()
        columns = (*columns, *threads)
        recipe = [part for pair in RECIPES[task].items() for part in pair]
        resume = ("--resume",) if (adapter / "checkpoint.json").exists() else ()
        graft("train", "--backbone", options.backbone, "--train", train, *columns, *recipe, "--out", adapter, *resume)
        result = graft("eval", "--backbone", options.backbone, "--adapter", adapter, "--data", test, *columns)
        done.write_text(result)
        print(task, json.dumps(json.loads(result)), flush=True)


if __name__ == "__main__":
    main()
