#!/usr/bin/env python3
"""Writes an untrained backbone of graft-mini's shape and vocabulary: what adapters alone reach is measured on it.

Usage: random_backbone.py OUT [--vocabulary FILE] [--seed N]
"""

import argparse
from pathlib import Path

import torch
from transformers import BertModel

from common import ROOT, SEED, model_config
from export import write_backbone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vocabulary", type=Path, default=ROOT / "models/graft-mini/vocab.txt")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    tokens = len(options.vocabulary.read_text(encoding="utf-8").rstrip("\n").split("\n"))
    model = BertModel(model_config(tokens))
    print(f"{options.out}: {write_backbone(options.out, model.state_dict(), options.vocabulary):,} bytes")


if __name__ == "__main__":
    main()
