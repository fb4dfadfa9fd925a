"""Writes test/golden/methods.json: for every method, what one and five training steps on test/golden/bert give.

No tensor is stored. The encoder's start as in the checkpoint; those that a method adds, and the head, follow a formula that any
language repeats to the bit (`starting_tensor`, as in minilm_curve.py). A tensor that comes out is summed up as `[norm, p0, p1,
p2]`: its norm and its products with three vectors of ±1, in row-major order, the k-th of which has +1 where bit 0 of
mix(i ^ mix(1000 + k)) is set. An error in any element shows in all three.

Run: python test/golden/methods.py       (needs adapters 1.2.0 and peft: README.md beside this file)
"""

import json
import math
from pathlib import Path

import torch

from methods_libraries import library_logits
from methods_model import Method, added_shapes, logits_of, pretrained_names
from minilm_curve import mix
from reference_model import (
    AuthorsAdamW,
    backward,
    clip_gradients,
    layer_norm_names,
    learning_rate_at,
    load_checkpoint,
    loss_of,
    padded,
)

HERE = Path(__file__).parent
STEPS = 5
PEAK_LEARNING_RATE = 1e-3
CLASSES = 3
ALL_TARGETS = ["query", "key", "value", "attention.output", "intermediate", "output"]

# name → (method, which LayerNorms are trained, layers that are adapted)
CASES = {
    "houlsby, upper layer": (Method("houlsby", {"bottleneck": 8, "activation": "swish"}), "all", [1]),
    "pfeiffer": (Method("pfeiffer", {"bottleneck": 8, "activation": "relu"}), "none", [0, 1]),
    "pfeiffer, LayerNorms": (Method("pfeiffer", {"bottleneck": 6, "activation": "gelu_tanh"}), "all", [0, 1]),
    "parallel": (Method("parallel", {"bottleneck": 8, "activation": "relu", "scaling": 4}), "none", [0, 1]),
    "lora": (Method("lora", {"rank": 4, "alpha": 8, "targets": ["query", "value"]}), "none", [0, 1]),
    "lora, all products": (Method("lora", {"rank": 3, "alpha": 4.5, "targets": ALL_TARGETS}), "none", [0, 1]),
    "lora, keys, LayerNorms": (Method("lora", {"rank": 2, "alpha": 2, "targets": ["key"]}), "all", [1]),
    "ia3": (Method("ia3"), "none", [0, 1]),
    "bitfit": (Method("bitfit"), "biases", [0, 1]),
    "layer-norm": (Method("layer-norm"), "all", [0, 1]),
    "full": (Method("full"), "all", [0, 1]),
    "top-k": (Method("top-k", {"topK": 1}), "all", [1]),
    "head": (Method("head"), "none", []),
}


def starting_tensor(name, ordinal, shape):
    """f32(offset + scale · ((mix(i ^ mix(ordinal)) + 0.5) / 2^31 − 1)); factors of (IA)³ are around 1."""
    offset, scale = (1, 0.5) if name.endswith(".ia3") else (0, 0.2)
    index = torch.arange(math.prod(shape), dtype=torch.int64)
    uniform = (mix(index ^ mix(ordinal)).double() + 0.5) / 2**31 - 1
    return (offset + scale * uniform).float().reshape(shape)


def trained_names(config, method, layer_norms, layers):
    """The tensors that are trained, sorted. The head always is."""
    lowest = layers[0] if layers else config["num_hidden_layers"]
    parts = {"all": ("weight", "bias"), "biases": ("bias",), "none": ()}[layer_norms]
    names = {"classifier.weight", "classifier.bias", *added_shapes(config, method, layers)}
    for norm in layer_norm_names(config):
        layer = int(norm.split(".")[1]) if norm.startswith("layer.") else -1
        if lowest == 0 or layer >= lowest:
            names |= {f"{norm}.{part}" for part in parts}
    for name in pretrained_names(config):
        if "layer_norm" in name:
            continue
        is_pooler, is_embedding = name.startswith("pooler."), name.startswith("embeddings.")
        is_chosen = is_pooler or (not is_embedding and int(name.split(".")[1]) in layers)
        if method.kind == "full" or (method.kind == "top-k" and is_chosen):
            names.add(name)
        if method.kind == "bitfit" and is_chosen and name.endswith(".bias"):
            names.add(name)
    return sorted(names)


