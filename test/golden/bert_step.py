"""Writes test/golden/bert/: a tiny random BERT, a batch, and what one and twenty training steps on it give.

Weights and starting parameters are rounded to f32 first; everything after is computed in float64 and rounded to f32
only when stored. Run: python test/golden/bert_step.py   (versions and file list: README.md beside this file)
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, BertTokenizer, get_linear_schedule_with_warmup

from reference_model import (
    AuthorsAdamW,
    BiasCorrectedAdamW,
    adapter_and_classifier_shapes,
    backward,
    checkpoint_layer_norms,
    clip_gradients,
    encode,
    learning_rate_at,
    load_checkpoint,
    logits_of,
    loss_of,
    padded,
    pool,
    trainable_names,
)

OUTPUT = Path(__file__).parent / "bert"
SEED = 20190615
BOTTLENECK = 8
CLASSES = 3
LENGTHS = [1, 2, 7, 33, 64]
# Where the second text starts (typeIds 1), for the sequences that are pairs.
SECOND_TEXT_STARTS = {7: 4, 64: 40}
LABELS = [2, 0, 1, 1, 0]
REGRESSION_TARGETS = [0.5, -1.25, 3.75, 2.0, 0.0]
STEPS = 20
PEAK_LEARNING_RATE = 1e-3
EMBEDDED_TEXTS = [
    ["a charming film"],
    ["The best day of our life, and the worst."],
    ["never ever", "this movie was not so bad: it is the actor who makes it fun"],
    ["old"],
]
EMBEDDED_MAX_LENGTH = 16

CONFIG = {
    "architectures": ["BertModel"],
    "attention_probs_dropout_prob": 0.0,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "hidden_size": 64,
    "initializer_range": 0.1,
    "intermediate_size": 256,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 128,
    "model_type": "bert",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "vocab_size": 200,
}

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CHARACTERS = list("abcdefghijklmnopqrstuvwxyz0123456789")
PUNCTUATION = list(".,!?'-\"():;&/")
WORDS = """
the a an and or not no but of to in on at for with from by as is was are were be been it its this that these he she
they we you i my our film movie story plot actor scene music book food place day time people one two three good great
best fine fun warm bright charming lovely happy strong sharp bad worst poor dull cold dark boring awful sad weak slow
man woman child world work life love end watch see make made new old up down out
very too more most less never always ever just so ##s ##ed ##ing ##ly ##er ##est ##ful ##less ##ness ##un ##able
""".split()


def vocabulary():
    """200 uncased WordPiece tokens; every ASCII letter and digit can be spelled, at a word's start and inside it."""
    tokens = SPECIAL + CHARACTERS + [f"##{c}" for c in CHARACTERS] + PUNCTUATION
    tokens += [word for word in WORDS if word not in tokens]
    assert len(tokens) >= CONFIG["vocab_size"], len(tokens)
    return tokens[: CONFIG["vocab_size"]]


def random_tensor(generator, shape, std, mean=0.0):
    """Normal, drawn in float64 and rounded to f32, so that the file holds exactly what the reference computed with."""
    return (mean + std * torch.randn(shape, dtype=torch.float64, generator=generator)).float()


def random_backbone(generator):
    """The checkpoint's tensors, in f32. Wide enough (0.1) that activations and gradients are far from zero."""
    shapes = {name: tensor.shape for name, tensor in BertModel(BertConfig(**CONFIG)).state_dict().items()}
    return {
        name: random_tensor(generator, shape, 0.1, 1.0 if name.endswith("LayerNorm.weight") else 0.0)
        for name, shape in shapes.items()
    }


