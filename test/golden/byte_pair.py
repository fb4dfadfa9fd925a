"""Writes what Hugging Face's tokenizers make of texts with byte-level BPE: byte_pair.json, and a small tokenizer in byte_pair/.

    pip install tokenizers==0.22.2 transformers==4.57.6
    python test/golden/byte_pair.py SHARED      # SHARED holds data/, see test/support/shared.ts

byte_pair/ holds vocab.json, merges.txt and a tokenizer.json of the same tokenizer, trained on the texts in examples/data. Digests
are those of tokenizer.py.
"""

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import RobertaProcessing
from tokenizers.trainers import BpeTrainer
from transformers import RobertaTokenizerFast

from tokenizer import CODE_POINT_CHUNK, data_sets, digest, random_texts, truncated

HERE = Path(__file__).parent
EXAMPLES_DATA = HERE.parents[1] / "examples" / "data"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

# Chosen by hand, whole ids committed.
EXAMPLES = [
    "",
    " ",
    "  ",
    " \t\r\n",
    "The quick brown fox jumps over the lazy dog.",
    "  two  blanks,   three    four \n\n a line\n  \n",
    "don't they'll I'M it's' 's 'S we've you'd 're x're'd'll ''s '",
    "Café naïve Ångström e\u0301 北京大学 ひらがな 한국어 हिन्दी العربية",
    "12 345,678.90 ½ ² Ⅷ ٣ १२ ①",
    "<mask> a <mask>b\t<mask><s>x</s></s><pad><unk><MASK> <mask >",
    "no\u0000nul \u0000\u0000 \u0001\u007f\u0085 so\u00adft \ufeff \ufffd",
    "👍🏽 👨‍👩‍👧 🇩🇪 \U000e0041 \ue000 \U0010ffff",
    "a\u00a0b\u2003c\u3000d\u1680e\u180ef\u200ag\u2028h\u200bi",
    "http://example.org/a_b?c=1&d=%20#x...!!!",
    "a" * 300 + " " + "ab" * 100,
    "supercalifragilisticexpialidocious" * 4,
]

# What random texts are made of: all that meets in the pattern, and added tokens.
POOL = (
    list("aAbzst'1290 .,!<>")
    + ["'s", "'ll", "'re", "'ve", "'d", "'m", "'t", "'S", " ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\u0085"]
    + list("éßñ中文ひ한ا३½²Ⅷ€…—“👍") + ["\u0301", "\u200b", "\u200d", "\u0000", "\uffff", "\U0010ffff", "\U0001d7d8"]
    + ["<mask>", " <mask>", "<s>", "</s>", "<pad>", "<unk>", "<mas", "the", " the", " and", "ing", "hello" * 4, "x" * 70]
)


def byte_characters():
    """GPT-2's bytes_to_unicode."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    other = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(other)) for byte in range(256)]


def roberta(vocabulary, merges, add_prefix_space=False, added=None):
    """As transformers makes a RoBERTa's tokenizer."""
    tokenizer = Tokenizer(BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.post_processor = RobertaProcessing(("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"]))
    tokenizer.add_special_tokens(added or [AddedToken(t, lstrip=t == "<mask>", normalized=False) for t in SPECIAL])
    return tokenizer


def every_pair():
    """A vocabulary that shows where words end: all pairs of bytes are tokens, those with a lower left byte are merged first."""
    characters = byte_characters()
    merges = [(a, b) for a in characters for b in characters]
    tokens = [*SPECIAL, *characters, *(a + b for a, b in merges)]
    return {token: i for i, token in enumerate(tokens)}, merges


def random_merges(seed):
    """Merges in an order that no training would give: results before their parts, one result from several pairs."""
    state = seed

    def draw(n):
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return (state >> 8) % n

    tokens, merges = list("abc"), []
    while len(merges) < 60:
        pair = tokens[draw(len(tokens))], tokens[draw(len(tokens))]
        if len("".join(pair)) > 9 or pair in merges:
            continue
        merges.insert(draw(len(merges) + 1), pair)
        if "".join(pair) not in tokens:
            tokens.append("".join(pair))
    texts = ["".join("abc"[draw(3)] for _ in range(1 + draw(200))) for _ in range(60)]
    characters = [c for c in byte_characters() if c not in "abc"]
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *tokens, *characters])}
    ids = [encoding.ids for encoding in roberta(vocabulary, merges).encode_batch(texts)]
    return {
        "tokens": tokens,
        "merges": [" ".join(pair) for pair in merges],
        "texts": texts,
        "ids": [" ".join(map(str, row[1:-1])) for row in ids],
    }


