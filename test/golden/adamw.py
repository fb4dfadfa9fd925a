"""Writes adamw.json: 20 steps of AdamW in PyTorch, with warm-up, decay of the learning rate, decay groups and clipping.

    python test/golden/adamw.py

Parameters and gradients follow from whole numbers, by the formulas below, which test/training/optimizer.test.ts repeats;
the file holds results only. Needs torch and transformers (made with torch 2.13.0, transformers 4.57.6).
"""

import json
import pathlib

import torch
from transformers import get_linear_schedule_with_warmup

SEGMENTS = [
    {"offset": 0, "length": 130, "decay": True},
    {"offset": 192, "length": 3, "decay": False},
    {"offset": 256, "length": 65, "decay": True},
    {"offset": 384, "length": 17, "decay": False},
]
STEPS, WARMUP, PEAK, WEIGHT_DECAY, EPSILON, CLIP = 20, 4, 0.01, 0.1, 1e-6, 1.0
KEPT = [1, 2, 5, 10, 20]


def parameter(i):
    return ((i * 7919 + 13) % 1009 - 504) / 5040


def gradient(step, i):
    # Every third gradient has a norm of about 8 and is clipped, the others one of about 0.4.
    scale = 1.0 if step % 3 == 0 else 0.05
    return ((step * 104729 + i * 7919 + step * i * 31) % 2003 - 1001) / 1001 * scale


class AdamWeightDecay(torch.optim.Optimizer):
    """AdamW without bias correction: google-research/bert, optimization.py, restated."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * p.grad
                v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * p.grad**2
                p -= group["lr"] * (m / (v.sqrt() + EPSILON) + group["weight_decay"] * p)


def run(bias_correction):
    tensors = [
        torch.tensor([parameter(s["offset"] + k) for k in range(s["length"])], requires_grad=True) for s in SEGMENTS
    ]
    groups = [
        {"params": [t for t, s in zip(tensors, SEGMENTS) if s["decay"]], "weight_decay": WEIGHT_DECAY},
        {"params": [t for t, s in zip(tensors, SEGMENTS) if not s["decay"]], "weight_decay": 0.0},
    ]
    if bias_correction:
        optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.999), eps=EPSILON)
    else:
        optimizer = AdamWeightDecay(groups, {"lr": PEAK})
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    norms, rates, parameters = [], [], {}
    for step in range(STEPS):
        for t, s in zip(tensors, SEGMENTS):
            t.grad = torch.tensor([gradient(step, s["offset"] + k) for k in range(s["length"])])
        norms.append(torch.nn.utils.clip_grad_norm_(tensors, CLIP).item())
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
        if step + 1 in KEPT:
            parameters[step + 1] = [float(f"{x:.9g}") for t in tensors for x in t.tolist()]
    return {"norms": norms, "learningRates": rates, "parameters": parameters}


torch.set_num_threads(1)
golden = {
    "segments": SEGMENTS,
    "steps": STEPS,
    "warmupSteps": WARMUP,
    "peak": PEAK,
    "weightDecay": WEIGHT_DECAY,
    "epsilon": EPSILON,
    "clipNorm": CLIP,
    "corrected": run(True),
    "uncorrected": run(False),
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
