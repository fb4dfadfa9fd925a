#!/usr/bin/env python3
"""Embeds the short pool with the teacher (all-MiniLM-L6-v2) once, so that pretraining only reads arrays.

Reads WORK/corpus.tsv, writes into WORK:
  teacher.sentences.npy  f16 [segments, 384]  mean of the token states, normalised: the model's sentence embedding
  teacher.words.npy      f16 [words, 384]     mean of the last states of each word's pieces
  short.words.npy        i32 [tokens]         for every token of short.tokens.npy the row of its word in teacher.words
Teacher and student split a text into words alike (the same normaliser and pre-tokeniser) and only then into pieces of
their own vocabularies, so words are where the states of both can be compared.

Runs in bfloat16, in chunks; a run that was stopped goes on at the last full chunk.
Usage: teacher.py [--teacher DIR] [--work DIR] [--threads N]
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from transformers import BertModel

from common import TEACHER, WORK, tokenizer_of

CHUNK = 4096
BATCH_TOKENS = 4096
MAX_TOKENS = 128


def read_short(work: Path) -> list[str]:
    with (work / "corpus.tsv").open(encoding="utf-8") as lines:
        rows = (line.rstrip("\n").split("\t", 1) for line in lines)
        return [text for pool, text in rows if pool == "short"]


def length_batches(lengths: list[int], budget: int) -> list[list[int]]:
    """Indices in batches of similar length whose padded size stays within the budget of tokens."""
    batches: list[list[int]] = []
    current: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if current and (len(current) + 1) * lengths[index] > budget:
            batches.append(current)
            current = []
        current.append(index)
    if current:
        batches.append(current)
    return batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, default=TEACHER)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = BertModel.from_pretrained(options.teacher, add_pooling_layer=False).to(torch.bfloat16).eval()
    width = model.config.hidden_size
    teacher_tokenizer = tokenizer_of(options.teacher)
    student_tokenizer = tokenizer_of(options.work)
    texts = read_short(options.work)

    offsets = np.load(options.work / "short.offsets.npy")
    words_of_token = np.full(offsets[-1], -1, dtype=np.int32)
    word_counts = np.zeros(len(texts) + 1, dtype=np.int64)
    teacher_encodings = []
    for start in range(0, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        for index, student, teacher in zip(
            range(start, start + CHUNK),
            student_tokenizer.encode_batch(part, add_special_tokens=False),
            teacher_tokenizer.encode_batch(part),
        ):
            ids = teacher.ids[:MAX_TOKENS]
            # word_ids is None for [CLS] and [SEP]
            word_ids = [-1 if word is None else word for word in teacher.word_ids[:MAX_TOKENS]]
            count = max(word_ids, default=-1) + 1
            base = word_counts[index]
            word_counts[index + 1] = base + count
            words = np.asarray(student.word_ids, dtype=np.int64)
            words_of_token[offsets[index] : offsets[index + 1]] = np.where(words < count, base + words, -1)
            teacher_encodings.append((ids, word_ids))
    np.save(options.work / "short.words.npy", words_of_token)

    # np.save would need all of it in memory; a memory map also keeps what a stopped run has done.
    state = options.work / "teacher.json"
    done = json.loads(state.read_text())["done"] if state.exists() else 0
    mode = "r+" if done else "w+"
    sentences = np.lib.format.open_memmap(
        options.work / "teacher.sentences.npy", mode, np.float16, (len(texts), width)
    )
    word_states = np.lib.format.open_memmap(
        options.work / "teacher.words.npy", mode, np.float16, (int(word_counts[-1]), width)
    )
    started = time.time()
    first = done
    for start in range(done, len(texts), CHUNK):
        chunk = teacher_encodings[start : start + CHUNK]
        for batch in length_batches([len(ids) for ids, _ in chunk], BATCH_TOKENS):
            longest = max(len(chunk[row][0]) for row in batch)
            ids = torch.zeros(len(batch), longest, dtype=torch.long)
            mask = torch.zeros(len(batch), longest, dtype=torch.long)
            owner = torch.full((len(batch), longest), -1, dtype=torch.long)
            for row, index in enumerate(batch):
                size = len(chunk[index][0])
                ids[row, :size] = torch.tensor(chunk[index][0])
                mask[row, :size] = 1
                owner[row, :size] = torch.tensor(chunk[index][1])
            with torch.inference_mode():
                states = model(ids, attention_mask=mask).last_hidden_state.float()
                weights = mask.unsqueeze(-1).float()
                pooled = F.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)
            pooled_numpy = pooled.numpy().astype(np.float16)
            for row, index in enumerate(batch):
                sentences[start + index] = pooled_numpy[row]
                base, end = word_counts[start + index], word_counts[start + index + 1]
                inside = owner[row] >= 0
                total = torch.zeros(int(end - base), width).index_add_(0, owner[row][inside], states[row][inside])
                pieces = torch.bincount(owner[row][inside], minlength=int(end - base)).clamp(min=1)
                word_states[base:end] = (total / pieces.unsqueeze(-1)).numpy().astype(np.float16)
        done = min(start + CHUNK, len(texts))
        sentences.flush()
        word_states.flush()
        state.write_text(json.dumps({"done": done, "torch": str(torch.__version__)}) + "\n")
        rate = (done - first) / (time.time() - started)
        print(f"{done:,} of {len(texts):,} segments, {rate:.0f} a second", flush=True)


if __name__ == "__main__":
    main()
