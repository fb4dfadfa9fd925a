"""Writes test/golden/families/: a tiny random RoBERTa, DistilBERT and ELECTRA, and what one training step on each gives.

As bert_step.py, which see: inputs rounded to f32, computed in float64. The reference is BERT's; `as_bert` gives it the weights under
BERT's names, and transformers' own models check what it computes. Run: python test/golden/family_steps.py
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    DistilBertConfig,
    DistilBertForMaskedLM,
    ElectraConfig,
    ElectraForPreTraining,
    RobertaConfig,
    RobertaModel,
)

from bert_step import gradients_of, random_tensor, trained, vocabulary
from reference_model import (
    adapter_and_classifier_shapes,
    backward,
    checkpoint_layer_norms,
    encode,
    logits_of,
    loss_of,
    padded,
    pool,
)

HERE = Path(__file__).parent
OUTPUT = HERE / "families"
SEED = 20190726
BOTTLENECK = 4
CLASSES = 3
LENGTHS = [1, 2, 7, 33]
SECOND_TEXT_STARTS = {7: 4, 33: 20}
LABELS = [2, 0, 1, 1]
# Ids below are those of special tokens in all three vocabularies.
SPECIALS = 5

# Which model's tensors are saved, its configuration, the prefix of the encoder's names in it.
FAMILIES = {
    "roberta": (
        RobertaModel,
        RobertaConfig(
            vocab_size=910,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=50,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
        ),
        "",
    ),
    "distilbert": (
        DistilBertForMaskedLM,
        DistilBertConfig(
            vocab_size=200, dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=48, seq_classif_dropout=0.1
        ),
        "distilbert.",
    ),
    "electra": (
        ElectraForPreTraining,
        ElectraConfig(
            vocab_size=200,
            embedding_size=20,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=48,
        ),
        "electra.",
    ),
}

DISTILBERT_NAMES = {
    "transformer.layer": "encoder.layer",
    "attention.q_lin": "attention.self.query",
    "attention.k_lin": "attention.self.key",
    "attention.v_lin": "attention.self.value",
    "attention.out_lin": "attention.output.dense",
    "sa_layer_norm": "attention.output.LayerNorm",
    "ffn.lin1": "intermediate.dense",
    "ffn.lin2": "output.dense",
    "output_layer_norm": "output.LayerNorm",
}


def as_bert(config, tensors, prefix):
    """(config, backbone) as the reference takes them, in float64."""
    backbone = {}
    for name, tensor in tensors.items():
        if prefix and not name.startswith(prefix):
            continue  # the head's
        name = name.removeprefix(prefix)
        if config.model_type == "distilbert":
            for theirs, ours in DISTILBERT_NAMES.items():
                name = name.replace(theirs, ours)
        backbone[name] = tensor.double()
    positions = "embeddings.position_embeddings.weight"
    if config.model_type == "roberta":  # positions are counted from the padding's id + 1
        backbone[positions] = backbone[positions][config.pad_token_id + 1 :]
    types = "embeddings.token_type_embeddings.weight"
    backbone.setdefault(types, torch.zeros(2, backbone[positions].shape[1], dtype=torch.float64))
    return {
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "hidden_act": "gelu",
        "layer_norm_eps": getattr(config, "layer_norm_eps", 1e-12),
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }, backbone


def random_batch(generator, config):
    cls, sep = (0, 2) if config.model_type == "roberta" else (2, 3)
    sequences = []
    for length in LENGTHS:
        ids = torch.randint(SPECIALS, 200, (length,), generator=generator).tolist()
        if length > 1:
            ids[-1] = sep
        ids[0] = cls
        start = SECOND_TEXT_STARTS.get(length, length) if config.model_type == "electra" else length
        sequences.append({"ids": ids, "typeIds": [0] * start + [1] * (length - start)})
    return sequences


def plain_states(model, config, batch):
    """Hidden states of transformers' own model without adapters, each [T, hidden]."""
    ids, type_ids, mask = batch
    encoder = getattr(model, model.base_model_prefix, model)
    extra = {} if config.model_type == "distilbert" else {"token_type_ids": type_ids}
    if config.model_type == "roberta":
        ids = ids.masked_fill(~mask, config.pad_token_id)
    with torch.no_grad():
        output = encoder(ids, attention_mask=mask.long(), output_hidden_states=True, **extra)
    states = [state[mask] for state in output.hidden_states]
    return states, getattr(output, "pooler_output", None)


