"""Writes test/golden/composition.json: stacks and means of adapters, as `adapters` 1.2.0 computes them on test/golden/bert in float64.

A stack: the logits `[B, C]` and the loss of Stack('lower', 'upper'), and the gradients of what the upper one trains, as in
methods.json: summaries of tensors whose values follow its formula. A mean: what average_adapter makes of two or three adapters.

Run: python test/golden/composition.py       (needs what methods.py needs: README.md beside this file)
"""

import json
import re
from pathlib import Path

import adapters
import torch
from adapters import DoubleSeqBnConfig, LoRAConfig, SeqBnConfig
from adapters.composition import Stack

from methods import CLASSES, starting_tensor, summary
from methods_libraries import NON_LINEARITIES, plain_model
from methods_model import Method, added_shapes, pretrained_names
from reference_model import load_checkpoint, loss_of, padded

HERE = Path(__file__).parent
SITES = {"attention.output": "attention", "output": "output"}

# name → (lower, its layers, upper, its layers)
STACKS = {
    "pfeiffer on pfeiffer": (
        (Method("pfeiffer", {"bottleneck": 6, "activation": "gelu_tanh"}), [0, 1]),
        (Method("pfeiffer", {"bottleneck": 8, "activation": "relu"}), [0, 1]),
    ),
    "houlsby on pfeiffer": (
        (Method("pfeiffer", {"bottleneck": 8, "activation": "relu"}), [0, 1]),
        (Method("houlsby", {"bottleneck": 5, "activation": "gelu_tanh"}), [0, 1]),
    ),
    "pfeiffer on houlsby, upper layer": (
        (Method("houlsby", {"bottleneck": 8, "activation": "swish"}), [0, 1]),
        (Method("pfeiffer", {"bottleneck": 8, "activation": "relu"}), [1]),
    ),
    "houlsby on houlsby, lower one in one layer": (
        (Method("houlsby", {"bottleneck": 8, "activation": "gelu_tanh"}), [1]),
        (Method("houlsby", {"bottleneck": 8, "activation": "gelu_tanh"}), [0, 1]),
    ),
}

# name → (method, weights or None, how many)
MEANS = {
    "pfeiffer": (Method("pfeiffer", {"bottleneck": 8, "activation": "relu"}), [1, 3], 2),
    "houlsby": (Method("houlsby", {"bottleneck": 4, "activation": "gelu_tanh"}), None, 3),
    "lora": (Method("lora", {"rank": 4, "alpha": 8, "targets": ["query", "value"]}), [0.5, 0.25, 0.75], 3),
}


def filled(shapes, first):
    """Tensors by the formula in float64, and their ordinals: `first` + 1, … in sorted order."""
    ordinals = {name: first + number for number, name in enumerate(sorted(shapes), start=1)}
    return {name: starting_tensor(name, ordinals[name], shapes[name]).double() for name in shapes}, ordinals


def config_of(config, method, layers):
    if method.kind == "lora":
        return LoRAConfig(
            r=method.options["rank"], alpha=method.options["alpha"], attn_matrices=["q", "v"], leave_out=[]
        )
    kind = {"houlsby": DoubleSeqBnConfig, "pfeiffer": SeqBnConfig}[method.kind]
    return kind(
        reduction_factor=config["hidden_size"] / (method.options["bottleneck"] + 0.5),
        non_linearity=NON_LINEARITIES[method.options["activation"]],
        leave_out=[i for i in range(config["num_hidden_layers"]) if i not in layers],
    )


def parameters_of(model, adapter):
    """Graft's name → parameter."""
    found = {}
    for name, parameter in model.named_parameters():
        bottleneck = re.search(
            rf"layer\.(\d+)\.(attention\.output|output)\.adapters\.{adapter}\.adapter_(down|up)\.(?:0\.)?(weight|bias)$",
            name,
        )
        lora = re.search(rf"layer\.(\d+)\.attention\.self\.(\w+)\.loras\.{adapter}\.lora_([AB])$", name)
        if bottleneck is not None:
            layer, site, part, kind = bottleneck.groups()
            found[f"layer.{layer}.{SITES[site]}.adapter.{part}.{kind}"] = parameter
        if lora is not None:
            layer, target, part = lora.groups()
            found[f"layer.{layer}.attention.{target}.lora_{part.lower()}"] = parameter
    return found


def fill(model, adapter, tensors):
    parameters = parameters_of(model, adapter)
    assert sorted(parameters) == sorted(tensors), (sorted(parameters), sorted(tensors))
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])


def backbone_model(config, backbone):
    tensors = {ours: backbone[theirs].double() for ours, theirs in pretrained_names(config).items()}
    head, ordinals = filled(
        {"classifier.weight": (CLASSES, config["hidden_size"]), "classifier.bias": (CLASSES,)}, 900
    )
    model = plain_model(config, {**tensors, **head})
    adapters.init(model)
    return model, ordinals


def stack(config, backbone, case, batch, labels):
    model, head_ordinals = backbone_model(config, backbone)
    levels = {}
    for number, (name, (method, layers)) in enumerate(zip(("lower", "upper"), case)):
        model.add_adapter(name, config_of(config, method, layers))
        tensors, ordinals = filled(added_shapes(config, method, layers), 100 * number)
        model.double()
        fill(model, name, tensors)
        levels[name] = {"method": method.kind, "options": method.options, "layers": layers, "ordinals": ordinals}
    model.set_active_adapters(Stack("lower", "upper"))
    model.eval()
    ids, type_ids, mask = batch
    trained = {
        **parameters_of(model, "upper"),
        "classifier.weight": model.classifier.weight,
        "classifier.bias": model.classifier.bias,
    }
    for parameter in trained.values():
        parameter.requires_grad_()
    logits = model(ids, mask.long(), type_ids).logits
    loss = loss_of(logits, labels)
    gradients = torch.autograd.grad(loss, list(trained.values()))
    return {
        **levels,
        "headOrdinals": head_ordinals,
        "logits": logits.tolist(),
        "loss": loss.item(),
        "gradients": {name: summary(gradient) for name, gradient in zip(trained, gradients)},
    }


def mean(config, backbone, case):
    method, weights, count = case
    model, _ = backbone_model(config, backbone)
    layers = list(range(config["num_hidden_layers"]))
    ordinals = []
    names = [f"adapter{number}" for number in range(count)]
    for number, name in enumerate(names):
        model.add_adapter(name, config_of(config, method, layers))
        model.double()
        tensors, own = filled(added_shapes(config, method, layers), 100 * number)
        fill(model, name, tensors)
        ordinals.append(own)
    model.average_adapter("mean", names, weights=weights, combine_strategy="linear")
    return {
        "method": method.kind,
        "options": method.options,
        "weights": weights,
        "ordinals": ordinals,
        "parameters": {name: summary(p) for name, p in parameters_of(model, "mean").items()},
    }


def main():
    torch.set_num_threads(1)
    config, backbone = load_checkpoint(HERE / "bert" / "checkpoint", torch.float64)
    inputs = json.loads((HERE / "bert" / "batch.json").read_text())
    batch, labels = padded(inputs["sequences"]), torch.tensor(inputs["labels"])
    stacks = {name: stack(config, backbone, case, batch, labels) for name, case in STACKS.items()}
    means = {name: mean(config, backbone, case) for name, case in MEANS.items()}
    for name, result in stacks.items():
        print(f"{name}: loss {result['loss']}, {len(result['gradients'])} gradients")
    (HERE / "composition.json").write_text(json.dumps({"stacks": stacks, "means": means}, indent=1) + "\n")


if __name__ == "__main__":
    main()