def random_batch(generator):
    """One sequence a length: [CLS] text [SEP], or [CLS] text [SEP] text [SEP]; the shortest is [CLS] alone."""
    cls, sep = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")
    sequences = []
    for length in LENGTHS:
        ids = torch.randint(len(SPECIAL), CONFIG["vocab_size"], (length,), generator=generator).tolist()
        if length > 1:
            ids[-1] = sep
        ids[0] = cls
        start = SECOND_TEXT_STARTS.get(length, length)
        if start < length:
            ids[start - 1] = sep
        sequences.append({"ids": ids, "typeIds": [0] * start + [1] * (length - start)})
    return sequences


def check_against_transformers(backbone, batch, hidden_act):
    """With adapters that add nothing, every hidden state and the pooler must be those of transformers' BertModel."""
    config = {**CONFIG, "hidden_act": hidden_act}
    ids, type_ids, mask = batch
    parameters = checkpoint_layer_norms(config, backbone)
    for name, shape in adapter_and_classifier_shapes(config, BOTTLENECK, CLASSES).items():
        parameters[name] = torch.zeros(shape, dtype=torch.float64)
    states = encode(config, backbone, parameters, ids, type_ids, mask)

    theirs = BertModel(BertConfig(**config, attn_implementation="eager")).double().eval()
    theirs.load_state_dict(backbone)
    with torch.no_grad():
        expected = theirs(ids, mask.long(), type_ids, output_hidden_states=True)
    ours = [state[mask] for state in states] + [pool(backbone, states[-1])]
    reference = [state[mask] for state in expected.hidden_states] + [expected.pooler_output]
    difference = max((a - b).abs().max().item() for a, b in zip(ours, reference, strict=True))
    assert difference < 1e-6, f"{hidden_act}: differs from transformers by {difference}"
    print(f"{hidden_act}: largest difference from transformers' BertModel {difference:.1e}")


