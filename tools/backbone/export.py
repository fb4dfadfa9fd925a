#!/usr/bin/env python3
"""Writes a pretraining checkpoint as a Hugging Face BERT directory in f16: config.json, vocab.txt, model.safetensors.

Usage: export.py OUT [--work DIR]
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from common import SHAPE, WORK

LIMIT = 8_000_000  # bytes, all files of the directory together
# Dropout for those who train adapters on it; pretraining itself used none.
DROPOUT = 0.1


def write_backbone(out: Path, weights: dict[str, torch.Tensor], vocabulary: Path) -> int:
    """Writes the directory; `weights` has BertModel's names. Returns the bytes of all its files."""
    out.mkdir(parents=True, exist_ok=True)
    half = {name: weight.to(torch.float16).contiguous() for name, weight in weights.items()}
    for name, weight in half.items():
        if not torch.isfinite(weight).all():
            raise ValueError(f"{name} does not fit into float16")
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": len(weights["embeddings.word_embeddings.weight"]),
        **SHAPE,
        "hidden_dropout_prob": DROPOUT,
        "attention_probs_dropout_prob": DROPOUT,
        "initializer_range": 0.02,
        "position_embedding_type": "absolute",
        "pad_token_id": 0,
        "torch_dtype": "float16",
    }
    save_file(half, out / "model.safetensors", metadata={"format": "pt"})
    (out / "model.safetensors").chmod(0o644)  # safetensors lets the owner alone read it
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer = {"do_lower_case": True, "tokenizer_class": "BertTokenizer", "model_max_length": 128}
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=2) + "\n")
    if vocabulary.resolve() != (out / "vocab.txt").resolve():
        shutil.copyfile(vocabulary, out / "vocab.txt")
    return sum(file.stat().st_size for file in out.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--work", type=Path, default=WORK)
    options = parser.parse_args()
    checkpoint = torch.load(options.work / "checkpoint.pt", weights_only=True)
    prefix = "encoder."
    weights = {
        name[len(prefix) :]: weight for name, weight in checkpoint["model"].items() if name.startswith(prefix)
    }
    size = write_backbone(options.out, weights, options.work / "vocab.txt")
    print(f"{options.out}: {size:,} bytes after {checkpoint['state']['tokens']:,} tokens")
    if size > LIMIT:
        raise SystemExit(f"larger than {LIMIT:,} bytes")


if __name__ == "__main__":
    main()
