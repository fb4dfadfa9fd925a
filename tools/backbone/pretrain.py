#!/usr/bin/env python3
"""Trains graft-mini from random weights: masked-language modelling and distillation from all-MiniLM-L6-v2.

Each step sees one batch of the short pool (masked words, and the teacher's sentence embeddings and word states) and,
every --long-every steps, one of the long pool (masked words alone), in bfloat16 with f32 master weights. The learning rate rises over --warmup steps
and falls linearly to zero. The end is a number of tokens or a number of minutes on the clock, whichever comes first:
on a machine shared with others the clock decides, and a paused process loses steps, not its schedule.

Writes WORK/checkpoint.pt every --save seconds and at the end; started again, it goes on from there, and the minutes
count on from the first start. WORK/pretrain.jsonl gets one line of losses per --report steps.
Usage: pretrain.py --minutes M [--tokens N] [--work DIR] [--teacher DIR] [--threads N] [--rate LR]
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file

from batches import FIRST_WORD, Pool
from common import SEED, TEACHER, WORK, model_config
from student import WEIGHTS, Student

LEXICON_SAMPLE = 1024


def lexicon(work: Path, teacher: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens that both vocabularies hold: the student's ids `[n]` and the teacher's centred embeddings `[n, W]`."""
    own = (work / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    theirs = {token: row for row, token in enumerate((teacher / "vocab.txt").read_text(encoding="utf-8").split("\n"))}
    shared = [(row, theirs[token]) for row, token in enumerate(own) if row >= FIRST_WORD and token in theirs]
    rows = torch.tensor(shared)
    weights = load_file(teacher / "model.safetensors")["embeddings.word_embeddings.weight"].float()[rows[:, 1]]
    return rows[:, 0], weights - weights.mean(0)


def parameter_groups(model: torch.nn.Module, decay: float) -> list[dict]:
    """Weight decay on matrices alone, as usual for BERT."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def save(path: Path, state: dict) -> None:
    """All or nothing: a stopped run must find a whole checkpoint."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--teacher", type=Path, default=TEACHER)
    parser.add_argument("--minutes", type=float, required=True, help="length of the run on the clock")
    parser.add_argument("--tokens", type=float, default=float("inf"), help="end after so many tokens")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--warmup", type=int, default=150, help="steps")
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument("--short-budget", type=int, default=2048, help="padded tokens of a short batch")
    parser.add_argument("--long-budget", type=int, default=1536, help="padded tokens of a long batch")
    parser.add_argument("--long-every", type=int, default=1, help="steps from one long batch to the next")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", type=float, default=180, help="seconds between checkpoints")
    parser.add_argument("--report", type=int, default=50, help="steps between reports")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)

    vocabulary = len((options.work / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n"))
    short = Pool(options.work, "short", vocabulary, "single", options.short_budget)
    long = Pool(options.work, "long", vocabulary, "pairs", options.long_budget)
    short.limit(json.loads((options.work / "teacher.json").read_text())["done"])
    sentences = np.load(options.work / "teacher.sentences.npy", mmap_mode="r")
    word_states = np.load(options.work / "teacher.words.npy", mmap_mode="r")
    word_mean = torch.from_numpy(word_states[:100_000].astype(np.float32).mean(0))
    shared, shared_embeddings = lexicon(options.work, options.teacher)

    model = Student(model_config(vocabulary), sentences.shape[1])
    optimizer = torch.optim.AdamW(parameter_groups(model, options.decay), lr=options.rate, betas=(0.9, 0.98), eps=1e-6)
    state = {"step": 0, "tokens": 0, "short": (0, 0), "long": (0, 0), "began": time.time()}
    checkpoint = options.work / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        state = saved["state"]
        print(f"going on at step {state['step']:,}", flush=True)

    def everything() -> dict:
        versions = {"torch": str(torch.__version__), "transformers": transformers.__version__}
        return {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "state": state,
            "versions": versions,
            "options": {key: str(value) for key, value in vars(options).items()},
        }

    model.train()
    recent: dict[str, list[float]] = {}
    saved_at = reported_at = time.time()
    tokens_then = state["tokens"]
    while True:
        elapsed = (time.time() - state["began"]) / 60
        progress = max(elapsed / options.minutes, state["tokens"] / options.tokens)
        if progress >= 1:
            break
        rate = options.rate * min(1, (state["step"] + 1) / options.warmup) * (1 - progress)
        for group in optimizer.param_groups:
            group["lr"] = rate

        short_batch, state["short"] = short.next(state["short"])
        sample = torch.randint(len(shared), (LEXICON_SAMPLE,), generator=torch.Generator().manual_seed(state["step"]))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states, pooled = model(short_batch)
            target = torch.from_numpy(sentences[short_batch.segments].astype(np.float32))
            losses = model.distillation_losses(short_batch, states, pooled, target, word_states, word_mean)
            losses["lexicon"] = model.lexicon_loss(shared[sample], shared_embeddings[sample])
            total = sum(WEIGHTS[name] * loss for name, loss in losses.items())
            if (short_batch.labels >= 0).any():
                losses["mlm short"] = model.masked_language_loss(states, short_batch.labels)
                total = total + 0.5 * WEIGHTS["mlm"] * losses["mlm short"]
        total.backward()
        state["tokens"] += short_batch.tokens
        if state["step"] % options.long_every == 0:
            long_batch, state["long"] = long.next(state["long"])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                states, _ = model(long_batch)
                losses["mlm long"] = model.masked_language_loss(states, long_batch.labels)
                (0.5 * WEIGHTS["mlm"] * losses["mlm long"]).backward()
            state["tokens"] += long_batch.tokens
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        state["step"] += 1
        for name, loss in losses.items():
            recent.setdefault(name, []).append(loss.item())
        if state["step"] % options.report == 0:
            now = time.time()
            report = {
                "step": state["step"],
                "tokens": state["tokens"],
                "progress": round(progress, 4),
                "rate": round(rate, 7),
                "tokens_per_second": round((state["tokens"] - tokens_then) / (now - reported_at)),
                **{name: round(sum(values) / len(values), 4) for name, values in recent.items()},
            }
            print(json.dumps(report), flush=True)
            with (options.work / "pretrain.jsonl").open("a") as file:
                file.write(json.dumps(report) + "\n")
            recent, reported_at, tokens_then = {}, now, state["tokens"]
        if time.time() - saved_at > options.save:
            save(checkpoint, everything())
            saved_at = time.time()
    save(checkpoint, everything())
    print(f"done: {state['step']:,} steps, {state['tokens']:,} tokens", flush=True)


if __name__ == "__main__":
    main()
