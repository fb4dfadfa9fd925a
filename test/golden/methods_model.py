"""The model of reference_model.py with every method that Graft has, in plain PyTorch: what methods.py computes with.

`tensors` maps Graft's names to all tensors, frozen and trained: the encoder's own (`pretrained_names`), 'classifier.…', and
what the method adds, which is found by its name:

  layer.{i}.{attention|output}.adapter.{down|up}.{weight|bias}    a bottleneck; `method.kind` says where it attaches
  layer.{i}.{product}.lora_a [r, inputs], .lora_b [outputs, r]    LoRA
  layer.{i}.attention.{key|value}.ia3, layer.{i}.intermediate.ia3 (IA)³
  layer.{i}.attention.prefix.{key|value} [length, hidden]         prefix tuning
"""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from reference_model import activation


@dataclass
class Method:
    kind: str
    options: dict = field(default_factory=dict)


def pretrained_names(config):
    """Graft's name of each of the encoder's tensors → the checkpoint's, in forward order."""
    modules = {"embeddings.layer_norm": "embeddings.LayerNorm"}
    for i in range(config["num_hidden_layers"]):
        layer, theirs = f"layer.{i}", f"encoder.layer.{i}"
        for name in ("query", "key", "value"):
            modules[f"{layer}.attention.{name}"] = f"{theirs}.attention.self.{name}"
        modules[f"{layer}.attention.output"] = f"{theirs}.attention.output.dense"
        modules[f"{layer}.attention.layer_norm"] = f"{theirs}.attention.output.LayerNorm"
        modules[f"{layer}.intermediate"] = f"{theirs}.intermediate.dense"
        modules[f"{layer}.output"] = f"{theirs}.output.dense"
        modules[f"{layer}.output.layer_norm"] = f"{theirs}.output.LayerNorm"
    modules["pooler"] = "pooler.dense"
    tables = {
        f"embeddings.{name}.weight": f"embeddings.{theirs}.weight"
        for name, theirs in (
            ("word", "word_embeddings"),
            ("position", "position_embeddings"),
            ("type", "token_type_embeddings"),
        )
    }
    parts = {f"{a}.{kind}": f"{b}.{kind}" for a, b in modules.items() for kind in ("weight", "bias")}
    return {**tables, **parts}


def product_sizes(config, name):
    """(inputs, outputs) of 'query', 'attention.output', 'intermediate', …"""
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]
    return {"intermediate": (hidden, intermediate), "output": (intermediate, hidden)}.get(name, (hidden, hidden))


def added_shapes(config, method, layers):
    """Name → shape of what the method adds to `layers`."""
    hidden, options, shapes = config["hidden_size"], method.options, {}
    for i in layers:
        layer = f"layer.{i}"
        if method.kind in ("houlsby", "pfeiffer", "parallel"):
            for site in ("attention", "output") if method.kind == "houlsby" else ("output",):
                adapter, m = f"{layer}.{site}.adapter", options["bottleneck"]
                shapes[f"{adapter}.down.weight"], shapes[f"{adapter}.down.bias"] = (m, hidden), (m,)
                shapes[f"{adapter}.up.weight"], shapes[f"{adapter}.up.bias"] = (hidden, m), (hidden,)
        if method.kind == "lora":
            for target in options["targets"]:
                inputs, outputs = product_sizes(config, target)
                name = f"{layer}.attention.{target}" if target in ("query", "key", "value") else f"{layer}.{target}"
                shapes[f"{name}.lora_a"] = (options["rank"], inputs)
                shapes[f"{name}.lora_b"] = (outputs, options["rank"])
        if method.kind == "ia3":
            shapes[f"{layer}.attention.key.ia3"] = shapes[f"{layer}.attention.value.ia3"] = (hidden,)
            shapes[f"{layer}.intermediate.ia3"] = (config["intermediate_size"],)
        if method.kind == "prefix":
            for name in ("key", "value"):
                shapes[f"{layer}.attention.prefix.{name}"] = (options["length"], hidden)
    return shapes


def logits_of(config, tensors, method, ids, type_ids, mask):
    """[B, C], without dropout."""
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    hidden_act = activation(config)
    t = tensors

    def product(x, name):
        y = F.linear(x, t[f"{name}.weight"], t[f"{name}.bias"])
        if f"{name}.lora_a" in t:
            scale = method.options["alpha"] / method.options["rank"]
            y = y + scale * F.linear(F.linear(x, t[f"{name}.lora_a"]), t[f"{name}.lora_b"])
        return y

    def rescale(x, name):
        return x * t[f"{name}.ia3"] if f"{name}.ia3" in t else x

    def layer_norm(x, name):
        weight, bias = t[f"{name}.layer_norm.weight"], t[f"{name}.layer_norm.bias"]
        return F.layer_norm(x, weight.shape, weight, bias, epsilon)

    def bottleneck(x, place):
        f = {"gelu_tanh": lambda h: F.gelu(h, approximate="tanh"), "relu": F.relu, "swish": F.silu}
        down = F.linear(x, t[f"{place}.adapter.down.weight"], t[f"{place}.adapter.down.bias"])
        inner = f[method.options["activation"]](down)
        return F.linear(inner, t[f"{place}.adapter.up.weight"], t[f"{place}.adapter.up.bias"])

    def close_block(x, y, place):
        if f"{place}.adapter.down.weight" not in t:
            return layer_norm(y + x, place)
        if method.kind == "houlsby":
            return layer_norm(y + bottleneck(y, place) + x, place)
        if method.kind == "pfeiffer":
            return layer_norm(y + bottleneck(layer_norm(y + x, place), place) + x, place)
        return layer_norm(y + method.options["scaling"] * bottleneck(x, place) + x, place)

    def split_heads(x):  # [B, L, hidden] → [B, heads, L, hidden / heads]
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    x = (
        t["embeddings.word.weight"][ids]
        + t["embeddings.type.weight"][type_ids]
        + t["embeddings.position.weight"][torch.arange(ids.shape[1])]
    )
    x = layer_norm(x, "embeddings")
    for i in range(config["num_hidden_layers"]):
        layer = f"layer.{i}"
        query = split_heads(product(x, f"{layer}.attention.query"))
        key, value = (
            split_heads(rescale(product(x, f"{layer}.attention.{name}"), f"{layer}.attention.{name}"))
            for name in ("key", "value")
        )
        hides = ~mask[:, None, None, :]  # [B, 1, 1, L]
        if f"{layer}.attention.prefix.key" in t:
            before = [
                split_heads(t[f"{layer}.attention.prefix.{name}"][None]).expand(ids.shape[0], -1, -1, -1)
                for name in ("key", "value")
            ]
            key, value = torch.cat([before[0], key], dim=2), torch.cat([before[1], value], dim=2)
            hides = F.pad(hides, (before[0].shape[2], 0), value=False)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        context = torch.softmax(scores.masked_fill(hides, -math.inf), dim=-1) @ value
        context = context.transpose(1, 2).flatten(-2)
        x = close_block(x, product(context, f"{layer}.attention.output"), f"{layer}.attention")
        inner = rescale(hidden_act(product(x, f"{layer}.intermediate")), f"{layer}.intermediate")
        x = close_block(x, product(inner, f"{layer}.output"), f"{layer}.output")
    pooled = torch.tanh(product(x[:, 0], "pooler"))
    return product(pooled, "classifier")
