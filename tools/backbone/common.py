"""What the scripts of this folder share: where things lie, the shape of the model, its tokenizer."""

from pathlib import Path

from tokenizers import BertWordPieceTokenizer

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
WORK = ROOT / ".cache" / "graft-mini"
TEACHER = ROOT / ".cache" / "minilm"
SEED = 20

# 4 layers of 7 heads of 32: with a vocabulary of 7,400 the weights take 7.86 MB in f16. Everything a multiple of 8, the
# size of a head a multiple of 4, as the kernels like it.
SHAPE = {
    "hidden_size": 224,
    "num_hidden_layers": 4,
    "num_attention_heads": 7,
    "intermediate_size": 768,
    "max_position_embeddings": 128,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}


def tokenizer_of(directory: Path) -> BertWordPieceTokenizer:
    """The lower-casing WordPiece tokenizer of a directory that holds vocab.txt."""
    return BertWordPieceTokenizer(str(directory / "vocab.txt"), lowercase=True)


def model_config(vocabulary: int, dropout: float = 0.0):
    """The configuration of graft-mini as transformers knows it."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        **SHAPE,
    )