def starting_tensors(config, backbone, method, layers):
    """All tensors in float64, and of those that the formula fills: name → ordinal, which counts from 1 in sorted order."""
    shapes = {
        **added_shapes(config, method, layers),
        "classifier.weight": (CLASSES, config["hidden_size"]),
        "classifier.bias": (CLASSES,),
    }
    ordinals = {name: ordinal for ordinal, name in enumerate(sorted(shapes), start=1)}
    tensors = {ours: backbone[theirs].double() for ours, theirs in pretrained_names(config).items()}
    for name, ordinal in ordinals.items():
        tensors[name] = starting_tensor(name, ordinal, shapes[name]).double()
    return tensors, ordinals


def summary(tensor):
    """[norm, p0, p1, p2]"""
    values = tensor.detach().flatten()
    index = torch.arange(values.numel(), dtype=torch.int64)
    signs = [(mix(index ^ mix(1000 + k)) & 1) * 2 - 1 for k in range(3)]
    return [values.norm().item(), *((values * sign).sum().item() for sign in signs)]


def decays(name):
    return not name.endswith((".bias", ".ia3")) and ".layer_norm." not in name


class MethodsAdamW(AuthorsAdamW):
    """The same, but factors of (IA)³ do not decay either: they would be pulled to 0."""

    @torch.no_grad()
    def step(self, rate):
        kept = {name: p.clone() for name, p in self.parameters.items() if name.endswith(".ia3")}
        super().step(rate)
        for name, before in kept.items():
            self.parameters[name] += rate * self.weight_decay * before


def run(config, backbone, case, batch, labels):
    method, layer_norms, layers = case
    tensors, ordinals = starting_tensors(config, backbone, method, layers)
    parameters = {
        name: tensors[name].clone().requires_grad_() for name in trained_names(config, method, layer_norms, layers)
    }
    tensors.update(parameters)
    result = {
        "method": method.kind,
        "options": method.options,
        "layerNorm": layer_norms,
        "layers": layers,
        "ordinals": ordinals,
    }
    optimizer, losses, norms = MethodsAdamW(parameters), [], []
    for step in range(STEPS):
        logits = logits_of(config, tensors, method, *batch)
        loss = loss_of(logits, labels)
        backward(parameters, loss)
        if step == 0:
            result["logits"] = logits.tolist()
            result["gradients"] = {name: summary(p.grad) for name, p in parameters.items()}
        norms.append(clip_gradients(parameters))
        losses.append(loss.item())
        optimizer.step(learning_rate_at(step, STEPS, PEAK_LEARNING_RATE))
    result["losses"], result["gradientNorms"] = losses, norms
    result["parameters"] = {name: summary(p) for name, p in parameters.items()}
    return result, tensors


def main():
    torch.set_num_threads(1)
    config, backbone = load_checkpoint(HERE / "bert" / "checkpoint", torch.float64)
    inputs = json.loads((HERE / "bert" / "batch.json").read_text())
    batch, labels = padded(inputs["sequences"]), torch.tensor(inputs["labels"])
    results = {}
    for name, case in CASES.items():
        results[name], tensors = run(config, backbone, case, batch, labels)
        method, _, layers = case
        with torch.no_grad():
            ours = logits_of(config, tensors, method, *batch)
        difference = (ours - library_logits(config, tensors, method, layers, *batch)).abs().max().item()
        assert difference < 1e-6, f"{name}: differs from the library by {difference}"
        print(
            f"{name}: {len(results[name]['gradients'])} tensors, losses {results[name]['losses']}, "
            f"difference from the library {difference:.1e}"
        )
    about = {"steps": STEPS, "peakLearningRate": PEAK_LEARNING_RATE}
    (HERE / "methods.json").write_text(json.dumps({**about, "cases": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
