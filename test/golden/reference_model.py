"""Graft's model and its training step in plain PyTorch: the reference that the fixtures are computed with.

A BERT encoder (frozen) with Houlsby adapters (Houlsby et al. 2019, arXiv 1902.00751), every LayerNorm trained, the
frozen pooler and a trained linear classifier. Everything is a function of two dictionaries of tensors:

  backbone    the checkpoint's tensors under transformers' BertModel names, without `bert.`; all frozen
  parameters  what is trained, under the names of `trainable_names`; weights are [out, in] as in PyTorch

At both sites of a layer, with x the sub-layer's input and y its projected output after dropout:
  z = y + up(gelu_tanh(down(y)));  output = LayerNorm(z + x)
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

SITES = ("attention", "output")


def load_checkpoint(directory, dtype):
    """(config, backbone) of a Hugging Face BERT directory. `position_ids`, an integer buffer, is left out."""
    directory = Path(directory)
    config = json.loads((directory / "config.json").read_text())
    tensors = load_file(directory / "model.safetensors")
    backbone = {
        name.removeprefix("bert."): tensor.to(dtype)
        for name, tensor in tensors.items()
        if tensor.is_floating_point()
    }
    return config, backbone


def layer_norm_names(config):
    """Graft's name of every LayerNorm → the checkpoint's name, in forward order."""
    names = {"embeddings.layer_norm": "embeddings.LayerNorm"}
    for i in range(config["num_hidden_layers"]):
        names[f"layer.{i}.attention.layer_norm"] = f"encoder.layer.{i}.attention.output.LayerNorm"
        names[f"layer.{i}.output.layer_norm"] = f"encoder.layer.{i}.output.LayerNorm"
    return names


def trainable_names(config):
    """Every trained tensor, in forward order."""
    modules = ["embeddings.layer_norm"]
    for i in range(config["num_hidden_layers"]):
        for site in SITES:
            modules += [f"layer.{i}.{site}.adapter.{part}" for part in ("down", "up")]
            modules.append(f"layer.{i}.{site}.layer_norm")
    modules.append("classifier")
    return [f"{module}.{kind}" for module in modules for kind in ("weight", "bias")]


def adapter_and_classifier_shapes(config, bottleneck, outputs):
    """Name → shape of the trained tensors that no checkpoint holds."""
    hidden = config["hidden_size"]
    shapes = {}
    for i in range(config["num_hidden_layers"]):
        for site in SITES:
            adapter = f"layer.{i}.{site}.adapter"
            shapes[f"{adapter}.down.weight"] = (bottleneck, hidden)
            shapes[f"{adapter}.down.bias"] = (bottleneck,)
            shapes[f"{adapter}.up.weight"] = (hidden, bottleneck)
            shapes[f"{adapter}.up.bias"] = (hidden,)
    shapes["classifier.weight"] = (outputs, hidden)
    shapes["classifier.bias"] = (outputs,)
    return shapes


def checkpoint_layer_norms(config, backbone):
    """The LayerNorms' starting values: copies of the checkpoint's."""
    return {
        f"{name}.{kind}": backbone[f"{source}.{kind}"].clone()
        for name, source in layer_norm_names(config).items()
        for kind in ("weight", "bias")
    }


def padded(sequences):
    """[{ids, typeIds}] → ids [B, L], typeIds [B, L], mask [B, L] (True on real tokens), L the longest's length."""
    length = max(len(sequence["ids"]) for sequence in sequences)
    ids, type_ids, mask = [], [], []
    for sequence in sequences:
        padding = [0] * (length - len(sequence["ids"]))
        ids.append(sequence["ids"] + padding)
        type_ids.append(sequence["typeIds"] + padding)
        mask.append([True] * len(sequence["ids"]) + [False] * len(padding))
    return torch.tensor(ids), torch.tensor(type_ids), torch.tensor(mask)


def activation(config):
    """The encoder's activation by its name in config.json."""
    name = config["hidden_act"]
    if name == "gelu":
        return F.gelu
    if name in ("gelu_new", "gelu_pytorch_tanh"):
        return lambda x: F.gelu(x, approximate="tanh")
    raise ValueError(f"hidden_act {name!r}: this reference knows gelu, gelu_new and gelu_pytorch_tanh")


