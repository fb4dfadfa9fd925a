#!/usr/bin/env python3
"""Builds graft-mini's corpus: leakage-free text, its own WordPiece vocabulary, and token arrays.

Writes into WORK (default .cache/graft-mini):
  corpus.tsv       one segment a line, `pool⇥text`; pool is `short` (train texts and single review sentences of at most
                   62 tokens, which the teacher embeds too) or `long` (runs of review sentences of at most 126 tokens)
  vocab.txt        the vocabulary, trained on corpus.tsv
  {short,long}.tokens.npy, .offsets.npy   token ids end to end without [CLS] and [SEP], and where each segment begins
  corpus.json      counts, versions, seed

Usage: build_corpus.py [--data DIR] [--work DIR] [--reviews N] [--sentences N] [--train-texts N] [--vocabulary N]
"""

import argparse
import json
import random
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import tokenizers
from tokenizers import BertWordPieceTokenizer

from common import DATA, SEED, WORK, tokenizer_of
from leakage import LeakageMatcher, words
from texts import evaluation_texts, reviews, training_texts

SHORT_TOKENS = 62
LONG_TOKENS = 126
# Characters that get a token of their own; rarer ones become [UNK].
ALPHABET = 100
# How often the vocabulary trainer reads the train texts, beside 160,000 sentences of reviews: the texts that short-text
# classification is about are a tenth of the corpus and would otherwise get few words of their own.
VOCABULARY_REPEATS = {"sst2": 1, "cola": 2, "rte": 2, "stsb": 2, "trec": 6, "banking77": 6, "wnut17": 3}
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+")


def split_sentences(text: str) -> list[str]:
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def clean_runs(text: str, matcher: LeakageMatcher, dropped: Counter) -> list[list[str]]:
    """Runs of consecutive sentences of a review that hold no match; a dropped sentence ends a run."""
    sentences = split_sentences(text)
    counts = [len(words(sentence)) for sentence in sentences]
    owner = [index for index, count in enumerate(counts) for _ in range(count)]
    leaked: set[int] = set()
    stream = words(text)
    # Eight words may straddle two sentences, so they are looked for in the whole review.
    for start in matcher.ngram_positions(stream):
        leaked.update(owner[start : start + 8])
        dropped[f"ngram {matcher.ngrams[' '.join(stream[start : start + 8])]}"] += 1
    runs: list[list[str]] = [[]]
    for index, sentence in enumerate(sentences):
        found = None if index in leaked else matcher.match(sentence)
        if found:
            dropped[" ".join(found)] += 1
        if found or index in leaked:
            runs.append([])
        else:
            runs[-1].append(sentence)
    return [run for run in runs if run]


def encode(tokenizer: BertWordPieceTokenizer, texts: list[str]) -> list[np.ndarray]:
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    return [np.asarray(item.ids, dtype=np.uint16) for item in encoded]


def pack(run: list[str], lengths: list[int]) -> list[str]:
    """Joins consecutive sentences into segments of at most LONG_TOKENS tokens; longer sentences are left out."""
    segments: list[str] = []
    current: list[str] = []
    total = 0
    for sentence, length in zip(run, lengths):
        if current and total + length > LONG_TOKENS:
            segments.append(" ".join(current))
            current, total = [], 0
        if length <= LONG_TOKENS:
            current.append(sentence)
            total += length
    if current:
        segments.append(" ".join(current))
    return segments


def save_tokens(work: Path, pool: str, encoded: list[np.ndarray]) -> int:
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(ids) for ids in encoded], out=offsets[1:])
    np.save(work / f"{pool}.tokens.npy", np.concatenate(encoded))
    np.save(work / f"{pool}.offsets.npy", offsets)
    return int(offsets[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--reviews", type=int, default=None, help="read only the first N reviews")
    parser.add_argument("--sentences", type=int, default=90_000, help="review sentences for the short pool")
    parser.add_argument("--train-texts", type=int, default=None, help="only the first N texts of each train split")
    parser.add_argument("--vocabulary", type=int, default=7_400)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    generator = random.Random(SEED)
    started = time.time()

    def progress(what: str) -> None:
        print(f"{time.time() - started:7.1f} s  {what}", flush=True)

    matcher = LeakageMatcher(evaluation_texts(options.data))
    dropped: Counter = Counter()
    train: dict[str, list[str]] = {}
    for name, texts in training_texts(options.data).items():
        kept = []
        for text in list(dict.fromkeys(texts))[: options.train_texts]:
            found = matcher.match(text)
            if found:
                dropped[" ".join(found)] += 1
            else:
                kept.append(text)
        train[name] = kept
        progress(f"{name}: {len(kept):,} of {len(texts):,} texts kept")

    runs: list[list[str]] = []
    for number, text in enumerate(reviews(options.data)):
        if options.reviews is not None and number >= options.reviews:
            break
        if number % 20_000 == 0:
            progress(f"review {number:,}")
        runs.extend(clean_runs(text, matcher, dropped))
    everything = [sentence for run in runs for sentence in run]
    progress(f"{len(everything):,} review sentences in {len(runs):,} runs")

    chosen = generator.sample(everything, min(options.sentences, len(everything)))
    vocabulary_texts = generator.sample(everything, min(160_000, len(everything)))
    for name, texts in train.items():
        vocabulary_texts.extend(texts * VOCABULARY_REPEATS[name])
    trainer = BertWordPieceTokenizer(lowercase=True)
    trainer.train_from_iterator(
        vocabulary_texts, vocab_size=options.vocabulary, min_frequency=2, limit_alphabet=ALPHABET, show_progress=False
    )
    trainer.save_model(str(options.work))
    tokenizer = tokenizer_of(options.work)
    progress(f"vocabulary of {tokenizer.get_vocab_size():,}")

    short_texts = list(dict.fromkeys([text for texts in train.values() for text in texts] + chosen))
    short = [(text, ids) for text, ids in zip(short_texts, encode(tokenizer, short_texts)) if 1 <= len(ids) <= SHORT_TOKENS]
    lengths = iter([len(ids) for ids in encode(tokenizer, everything)])
    long_texts = [segment for run in runs for segment in pack(run, [next(lengths) for _ in run])]
    # Joining sentences can bring two halves of a match together; such a segment goes as a whole.
    kept_long = []
    for text in long_texts:
        found = matcher.match(text)
        if found:
            dropped[" ".join(found)] += 1
        else:
            kept_long.append(text)
    long = [(text, ids) for text, ids in zip(kept_long, encode(tokenizer, kept_long)) if 16 <= len(ids) <= LONG_TOKENS]
    generator.shuffle(long)

    with (options.work / "corpus.tsv").open("w", encoding="utf-8") as file:
        for pool, items in (("short", short), ("long", long)):
            for text, _ in items:
                file.write(f"{pool}\t{text}\n")
    tokens = {pool: save_tokens(options.work, pool, [ids for _, ids in items]) for pool, items in (("short", short), ("long", long))}
    summary = {
        "seed": SEED,
        "versions": {"tokenizers": tokenizers.__version__, "numpy": np.__version__},
        "train_texts": {name: len(texts) for name, texts in train.items()},
        "segments": {"short": len(short), "long": len(long)},
        "tokens": tokens,
        "dropped": dict(sorted(dropped.items())),
    }
    (options.work / "corpus.json").write_text(json.dumps(summary, indent=2) + "\n")
    progress(json.dumps(summary))


if __name__ == "__main__":
    main()
