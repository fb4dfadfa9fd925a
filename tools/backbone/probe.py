#!/usr/bin/env python3
"""Logistic regression on the frozen backbone's pooled outputs: what adapters have to beat.

Features are the mean of the last states, or the pooler's output; each standardised on the train split. The weight
of the L2 penalty is chosen on a tenth of the train split, then the fit is repeated on all of it.
Usage: probe.py BACKBONE [--data DIR] [--tasks sst2 banking77 trec] [--limit N] [--json FILE]
"""

import argparse
import csv
import json
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers import BertModel

from common import DATA, SEED, tokenizer_of
from teacher import length_batches

PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2)
MAX_TOKENS = 128
Examples = list[tuple[str, str]]


def examples_of(data: Path, task: str) -> tuple[Examples, Examples]:
    """(text, label) of the train split and of the split that is reported."""
    if task == "sst2":

        def read(name: str) -> Examples:
            lines = (data / "sst2" / name).read_text(encoding="utf-8").rstrip("\n").split("\n")[1:]
            return [tuple(line.split("\t")[:2]) for line in lines]

        return read("train.tsv"), read("dev.tsv")
    if task == "trec":

        def read(name: str) -> Examples:
            lines = (data / "trec" / name).read_text(encoding="utf-8").rstrip("\n").split("\n")
            return [(line.split(" ", 1)[1], line.split(" ", 1)[0]) for line in lines]

        return read("train.txt"), read("test.txt")

    def read(name: str) -> Examples:
        with (data / "banking77" / name).open(encoding="utf-8", newline="") as lines:
            return [(row["text"], row["category"]) for row in csv.DictReader(lines)]

    return read("train.csv"), read("test.csv")


@torch.inference_mode()
def features(model: BertModel, tokenizer, texts: list[str]) -> dict[str, torch.Tensor]:
    """`mean` and `pooler`, each [texts, hidden]."""
    rows = [encoded.ids[:MAX_TOKENS] for encoded in tokenizer.encode_batch(texts)]
    mean = torch.empty(len(rows), model.config.hidden_size)
    pooler = torch.empty_like(mean)
    for batch in length_batches([len(row) for row in rows], 8192):
        width = max(len(rows[index]) for index in batch)
        ids = torch.tensor([rows[index] + [0] * (width - len(rows[index])) for index in batch])
        mask = torch.tensor([[1] * len(rows[index]) + [0] * (width - len(rows[index])) for index in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(ids, attention_mask=mask)
        weights = mask.unsqueeze(-1)
        mean[batch] = ((output.last_hidden_state * weights).sum(1) / weights.sum(1)).float()
        pooler[batch] = output.pooler_output.float()
    return {"mean": mean, "pooler": pooler}


def fit(inputs: torch.Tensor, targets: torch.Tensor, classes: int, penalty: float) -> torch.Tensor:
    """Weights [features + 1, classes] of multinomial logistic regression, by L-BFGS over all examples."""
    inputs = F.pad(inputs, (0, 1), value=1.0)
    weights = torch.zeros(inputs.shape[1], classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=60, history_size=10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(inputs @ weights, targets) + penalty * weights[:-1].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weights.detach()


def accuracy(weights: torch.Tensor, inputs: torch.Tensor, targets: torch.Tensor) -> float:
    return ((F.pad(inputs, (0, 1), value=1.0) @ weights).argmax(-1) == targets).double().mean().item()


def regression(train: torch.Tensor, labels: torch.Tensor, test: torch.Tensor, expected: torch.Tensor) -> float:
    """Accuracy on the test split; the penalty comes from a tenth of the train split."""
    centre, spread = train.mean(0), train.std(0).clamp(min=1e-6)
    train, test = (train - centre) / spread, (test - centre) / spread
    classes = int(labels.max()) + 1
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(SEED))
    held, kept = order[: len(order) // 10], order[len(order) // 10 :]
    best = max(
        PENALTIES,
        key=lambda penalty: accuracy(fit(train[kept], labels[kept], classes, penalty), train[held], labels[held]),
    )
    return accuracy(fit(train, labels, classes, best), test, expected)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbone", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--tasks", nargs="+", default=["sst2", "banking77", "trec"])
    parser.add_argument("--limit", type=int, help="train on N examples drawn at random")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = BertModel.from_pretrained(options.backbone, torch_dtype=torch.float32).eval()
    tokenizer = tokenizer_of(options.backbone)
    results = {}
    for task in options.tasks:
        train, test = examples_of(options.data, task)
        if options.limit and options.limit < len(train):
            order = torch.randperm(len(train), generator=torch.Generator().manual_seed(SEED))
            train = [train[index] for index in order[: options.limit]]
        names = sorted({label for _, label in train})
        labels = torch.tensor([names.index(label) for _, label in train])
        expected = torch.tensor([names.index(label) if label in names else -1 for _, label in test])
        of_train = features(model, tokenizer, [text for text, _ in train])
        of_test = features(model, tokenizer, [text for text, _ in test])
        results[task] = {kind: regression(of_train[kind], labels, of_test[kind], expected) for kind in of_train}
        print(task, {kind: round(value, 4) for kind, value in results[task].items()}, flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
