"""The recipe of `graft train` in PyTorch, for the side-by-side figures of docs/measurements.md.

Prints one JSON object: metrics on the dev file, seconds, examples and tokens per second. Batches are padded to their
longest text. Example (SST-2, then a regression over pairs):
  python tools/reference/train_pytorch.py --backbone DIR --train train.tsv --dev dev.tsv --text sentence --label label
  python tools/reference/train_pytorch.py --backbone DIR --train train.tsv --dev dev.tsv --task regression \\
      --text sentence1 --text-pair sentence2 --label score
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from tokenizers import BertWordPieceTokenizer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "golden"))

from reference_model import (  # noqa: E402 (found through the path set above)
    AuthorsAdamW,
    adapter_and_classifier_shapes,
    backward,
    checkpoint_layer_norms,
    clip_gradients,
    learning_rate_at,
    load_checkpoint,
    logits_of,
    loss_of,
    padded,
    trainable_names,
)

ADAPTER_STD = 1e-2
CLASSIFIER_STD = 0.02
DEV_BATCH_SIZE = 64


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--backbone", required=True, help="Hugging Face BERT directory")
    parser.add_argument("--train", required=True, help="TSV with a header; quotes are literal")
    parser.add_argument("--dev", required=True, help="TSV with the same columns")
    parser.add_argument("--text", required=True, help="column of the text")
    parser.add_argument("--text-pair", help="column of the second text")
    parser.add_argument("--label", required=True, help="column of the label or score")
    parser.add_argument("--task", choices=["classification", "regression"], default="classification")
    parser.add_argument("--limit", type=int, help="train on the first N rows only")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--bottleneck", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-4, help="peak learning rate")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--lower-case", action=argparse.BooleanOptionalAction, default=True, help="uncased vocabulary")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def read_rows(file, columns):
    """The named columns of every row."""
    lines = Path(file).read_text(encoding="utf-8").split("\n")
    header, *rows = [line.rstrip("\r").split("\t") for line in lines if line.strip()]
    positions = [header.index(column) for column in columns]
    return [[row[position] for position in positions] for row in rows]


def read_examples(file, arguments, tokenizer):
    """(sequences [{ids, typeIds}], label strings)."""
    text_columns = [arguments.text] + ([arguments.text_pair] if arguments.text_pair else [])
    rows = read_rows(file, [*text_columns, arguments.label])
    texts = [tuple(row[:-1]) if arguments.text_pair else row[0] for row in rows]
    sequences = [{"ids": e.ids, "typeIds": e.type_ids} for e in tokenizer.encode_batch(texts)]
    return sequences, [row[-1] for row in rows]


def starting_parameters(config, backbone, bottleneck, outputs):
    """LayerNorms from the checkpoint, biases 0, weights truncated normal at two standard deviations."""
    values = checkpoint_layer_norms(config, backbone)
    for name, shape in adapter_and_classifier_shapes(config, bottleneck, outputs).items():
        values[name] = torch.zeros(shape)
        if name.endswith(".weight"):
            std = CLASSIFIER_STD if name.startswith("classifier.") else ADAPTER_STD
            torch.nn.init.trunc_normal_(values[name], std=std, a=-2 * std, b=2 * std)
    return {name: values[name].requires_grad_() for name in trainable_names(config)}


@torch.no_grad()
def predict(config, backbone, parameters, sequences):
    """Logits [N, C]. Texts of like length share a batch, which spares padding and changes no result."""
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]["ids"]))
    logits = [None] * len(sequences)
    for at in range(0, len(order), DEV_BATCH_SIZE):
        batch = order[at : at + DEV_BATCH_SIZE]
        rows = logits_of(config, backbone, parameters, *padded([sequences[i] for i in batch]))
        for i, row in zip(batch, rows, strict=True):
            logits[i] = row
    return torch.stack(logits)


def metrics_of(task, logits, targets):
    """Graft's metrics: with two labels F1 of the second in sorted order, with more the mean over the labels."""
    loss = loss_of(logits, targets).item()
    if task == "regression":
        values = logits.squeeze(-1)
        pearson, spearman = pearsonr(values, targets)[0], spearmanr(values, targets)[0]
        return {"pearson": float(pearson), "spearman": float(spearman), "loss": loss}
    predicted = logits.argmax(-1)
    average = "binary" if logits.shape[-1] == 2 else "macro"
    return {
        "accuracy": float(accuracy_score(targets, predicted)),
        "f1": float(f1_score(targets, predicted, average=average)),
        "matthews": float(matthews_corrcoef(targets, predicted)),
        "loss": loss,
    }


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    started = time.perf_counter()

    config, backbone = load_checkpoint(arguments.backbone, torch.float32)
    vocabulary = Path(arguments.backbone) / "vocab.txt"
    tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=arguments.lower_case)
    tokenizer.enable_truncation(arguments.max_length)
    train, train_labels = read_examples(arguments.train, arguments, tokenizer)
    dev, dev_labels = read_examples(arguments.dev, arguments, tokenizer)
    train, train_labels = train[: arguments.limit], train_labels[: arguments.limit]

    if arguments.task == "regression":
        outputs = 1
        train_targets, dev_targets = (torch.tensor([float(x) for x in xs]) for xs in (train_labels, dev_labels))
    else:
        labels = sorted(set(train_labels))
        outputs = len(labels)
        train_targets, dev_targets = (torch.tensor([labels.index(x) for x in xs]) for xs in (train_labels, dev_labels))

    parameters = starting_parameters(config, backbone, arguments.bottleneck, outputs)
    optimizer = AuthorsAdamW(parameters)
    steps_per_epoch = -(-len(train) // arguments.batch_size)
    total_steps = steps_per_epoch * arguments.epochs
    score = "pearson" if arguments.task == "regression" else "accuracy"
    step, train_seconds, best = 0, 0.0, None
    for epoch in range(1, arguments.epochs + 1):
        epoch_started = time.perf_counter()
        losses = []
        order = torch.randperm(len(train))
        for batch in order.split(arguments.batch_size):
            inputs = padded([train[i] for i in batch.tolist()])
            logits = logits_of(config, backbone, parameters, *inputs, training=True)
            loss = loss_of(logits, train_targets[batch])
            backward(parameters, loss)
            clip_gradients(parameters)
            optimizer.step(learning_rate_at(step, total_steps, arguments.lr))
            losses.append(loss.item())
            step += 1
        train_seconds += time.perf_counter() - epoch_started
        dev_metrics = metrics_of(arguments.task, predict(config, backbone, parameters, dev), dev_targets)
        train_loss = sum(losses) / len(losses)
        print(f"epoch {epoch}: train loss {train_loss:.4f}, dev {dev_metrics}", file=sys.stderr, flush=True)
        if best is None or dev_metrics[score] > best["dev"][score]:
            best = {"epoch": epoch, "trainLoss": train_loss, "dev": dev_metrics}

    tokens = sum(len(sequence["ids"]) for sequence in train)
    report = {
        "train": len(train),
        "dev": best["dev"],
        "bestEpoch": best["epoch"],
        "trainLoss": best["trainLoss"],
        "steps": total_steps,
        "seed": arguments.seed,
        "trainableParameters": sum(p.numel() for p in parameters.values()),
        "trainSeconds": train_seconds,
        "examplesPerSecond": len(train) * arguments.epochs / train_seconds,
        "tokensPerSecond": tokens * arguments.epochs / train_seconds,
        "seconds": time.perf_counter() - started,
        "torch": torch.__version__,
        "threads": arguments.threads,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
