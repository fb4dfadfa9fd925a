"""Batches of token ids for pretraining: buckets of like length, masks for masked-language modelling, word alignment.

Every batch is a function of the seed and of its place in the run alone, so a resumed run sees what an unbroken one does.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from common import SEED, SHAPE

PAD, CLS, SEP, MASK = 0, 2, 3, 4
FIRST_WORD = 5  # the vocabulary begins with [PAD] [UNK] [CLS] [SEP] [MASK]
MASK_RATE = 0.15
# A quarter of the segments keeps all its words: the sentence embedding is to be learnt on whole sentences too.
UNMASKED = 0.25
_BUCKET = 8192


@dataclass
class Batch:
    ids: torch.Tensor  # [B, T] masked token ids
    type_ids: torch.Tensor  # [B, T] 0, or 1 after the first [SEP] of a pair
    attention: torch.Tensor  # [B, T] 1 inside a segment
    labels: torch.Tensor  # [B, T] the token to restore, -100 elsewhere
    segments: np.ndarray  # [B] rows of the pool
    words: torch.Tensor | None  # [B, T] row of the token's word in teacher.words.npy, -1 for none

    @property
    def tokens(self) -> int:
        return int(self.attention.sum())


class Pool:
    """The segments of one pool as memory-mapped arrays, served in shuffled batches of like length."""

    def __init__(self, work: Path, name: str, vocabulary: int, first: str, budget: int):
        self.tokens = np.load(work / f"{name}.tokens.npy", mmap_mode="r")
        self.offsets = np.load(work / f"{name}.offsets.npy")
        words = work / f"{name}.words.npy"
        self.words = np.load(words, mmap_mode="r") if words.exists() else None
        self.count = len(self.offsets) - 1
        self.vocabulary = vocabulary
        self.pairs = first == "pairs"
        self.budget = budget
        lines = (work / "vocab.txt").read_text(encoding="utf-8").split("\n")
        self._sentence_ends = np.array([lines.index(mark) for mark in (".", "!", "?") if mark in lines])
        self._epoch = -1
        self._batches: list[np.ndarray] = []

    def limit(self, count: int) -> None:
        """Serve the first `count` segments only."""
        self.count = min(self.count, count)
        self._epoch = -1

    def _plan(self, epoch: int) -> None:
        generator = np.random.default_rng((SEED, epoch, self.pairs))
        order = generator.permutation(self.count)
        lengths = np.diff(self.offsets)
        batches: list[np.ndarray] = []
        for start in range(0, self.count, _BUCKET):
            bucket = order[start : start + _BUCKET]
            bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
            begin = 0
            for end in range(1, len(bucket) + 1):
                # +3: [CLS] and one or two [SEP]
                if end == len(bucket) or (end - begin + 1) * (lengths[bucket[end]] + 3) > self.budget:
                    batches.append(bucket[begin:end])
                    begin = end
        self._batches = [batches[index] for index in generator.permutation(len(batches))]
        self._epoch = epoch

    def next(self, position: tuple[int, int]) -> tuple[Batch, tuple[int, int]]:
        """The batch at (epoch, index), and the position after it."""
        epoch, index = position
        if self._epoch != epoch:
            self._plan(epoch)
        batch = self._collate(self._batches[index], np.random.default_rng((SEED, epoch, index, self.pairs)))
        index += 1
        return batch, (epoch, index) if index < len(self._batches) else (epoch + 1, 0)

    def _split(self, ids: np.ndarray, generator: np.random.Generator) -> int | None:
        """Where half of the long segments become a pair: after a sentence's end."""
        # A pair takes one [SEP] more, which the longest segments have no position for.
        if not self.pairs or len(ids) + 3 > SHAPE["max_position_embeddings"] or generator.random() < 0.5:
            return None
        ends = np.flatnonzero(np.isin(ids[:-1], self._sentence_ends))
        return int(generator.choice(ends)) + 1 if len(ends) else None

    def _collate(self, segments: np.ndarray, generator: np.random.Generator) -> Batch:
        rows, types, words = [], [], []
        for segment in segments:
            begin, end = self.offsets[segment], self.offsets[segment + 1]
            ids = np.asarray(self.tokens[begin:end], dtype=np.int64)
            split = self._split(ids, generator)
            if split is None:
                rows.append(np.concatenate([[CLS], ids, [SEP]]))
                types.append(np.zeros(len(ids) + 2, dtype=np.int64))
            else:
                rows.append(np.concatenate([[CLS], ids[:split], [SEP], ids[split:], [SEP]]))
                types.append(np.repeat([0, 1], [split + 2, len(ids) - split + 1]))
            if self.words is not None:
                words.append(np.concatenate([[-1], self.words[begin:end], [-1]]))
        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), PAD, dtype=np.int64)
        type_ids = np.zeros_like(ids)
        attention = np.zeros_like(ids)
        word_rows = np.full_like(ids, -1)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            type_ids[index, : len(row)] = types[index]
            attention[index, : len(row)] = 1
            if words:
                word_rows[index, : len(row)] = words[index]
        masked = (generator.random(ids.shape) < MASK_RATE) & (ids >= FIRST_WORD)
        masked &= (generator.random(len(rows)) >= UNMASKED)[:, None]
        # Devlin et al. 2019: 80% [MASK], 10% a random token, 10% left as it is.
        labels = np.where(masked, ids, -100)
        kind = generator.random(ids.shape)
        random_ids = generator.integers(FIRST_WORD, self.vocabulary, ids.shape)
        inputs = np.where(masked & (kind < 0.8), MASK, np.where(masked & (kind >= 0.9), random_ids, ids))
        return Batch(
            torch.from_numpy(inputs),
            torch.from_numpy(type_ids),
            torch.from_numpy(attention),
            torch.from_numpy(labels),
            segments,
            torch.from_numpy(word_rows) if words else None,
        )
