"""Writes test/golden/minilm/curve.json: the losses of MiniLM's first 50 training steps on SST-2, in file order.

Run: python test/golden/minilm_curve.py --backbone DIR --train sst2/train.tsv
DIR holds all-MiniLM-L6-v2 (config.json, vocab.txt, model.safetensors). Dropout is off, so that the curve is a function
of the data, the checkpoint and the starting values alone. Those come from a counter-based formula (`starting_value`)
that any language can repeat to the bit; a file of them would hold 4 MB.
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer

from reference_model import (
    SITES,
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

OUTPUT = Path(__file__).parent / "minilm" / "curve.json"
STEPS = 50
BATCH_SIZE = 32
BOTTLENECK = 64
LABELS = 2
PEAK_LEARNING_RATE = 3e-4
MAX_LENGTH = 128
ADAPTER_SCALE = 0.01 * math.sqrt(3)  # uniform in ±0.01·√3 has the recipe's standard deviation, 0.01
CLASSIFIER_SCALE = 0.02

ABOUT = (
    "Losses of MiniLM's first 50 SST-2 training steps, written by minilm_curve.py beside this folder. Batches are the "
    "training file's rows in order, 32 a step. Starting values: LayerNorms as in the checkpoint, biases 0, and element "
    "i (row-major, [out, in]) of the tensor with ordinal t is f32(scale * ((mix(i ^ mix(t)) + 0.5) / 2^31 - 1)), "
    "computed in float64 and rounded once. mix is MurmurHash3's 32-bit finaliser on unsigned integers modulo 2^32: "
    "h ^= h >> 16; h *= 0x85ebca6b; h ^= h >> 13; h *= 0xc2b2ae35; h ^= h >> 16. `tensors` lists ordinal, scale and "
    "the first two values of every tensor so filled. Ordinals start at 1, as mix(0) is 0."
)


def mix(h):
    """MurmurHash3's 32-bit finaliser, on int64 tensors (or ints) that hold unsigned 32-bit values."""
    h = h ^ (h >> 16)
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h = h ^ (h >> 13)
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    return h ^ (h >> 16)


def starting_tensor(ordinal, shape, scale):
    """The formula of ABOUT, as an f32 tensor. int64 wraps modulo 2^64, which keeps the low 32 bits right."""
    index = torch.arange(math.prod(shape), dtype=torch.int64)
    uniform = (mix(index ^ mix(ordinal)).double() + 0.5) / 2**31 - 1
    return (scale * uniform).float().reshape(shape)


def filled_tensors(config):
    """Name → (ordinal, scale) of every tensor that the formula fills, in forward order."""
    names = [
        f"layer.{i}.{site}.adapter.{part}.weight"
        for i in range(config["num_hidden_layers"])
        for site in SITES
        for part in ("down", "up")
    ]
    filled = {name: (ordinal, ADAPTER_SCALE) for ordinal, name in enumerate(names, start=1)}
    filled["classifier.weight"] = (len(names) + 1, CLASSIFIER_SCALE)
    return filled


def starting_parameters(config, backbone):
    """Every trained tensor's starting value, in forward order."""
    filled = filled_tensors(config)
    values = checkpoint_layer_norms(config, backbone)
    for name, shape in adapter_and_classifier_shapes(config, BOTTLENECK, LABELS).items():
        values[name] = starting_tensor(filled[name][0], shape, filled[name][1]) if name in filled else torch.zeros(shape)
    return {name: values[name] for name in trainable_names(config)}


def read_batches(train_file, tokenizer):
    """[(sequences, labels)] of the file's first STEPS · BATCH_SIZE rows, `sentence⇥label` after a header."""
    rows = Path(train_file).read_text(encoding="utf-8").split("\n")[1 : STEPS * BATCH_SIZE + 1]
    texts, labels = zip(*(row.rstrip("\r").split("\t") for row in rows), strict=True)
    encoded = tokenizer.encode_batch(list(texts))
    sequences = [{"ids": e.ids, "typeIds": e.type_ids} for e in encoded]
    return [
        (sequences[at : at + BATCH_SIZE], [int(label) for label in labels[at : at + BATCH_SIZE]])
        for at in range(0, len(rows), BATCH_SIZE)
    ]


def curve(directory, batches, dtype):
    """The loss of every step, before its update, and the gradient's norm before clipping."""
    config, backbone = load_checkpoint(directory, dtype)
    config = {**config, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    parameters = {
        name: tensor.to(dtype).requires_grad_() for name, tensor in starting_parameters(config, backbone).items()
    }
    optimizer = AuthorsAdamW(parameters)
    losses, norms = [], []
    for step, (sequences, labels) in enumerate(batches):
        loss = loss_of(logits_of(config, backbone, parameters, *padded(sequences)), torch.tensor(labels))
        backward(parameters, loss)
        norms.append(clip_gradients(parameters))
        losses.append(loss.item())
        optimizer.step(learning_rate_at(step, STEPS, PEAK_LEARNING_RATE))
    return losses, norms


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--backbone", required=True, help="directory of all-MiniLM-L6-v2")
    arguments.add_argument("--train", required=True, help="SST-2's train.tsv")
    arguments = arguments.parse_args()
    torch.set_num_threads(2)

    tokenizer = BertWordPieceTokenizer(str(Path(arguments.backbone) / "vocab.txt"), lowercase=True)
    tokenizer.enable_truncation(MAX_LENGTH)
    batches = read_batches(arguments.train, tokenizer)

    started = time.perf_counter()
    losses, norms = curve(arguments.backbone, batches, torch.float32)
    print(f"f32: {time.perf_counter() - started:.1f} s, loss {losses[0]:.6f} to {losses[-1]:.6f}", flush=True)
    started = time.perf_counter()
    losses64, _ = curve(arguments.backbone, batches, torch.float64)
    difference = max(abs(a - b) for a, b in zip(losses, losses64, strict=True))
    print(f"f64: {time.perf_counter() - started:.1f} s, largest difference from f32 {difference:.1e}")

    config, _ = load_checkpoint(arguments.backbone, torch.float32)
    shapes = adapter_and_classifier_shapes(config, BOTTLENECK, LABELS)
    tensors = [
        {
            "name": name,
            "shape": shapes[name],
            "ordinal": ordinal,
            "scale": scale,
            "firstValues": starting_tensor(ordinal, (2,), scale).tolist(),
        }
        for name, (ordinal, scale) in filled_tensors(config).items()
    ]
    OUTPUT.parent.mkdir(exist_ok=True)
    fixture = {
        "about": ABOUT,
        "steps": STEPS,
        "batchSize": BATCH_SIZE,
        "bottleneck": BOTTLENECK,
        "maxLength": MAX_LENGTH,
        "peakLearningRate": PEAK_LEARNING_RATE,
        "warmupRatio": 0.1,
        "weightDecay": 0.01,
        "clipNorm": 1.0,
        "eps": 1e-6,
        "biasCorrection": False,
        "tokens": [sum(len(sequence["ids"]) for sequence in sequences) for sequences, _ in batches],
        "losses": losses,
        "lossesFloat64": losses64,
        "gradientNorms": norms,
        "tensors": tensors,
    }
    OUTPUT.write_text(json.dumps(fixture, indent=1) + "\n")


if __name__ == "__main__":
    main()
