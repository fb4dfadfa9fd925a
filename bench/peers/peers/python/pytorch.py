"""PyTorch as a contestant: the model of test/golden/reference_model.py, f32, a thread for each processor."""

import json
import os
import sys
import time
from pathlib import Path

from serve import serve

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "test" / "golden"))

# As in step-recipe.ts and training-recipe.ts.
LEARNING_RATE = 1e-4
BATCH_SIZE = 32
DROPOUT = 0.1
STEPS_PER_ROUND = 10
PEAK_LEARNING_RATE = 3e-4


def open_model(job, outputs, dropout):
    """(config, backbone, parameters) of the inputs, the probabilities of all dropouts replaced by `dropout`."""
    import torch
    from reference_model import load_checkpoint, trainable_names
    from safetensors.torch import load_file

    inputs = Path(job["inputs"])
    torch.set_num_threads(int(job["settings"].get("threads", os.cpu_count())))
    torch.manual_seed(0)
    config, backbone = load_checkpoint(inputs / "encoder", torch.float32)
    config = {**config, "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    values = load_file(inputs / f"parameters-{outputs}.safetensors")
    parameters = {name: values[name].requires_grad_() for name in trainable_names(config)}
    setup = f"PyTorch {torch.__version__}, f32, {torch.get_num_threads()} threads"
    return config, backbone, parameters, setup


def step(job):
    import torch
    from reference_model import AuthorsAdamW, backward, logits_of, loss_of
    from safetensors.torch import load_file

    inputs = Path(job["inputs"])
    config, backbone, parameters, setup = open_model(job, 2, 0.0)
    batch = load_file(inputs / "step.safetensors")
    ids, labels = batch["ids"].long(), batch["labels"].long()
    type_ids, mask = torch.zeros_like(ids), torch.ones_like(ids, dtype=torch.bool)
    optimizer = AuthorsAdamW(parameters)

    def forward_backward():
        loss = loss_of(logits_of(config, backbone, parameters, ids, type_ids, mask), labels)
        backward(parameters, loss)
        return loss.item()

    def measure():
        started = time.perf_counter()
        loss = forward_backward()
        optimizer.step(LEARNING_RATE)
        return {"milliseconds": (time.perf_counter() - started) * 1000, "value": loss}

    loss = forward_backward()
    return setup, [loss, *(parameters[name].grad.norm().item() for name in sorted(parameters))], measure


def training(job):
    import torch
    from reference_model import (
        AuthorsAdamW,
        backward,
        clip_gradients,
        learning_rate_at,
        logits_of,
        loss_of,
        padded,
    )

    inputs = Path(job["inputs"])
    data = json.loads((inputs / f"{job['settings']['data']}.json").read_text())
    examples = data["examples"]
    config, backbone, parameters, setup = open_model(job, data["outputs"], DROPOUT)
    kind = torch.float32 if data["kind"] == "regression" else torch.int64
    optimizer = AuthorsAdamW(parameters)
    batches = [examples[at : at + BATCH_SIZE] for at in range(0, len(examples), BATCH_SIZE)]

    def loss_on(batch, is_training):
        targets = torch.tensor([example["label"] for example in batch], dtype=kind)
        return loss_of(logits_of(config, backbone, parameters, *padded(batch), is_training), targets)

    done = 0

    def measure():
        nonlocal done
        started = time.perf_counter()
        for _ in range(STEPS_PER_ROUND):
            backward(parameters, loss_on(batches[done], True))
            clip_gradients(parameters)
            optimizer.step(learning_rate_at(done, len(batches), PEAK_LEARNING_RATE))
            done += 1
        return {"milliseconds": (time.perf_counter() - started) * 1000}

    with torch.no_grad():
        check = [loss_on(batches[0], False).item()]
    return f"{setup}, padded", check, measure


if __name__ == "__main__":
    serve({"step": step, "training": training})