def write(name, model_class, config, prefix, generator):
    directory = OUTPUT / name
    (directory / "checkpoint").mkdir(parents=True)
    config._attn_implementation = "eager"
    model = model_class(config).double().eval()
    tensors = {
        key: random_tensor(generator, tensor.shape, 0.1, 1.0 if key.lower().endswith(("layernorm.weight", "layer_norm.weight")) else 0.0)
        for key, tensor in model.state_dict().items()
    }
    model.load_state_dict(tensors)
    # DistilBERT's decoder is the table of its word embeddings; it is saved once, as transformers does it.
    tensors = {key: tensor.float() for key, tensor in model.state_dict().items() if key != "vocab_projector.weight"}
    save_file(
        {key: tensor.contiguous() for key, tensor in tensors.items()},
        directory / "checkpoint" / "model.safetensors",
        metadata={"format": "pt"},
    )
    config.save_pretrained(directory / "checkpoint")
    if name == "roberta":
        for file in ("vocab.json", "merges.txt"):
            shutil.copy(HERE / "byte_pair" / file, directory / "checkpoint")
    else:
        (directory / "checkpoint" / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")

    bert_config, backbone = as_bert(config, tensors, prefix)
    start = {key: tensor.float() for key, tensor in checkpoint_layer_norms(bert_config, backbone).items()}
    for key, shape in adapter_and_classifier_shapes(bert_config, BOTTLENECK, CLASSES).items():
        start[key] = random_tensor(generator, shape, 0.1)
    sequences = random_batch(generator, config)
    batch = padded(sequences)

    # With adapters that add nothing the reference must give what transformers gives.
    none = {key: torch.zeros_like(tensor) if "layer_norm" not in key else tensor for key, tensor in trained(start).items()}
    ours = encode(bert_config, backbone, none, *batch)
    theirs, pooled = plain_states(model, config, batch)
    pairs = list(zip([state[batch[2]] for state in ours], theirs, strict=True))
    if pooled is not None:
        pairs.append((pool(backbone, ours[-1]), pooled))
    difference = max((a - b).abs().max().item() for a, b in pairs)
    assert difference < 1e-9, f"{name}: differs from transformers by {difference}"

    parameters = trained(start)
    logits = logits_of(bert_config, backbone, parameters, *batch)
    loss = loss_of(logits, torch.tensor(LABELS))
    backward(parameters, loss)

    def save(file, values):
        save_file(
            {key: tensor.detach().float().contiguous() for key, tensor in values.items()},
            directory / file,
            metadata={"format": "pt"},
        )

    save("parameters.safetensors", start)
    save("gradients.safetensors", gradients_of(parameters))
    save("plain.safetensors", {f"hidden.{i}": state for i, state in enumerate(theirs)})
    (directory / "expected.json").write_text(
        json.dumps({"sequences": sequences, "labels": LABELS, "logits": logits.tolist(), "loss": loss.item()}, indent=1) + "\n"
    )
    print(f"{name}: {difference:.1e} from transformers, loss {loss.item():.6f}")


def main():
    torch.set_num_threads(1)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    for i, (name, (model_class, config, prefix)) in enumerate(FAMILIES.items()):
        write(name, model_class, config, prefix, torch.Generator().manual_seed(SEED + i))
    for file in OUTPUT.glob("**/*.safetensors"):
        file.chmod(0o644)


if __name__ == "__main__":
    main()
