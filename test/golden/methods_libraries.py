"""The same methods as adapters 1.2.0 and peft compute them: what methods.py's model is checked against."""

import re

import adapters
import torch
from adapters import DoubleSeqBnConfig, ParBnConfig, PrefixTuningConfig, SeqBnConfig
from peft import IA3Config, LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification

from methods_model import pretrained_names

NON_LINEARITIES = {"gelu_tanh": "gelu_new", "relu": "relu", "swish": "swish"}
# Graft's name of a product → the module in a layer.
MODULES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
}


def plain_model(config, tensors):
    """transformers' classifier with the tensors that it has, in float64."""
    classes = tensors["classifier.weight"].shape[0]
    model = BertForSequenceClassification(BertConfig(**config, num_labels=classes, attn_implementation="eager"))
    state = {f"bert.{theirs}": tensors[ours] for ours, theirs in pretrained_names(config).items()}
    state |= {name: tensors[name] for name in ("classifier.weight", "classifier.bias")}
    model.double().load_state_dict(state)
    return model.eval()


def fill(model, pattern, value_of):
    """Sets every parameter whose name the pattern finds; there must be as many as `value_of` gives."""
    found = 0
    for name, parameter in model.named_parameters():
        match = re.search(pattern, name)
        if match is not None:
            value = value_of(match)
            with torch.no_grad():
                parameter.copy_(value.reshape(parameter.shape))
            found += 1
    assert found > 0, pattern


def with_adapters(config, tensors, method, layers):
    model = plain_model(config, tensors)
    adapters.init(model)
    leave_out = [i for i in range(config["num_hidden_layers"]) if i not in layers]
    if method.kind == "prefix":
        model.add_adapter("a", PrefixTuningConfig(flat=True, prefix_length=method.options["length"], leave_out=leave_out))
    else:
        kind = {"houlsby": DoubleSeqBnConfig, "pfeiffer": SeqBnConfig, "parallel": ParBnConfig}[method.kind]
        options = {
            "reduction_factor": config["hidden_size"] / (method.options["bottleneck"] + 0.5),
            "non_linearity": NON_LINEARITIES[method.options["activation"]],
            "leave_out": leave_out,
        }
        if method.kind == "parallel":
            options["scaling"] = float(method.options["scaling"])
        model.add_adapter("a", kind(**options))
    model.double().set_active_adapters("a")
    if method.kind == "prefix":
        fill_prefixes(model, tensors)
        return model.eval()
    sites = {"attention.output": "attention", "output": "output"}
    fill(
        model,
        r"layer\.(\d+)\.(attention\.output|output)\.adapters\.a\.adapter_(down|up)\.(?:0\.)?(weight|bias)$",
        lambda m: tensors[f"layer.{m[1]}.{sites[m[2]]}.adapter.{m[3]}.{m[4]}"],
    )
    return model.eval()


def fill_prefixes(model, tensors):
    """The library keeps keys and values of all layers in one module: [length, 2 · hidden] a layer, keys first."""
    layers = sorted({int(m[1]) for name in tensors if (m := re.match(r"layer\.(\d+)\.attention\.prefix", name))})
    pool = model.base_model.prefix_tuning.prefix_tunings["a"]
    for place, layer in enumerate(layers):
        both = [tensors[f"layer.{layer}.attention.prefix.{name}"] for name in ("key", "value")]
        with torch.no_grad():
            pool[f"encoder_prefix_{place}" if f"encoder_prefix_{place}" in pool else list(pool)[place]].control_trans.copy_(
                torch.cat(both, dim=-1).flatten()
            )


def with_peft(config, tensors, method, layers):
    model = plain_model(config, tensors)
    chosen = "|".join(map(str, layers))
    if method.kind == "lora":
        modules = "|".join(re.escape(MODULES[target]) for target in method.options["targets"])
        peft = LoraConfig(
            r=method.options["rank"],
            lora_alpha=method.options["alpha"],
            target_modules=rf".*layer\.({chosen})\.({modules})",
        )
    else:
        feedforward = r".*layer\.\d+\.output\.dense"
        peft = IA3Config(
            target_modules=rf".*attention\.self\.(key|value)|{feedforward}",
            feedforward_modules=feedforward,
        )
    model = get_peft_model(model, peft).double()
    names = {module: name for name, module in MODULES.items()}

    def ours(layer, module):
        name = names[module]
        return f"layer.{layer}.attention.{name}" if name in ("query", "key", "value") else f"layer.{layer}.{name}"

    if method.kind == "lora":
        pattern = r"layer\.(\d+)\.(.+)\.lora_([AB])\.default\.weight$"
        fill(model, pattern, lambda m: tensors[f"{ours(m[1], m[2])}.lora_{m[3].lower()}"])
    else:
        # The feed-forward's factors are those of the hidden layer, which its second product reads.
        pattern = r"layer\.(\d+)\.(.+)\.ia3_l\.default$"
        hidden = lambda m: f"layer.{m[1]}.intermediate" if m[2] == "output.dense" else ours(m[1], m[2])
        fill(model, pattern, lambda m: tensors[f"{hidden(m)}.ia3"])
    return model.eval()


def library_logits(config, tensors, method, layers, ids, type_ids, mask):
    """[B, C]; None of a method that is transformers' own model with other parameters."""
    if method.kind in ("houlsby", "pfeiffer", "parallel", "prefix"):
        model = with_adapters(config, tensors, method, layers)
    elif method.kind in ("lora", "ia3"):
        model = with_peft(config, tensors, method, layers)
    else:
        model = plain_model(config, tensors)
    with torch.no_grad():
        return model(ids, mask.long(), type_ids).logits
