#!/usr/bin/env python3
"""Proves that no sentence of an evaluation split is in graft-mini's corpus, exactly or nearly (see leakage.py).

Checks every segment of WORK/corpus.tsv, and that the token arrays hold as many segments as the file. To show that the
check can fail, it first has to find each evaluation sentence planted: as it stands, in capitals, and inside other words.
Prints counts per evaluation set; exits with 1 where anything was found.
Usage: check_leakage.py [--data DIR] [--work DIR]
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from common import DATA, WORK
from leakage import NGRAM, LeakageMatcher, words
from texts import evaluation_texts


def planted(matcher: LeakageMatcher, evaluation: dict[str, list[str]]) -> int:
    """Plants every evaluation sentence; returns how many variants were looked for, exits if one is missed."""
    tried = 0
    for name, texts in evaluation.items():
        for text in texts:
            if not words(text):
                continue
            variants = [text, text.upper()]
            if len(words(text)) >= NGRAM:
                variants.append(f"he said {text} and then left without another word about any of it")
            for variant in variants:
                tried += 1
                if matcher.match(variant) is None:
                    sys.exit(f"the check missed a planted sentence of {name}: {variant}")
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    options = parser.parse_args()
    evaluation = evaluation_texts(options.data)
    matcher = LeakageMatcher(evaluation)
    print(f"planted sentences found: {planted(matcher, evaluation):,} of as many")

    segments: Counter = Counter()
    found: Counter = Counter()
    with (options.work / "corpus.tsv").open(encoding="utf-8") as lines:
        for line in lines:
            pool, text = line.rstrip("\n").split("\t", 1)
            segments[pool] += 1
            match = matcher.match(text)
            if match:
                found[match] += 1
                print(f"{pool}: {' '.join(match)}: {text}")
    for pool, count in segments.items():
        stored = len(np.load(options.work / f"{pool}.offsets.npy")) - 1
        if stored != count:
            sys.exit(f"{pool}: corpus.tsv has {count:,} segments, the token array {stored:,}")
        print(f"{pool}: {count:,} segments checked")
    for name, texts in evaluation.items():
        kinds = {kind: found[kind, name] for kind in ("exact", "ngram", "jaccard")}
        print(f"{name}: {len(texts):,} sentences; " + ", ".join(f"{kind} {count}" for kind, count in kinds.items()))
    if found:
        sys.exit(f"{sum(found.values()):,} segments repeat an evaluation sentence")
    print("no evaluation sentence is in the corpus")


if __name__ == "__main__":
    main()