def check_schedule():
    """`learning_rate_at` must be transformers' linear schedule."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK_LEARNING_RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, STEPS // 10, STEPS)
    for step in range(STEPS):
        assert abs(schedule.get_last_lr()[0] - learning_rate_at(step, STEPS, PEAK_LEARNING_RATE)) < 1e-15
        optimizer.step()
        schedule.step()


def trained(tensors):
    """Fresh float64 leaves of the starting parameters, in forward order."""
    return {name: tensors[name].double().requires_grad_() for name in trainable_names(CONFIG)}


def train(backbone, start, batch, labels, make_optimizer):
    """STEPS steps on one batch: losses (before each update), gradient norms before clipping, final parameters."""
    parameters = trained(start)
    optimizer = make_optimizer(parameters)
    losses, norms = [], []
    for step in range(STEPS):
        loss = loss_of(logits_of(CONFIG, backbone, parameters, *batch), labels)
        backward(parameters, loss)
        norms.append(clip_gradients(parameters))
        losses.append(loss.item())
        optimizer.step(learning_rate_at(step, STEPS, PEAK_LEARNING_RATE))
    return losses, norms, parameters


def write_tensors(name, tensors):
    path = OUTPUT / name
    values = {key: tensor.detach().float().contiguous() for key, tensor in tensors.items()}
    save_file(values, path, metadata={"format": "pt"})


def write_json(name, value):
    (OUTPUT / name).write_text(json.dumps(value, indent=1) + "\n")


def write_embeddings(backbone):
    """What transformers' tokenizer and BertModel make of texts: pooled output and [CLS]'s last hidden state."""
    tokenizer = BertTokenizer(str(OUTPUT / "checkpoint" / "vocab.txt"))
    model = BertModel(BertConfig(**CONFIG, attn_implementation="eager")).double().eval()
    model.load_state_dict(backbone)
    items = []
    for texts in EMBEDDED_TEXTS:
        encoded = tokenizer(*texts, truncation=True, max_length=EMBEDDED_MAX_LENGTH, return_tensors="pt")
        with torch.no_grad():
            output = model(**encoded)
        items.append(
            {
                "text": texts[0],
                **({"pair": texts[1]} if len(texts) > 1 else {}),
                "tokens": encoded["input_ids"].shape[1],
                "pooled": output.pooler_output[0].tolist(),
                "first": output.last_hidden_state[0, 0].tolist(),
            }
        )
    write_json("embeddings.json", {"maxLength": EMBEDDED_MAX_LENGTH, "items": items})


def gradients_of(parameters):
    return {name: p.grad.clone() for name, p in parameters.items()}


def main():
    torch.set_num_threads(1)  # one order of summation, so that the files come out the same again
    (OUTPUT / "checkpoint").mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(SEED)

    write_tensors("checkpoint/model.safetensors", random_backbone(generator))
    write_json("checkpoint/config.json", CONFIG)
    (OUTPUT / "checkpoint" / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    config, backbone = load_checkpoint(OUTPUT / "checkpoint", torch.float64)

    start = {name: tensor.float() for name, tensor in checkpoint_layer_norms(config, backbone).items()}
    for name, shape in adapter_and_classifier_shapes(config, BOTTLENECK, CLASSES).items():
        start[name] = random_tensor(generator, shape, 0.1)
    regression_head = {
        name: random_tensor(generator, shape, 0.1)
        for name, shape in adapter_and_classifier_shapes(config, BOTTLENECK, 1).items()
        if name.startswith("classifier.")
    }
    write_tensors("parameters.safetensors", start)
    write_tensors("regression_classifier.safetensors", regression_head)

    sequences = random_batch(generator)
    write_json("batch.json", {"sequences": sequences, "labels": LABELS, "targets": REGRESSION_TARGETS})
    batch = padded(sequences)
    labels = torch.tensor(LABELS)
    for hidden_act in ("gelu", "gelu_new"):
        check_against_transformers(backbone, batch, hidden_act)
    check_schedule()

    parameters = trained(start)
    states = encode(config, backbone, parameters, *batch)
    mask = batch[2]
    hidden = {f"hidden.{i}": state[mask] for i, state in enumerate(states)}  # packed: [T, hidden]
    write_tensors("hidden.safetensors", {**hidden, "pooled": pool(backbone, states[-1])})
    logits = logits_of(config, backbone, parameters, *batch)
    loss = loss_of(logits, labels)
    backward(parameters, loss)
    write_tensors("gradients.safetensors", gradients_of(parameters))

    write_embeddings(backbone)

    tanh_logits = logits_of({**config, "hidden_act": "gelu_new"}, backbone, parameters, *batch)

    regression = trained({**start, **regression_head})
    regression_logits = logits_of(config, backbone, regression, *batch)
    regression_loss = loss_of(regression_logits, torch.tensor(REGRESSION_TARGETS, dtype=torch.float64))
    backward(regression, regression_loss)
    write_tensors("regression_gradients.safetensors", gradients_of(regression))

    losses, norms, final = train(backbone, start, batch, labels, AuthorsAdamW)
    write_tensors("parameters_after_20.safetensors", final)
    corrected_losses, _, _ = train(backbone, start, batch, labels, BiasCorrectedAdamW)

    write_json(
        "expected.json",
        {
            "logits": logits.tolist(),
            "loss": loss.item(),
            "gelu_new": {"logits": tanh_logits.tolist()},
            "regression": {"logits": regression_logits.squeeze(-1).tolist(), "loss": regression_loss.item()},
            "training": {
                "steps": STEPS,
                "peakLearningRate": PEAK_LEARNING_RATE,
                "warmupRatio": 0.1,
                "weightDecay": 0.01,
                "clipNorm": 1.0,
                "betas": [0.9, 0.999],
                "eps": 1e-6,
                "learningRates": [learning_rate_at(step, STEPS, PEAK_LEARNING_RATE) for step in range(STEPS)],
                "losses": losses,
                "gradientNorms": norms,
            },
            "biasCorrected": {"losses": corrected_losses},
        },
    )
    print(f"loss {loss.item():.6f}, regression {regression_loss.item():.6f}, after 20 steps {losses[-1]:.6f}")


if __name__ == "__main__":
    main()