def train_small():
    texts = []
    for file in sorted(EXAMPLES_DATA.glob("*.train.tsv")):
        texts += [line.split("\t")[0] for line in file.read_text().split("\n")[1:] if line]
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=900, special_tokens=SPECIAL, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    directory = HERE / "byte_pair"
    directory.mkdir(exist_ok=True)
    for file in directory.iterdir():
        file.unlink()
    tokenizer.model.save(str(directory))
    vocabulary, merges = read_files(directory)
    small = roberta(vocabulary, merges)
    small.save(str(directory / "tokenizer.json"))
    return vocabulary, merges, texts


def read_files(directory):
    vocabulary = json.loads((directory / "vocab.json").read_text())
    lines = (directory / "merges.txt").read_text().split("\n")
    return vocabulary, [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]


def examples(tokenizer):
    rows = []
    for text in EXAMPLES:
        ids = tokenizer.encode(text).ids
        rows.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    return rows


def main():
    data = Path(sys.argv[1]) / "data"
    vocabulary, merges, texts = train_small()
    small = roberta(vocabulary, merges)
    mixed = random_texts(20_000, POOL)
    golden = {
        "pool": POOL,
        "small": {
            "examples": examples(small),
            "mixed": digest(small.encode_batch(mixed)),
            "mixedPrefixSpace": digest(roberta(vocabulary, merges, True).encode_batch(mixed)),
            "ownTexts": digest(small.encode_batch(texts)),
        },
    }

    # Cut pieces of UTF-8 and tokens with characters that stand for no byte.
    cut = [[vocabulary[t] for t in row] for row in (["ä", "¸"], ["Ġ", "Ł", "Ġthe", "ð"], ["<s>", "<mask>", "Ċ"])]
    golden["decoded"] = [{"ids": ids, "text": small.decode(ids, skip_special_tokens=False)} for ids in cut]

    added = [
        AddedToken("<mask>", lstrip=True, normalized=False),
        AddedToken("k<ma", normalized=True),
        AddedToken("ab", rstrip=True, normalized=True),
        AddedToken("abc", normalized=False),
        AddedToken("1", lstrip=True, rstrip=True, normalized=False),
    ]
    other = roberta(vocabulary, merges, True, [*map(str, SPECIAL[:4]), *added])
    other.save(str(HERE / "byte_pair" / "added_tokens.json"))
    pieces = ["ab", "abc", "k<ma", "<mask>", "1", " ", "\u3000", "the", "\n"]
    meetings = [a + b + c + d for a in pieces for b in pieces for c in pieces for d in pieces]
    golden["addedTokens"] = digest(other.encode_batch(meetings))

    pairs = roberta(*every_pair())
    points = [f"a{chr(c)}1{chr(c)}!{chr(c)} {chr(c)}" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    golden["everyPair"] = {
        "codePoints": digest(pairs.encode_batch(points), CODE_POINT_CHUNK),
        "mixed": digest(pairs.encode_batch(mixed)),
    }
    golden["randomMerges"] = [random_merges(seed) for seed in range(1, 6)]

    # Every way in which two lengths and a maximum can meet.
    jobs = [("! " * n, "? " * m, length) for length in range(4, 17) for n in range(10) for m in range(10)]
    golden["lengths"] = digest(truncated(small, jobs))

    directory = data / "vocab" / "roberta-base"
    fast = RobertaTokenizerFast(str(directory / "vocab.json"), str(directory / "merges.txt")).backend_tokenizer
    golden["roberta"] = {key: digest(fast.encode_batch(rows)) for key, rows in data_sets(data).items()}
    golden["robertaExamples"] = examples(fast)
    golden["robertaMixed"] = digest(fast.encode_batch(mixed))
    rows = [line.split("\t") for line in (data / "rte/train.tsv").read_text().split("\n")[1:] if line]
    jobs = [(row[1], row[2], 4 + i * 37 % 126) for i, row in enumerate(rows)]
    golden["robertaPairs"] = digest(truncated(fast, jobs))
    golden["robertaSingles"] = digest(truncated(fast, [(a, None, n) for a, _, n in jobs]))

    (HERE / "byte_pair.json").write_text(json.dumps(golden, ensure_ascii=True, indent=1) + "\n")


if __name__ == "__main__":
    main()