def encode(config, backbone, parameters, ids, type_ids, mask, training=False):
    """Hidden states after the embedding and after every layer, each [B, L, hidden].

    With `training`, dropout as the config's probabilities say. A padded position attends to real tokens and is
    attended by none, so the values at real positions do not depend on the padding.
    """
    hidden_dropout = config["hidden_dropout_prob"]
    attention_dropout = config["attention_probs_dropout_prob"]
    heads = config["num_attention_heads"]
    gelu = activation(config)

    def frozen_linear(x, name):
        return F.linear(x, backbone[f"{name}.weight"], backbone[f"{name}.bias"])

    def trained_linear(x, name):
        return F.linear(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])

    def layer_norm(x, name):
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        return F.layer_norm(x, weight.shape, weight, bias, config["layer_norm_eps"])

    def split_heads(x):  # [B, L, hidden] → [B, heads, L, hidden / heads]
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    def close_block(x, projected, site):
        """Dropout, adapter, residual, LayerNorm: the end of both sub-layers."""
        y = F.dropout(projected, hidden_dropout, training)
        bottleneck = F.gelu(trained_linear(y, f"{site}.adapter.down"), approximate="tanh")
        z = y + trained_linear(bottleneck, f"{site}.adapter.up")
        return layer_norm(z + x, f"{site}.layer_norm")

    positions = torch.arange(ids.shape[1])
    x = (
        backbone["embeddings.word_embeddings.weight"][ids]
        + backbone["embeddings.token_type_embeddings.weight"][type_ids]
        + backbone["embeddings.position_embeddings.weight"][positions]
    )
    x = F.dropout(layer_norm(x, "embeddings.layer_norm"), hidden_dropout, training)
    if "embeddings_project.weight" in backbone:  # ELECTRA's, where embeddings are narrower than hidden states
        x = frozen_linear(x, "embeddings_project")
    states = [x]
    padded_keys = ~mask[:, None, None, :]  # [B, 1, 1, L], the same for every head and query
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        query, key, value = (
            split_heads(frozen_linear(x, f"{layer}.attention.self.{name}")) for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])  # [B, heads, L, L]
        probabilities = torch.softmax(scores.masked_fill(padded_keys, -math.inf), dim=-1)
        context = F.dropout(probabilities, attention_dropout, training) @ value
        context = context.transpose(1, 2).flatten(-2)  # [B, L, hidden]
        x = close_block(x, frozen_linear(context, f"{layer}.attention.output.dense"), f"layer.{i}.attention")
        inner = gelu(frozen_linear(x, f"{layer}.intermediate.dense"))  # [B, L, intermediate]
        x = close_block(x, frozen_linear(inner, f"{layer}.output.dense"), f"layer.{i}.output")
        states.append(x)
    return states


def pool(backbone, last_state):
    """The frozen pooler: tanh of a projection of the first token, [B, hidden]; without one the first token itself."""
    if "pooler.dense.weight" not in backbone:
        return last_state[:, 0]
    return torch.tanh(F.linear(last_state[:, 0], backbone["pooler.dense.weight"], backbone["pooler.dense.bias"]))


def logits_of(config, backbone, parameters, ids, type_ids, mask, training=False):
    """[B, C]; regression has C = 1."""
    pooled = pool(backbone, encode(config, backbone, parameters, ids, type_ids, mask, training)[-1])
    pooled = F.dropout(pooled, config["hidden_dropout_prob"], training)
    return F.linear(pooled, parameters["classifier.weight"], parameters["classifier.bias"])


def loss_of(logits, targets):
    """Mean cross-entropy for integer targets [B], mean squared error for floating-point ones (logits [B, 1])."""
    if targets.is_floating_point():
        return F.mse_loss(logits.squeeze(-1), targets)
    return F.cross_entropy(logits, targets)


def decays(name):
    """Weight decay is for matrices: neither LayerNorms nor biases."""
    return not name.endswith(".bias") and ".layer_norm." not in name


def learning_rate_at(step, total_steps, peak, warmup_ratio=0.1):
    """Learning rate of `step` (from 0): linear warm-up, then linear decay to 0 at `total_steps`.

    The formula of transformers' get_linear_schedule_with_warmup; step 0 has rate 0 wherever there is a warm-up. The
    warm-up's length is rounded down, as in the authors' code.
    """
    warmup = int(total_steps * warmup_ratio)
    if step < warmup:
        return peak * step / warmup
    return peak * max(0.0, (total_steps - step) / max(1, total_steps - warmup))


class AuthorsAdamW:
    """AdamW as in BERT's and the adapter paper's code: no bias correction, epsilon outside the root.

    m ← β1·m + (1 − β1)·g;  v ← β2·v + (1 − β2)·g²;  p ← p − rate·(m / (√v + ε) + decay·p)
    """

    def __init__(self, parameters, weight_decay=0.01, betas=(0.9, 0.999), eps=1e-6):
        self.parameters, self.weight_decay, self.betas, self.eps = parameters, weight_decay, betas, eps
        self.m = {name: torch.zeros_like(p) for name, p in parameters.items()}
        self.v = {name: torch.zeros_like(p) for name, p in parameters.items()}

    @torch.no_grad()
    def step(self, rate):
        beta1, beta2 = self.betas
        for name, p in self.parameters.items():
            m = self.m[name].mul_(beta1).add_(p.grad, alpha=1 - beta1)
            v = self.v[name].mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)
            update = m / (v.sqrt() + self.eps)
            if decays(name):
                update = update + self.weight_decay * p
            p -= rate * update


class BiasCorrectedAdamW:
    """torch.optim.AdamW, with the same decay groups and epsilon, behind the same `step(rate)`."""

    def __init__(self, parameters, weight_decay=0.01, betas=(0.9, 0.999), eps=1e-6):
        groups = [
            {"params": [p for name, p in parameters.items() if decays(name)], "weight_decay": weight_decay},
            {"params": [p for name, p in parameters.items() if not decays(name)], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=eps)

    def step(self, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()


def backward(parameters, loss):
    """Fills `.grad` of every parameter with the gradient of `loss` alone."""
    for p in parameters.values():
        p.grad = None
    loss.backward()


def clip_gradients(parameters, largest_norm=1.0):
    """Scales all gradients down to a global norm of at most `largest_norm`; returns the norm before."""
    return torch.nn.utils.clip_grad_norm_(parameters.values(), largest_norm).item()
