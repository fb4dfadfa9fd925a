"""Writes test/golden/tokenizer.json: what Hugging Face's tokenizers make of the texts in test/tokenizer.

    pip install tokenizers==0.22.2 transformers==4.57.6
    python test/golden/tokenizer.py SHARED      # SHARED holds data/, see test/support/shared.ts

Texts are not committed, only digests of their ids: for every `CHUNK` texts the first 12 hexadecimal digits of the SHA-256 of all
their ids and lengths (u32, little endian: length, ids, next length, …), so that a mismatch names the place.
"""

import gzip
import hashlib
import json
import struct
import sys
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertTokenizerFast

OUTPUT = Path(__file__).with_name("tokenizer.json")
CHUNK = 500
CODE_POINT_CHUNK = 8192
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

# name: (folder, lower case, strip accents)
MODELS = {
    "uncased": ("bert-base-uncased", True, None),
    "cased": ("bert-base-cased", False, None),
    "multilingual": ("bert-base-multilingual-cased", False, None),
    "chinese": ("bert-base-chinese", False, None),
    "chinese, lower case": ("bert-base-chinese", True, None),
}

# Chosen by hand, whole ids committed.
EXAMPLES = [
    "",
    " \t\r\n",
    "The quick brown fox jumps over the lazy dog.",
    "Café Ångström NAÏVE ﬁancé ǅ ß ΑΣ İstanbul ı",
    "Cafe\u0301 e\u0323\u0302 \u0301 o\u1dfa\u0323",
    "北京大学 and 東京,ひらがな カタカナ 한국어 각",
    "[MASK] [mask][SEP]x[CLS]y [ MASK] [UNK] [PAD]ing [unused1] [[MASK]]",
    "no\u0000nul\u0001\u007f\u0085 so\u00adft zero\u200bwidth\u200d\ufeff \ufffd",
    "don't $5.00 a_b <s> `x` ^ ~ | = + §½ €5 “quoted” … – ¿qué?",
    "a" * 100 + " " + "a" * 101 + " " + "é" * 100 + " " + "é" * 101,
    "unaffable electroencephalographically ##ing # ##",
    "👍🏽 👨‍👩‍👧 🇩🇪 x\U0001d15ey \U000e0041 \ue000 \U0010ffff",
    "हिन्दी العربية עִבְרִית ไทย தமிழ் ၏ ខ្មែរ",
    "\u2028a\u2029b\u00a0c\u3000d\u1680e\u180ef\u200ag",
]

# What random texts are made of: letters, blanks, punctuation, controls, and all that meets in normalisation.
POOL = (
    list("aAbBzZ09 \t\n.,#-'[]éÉÅßΣςİıﬁǅ中文ひ。가각힣한ا")
    + [chr(c) for c in (0x00AD, 0x0085, 0x200B, 0x200D, 0x2028, 0x3000, 0xFFFD, 0xFEFF, 0xE000, 0x1F44D, 0x0378)]
    + [chr(c) for c in (0x0300, 0x0301, 0x0323, 0x0327, 0x0345, 0x034F, 0x0591, 0x05B0, 0x093C, 0x094D, 0x0E38, 0x302A)]
    + [chr(c) for c in (0x302E, 0x302F, 0x1D15E, 0x1D165, 0x1D166, 0x1D16D, 0x1D16E, 0x1D172, 0x1D1BB, 0x1D1C0)]
    + [chr(c) for c in (0x0BCA, 0x0CCB, 0x0F73, 0x0F81, 0x1FEF, 0x037E, 0x0958, 0xFB1D, 0xF900, 0x2F800, 0x2FA1D)]
    + [chr(c) for c in (0x1100, 0x1161, 0x11A8, 0x1E9E, 0x0130, 0x10400, 0x1E900, 0x0898, 0x1DFA, 0x11938, 0x1715)]
    + ["[MASK]", "[SEP]", "[UNK", "x" * 60]
)


def every_code_point():
    """A vocabulary that shows what became of each code point: itself and `##` itself, where anything can happen to it."""
    points = [*range(1, 0xD800), *range(0xE000, 0x20000), *range(0x2F800, 0x2FB00), *range(0xE0000, 0xE0200)]
    chars = [chr(c) for c in points]
    return SPECIAL + chars + ["##" + c for c in chars]


def synthetic(lowercase, strip_accents, chinese=True):
    vocabulary = {token: i for i, token in enumerate(every_code_point())}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(
        clean_text=True, handle_chinese_chars=chinese, strip_accents=strip_accents, lowercase=lowercase
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def random_texts(count, pool=POOL):
    state = 1

    def draw(n):
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return (state >> 8) % n

    return ["".join(pool[draw(len(pool))] for _ in range(1 + draw(24))) for _ in range(count)]


def data_sets(data):
    def lines(*names):
        return [line for name in names for line in (data / name).read_bytes().decode().split("\n") if line]

    sets = {
        "sst2": lines("sst2/train.tsv", "sst2/dev.tsv"),
        "cola": lines("cola/train.tsv", "cola/dev.tsv"),
        "banking77": lines("banking77/train.csv", "banking77/test.csv"),
        "blns": json.loads((data / "conformance/blns.json").read_text()),
    }
    for language in ["ar", "el", "en", "hi", "zh"]:
        paragraphs = [
            paragraph
            for article in json.loads((data / f"xquad/xquad.{language}.json").read_text())["data"]
            for paragraph in article["paragraphs"]
        ]
        sets[f"xquad.{language}"] = [
            text for p in paragraphs for text in [p["context"], *(qa["question"] for qa in p["qas"])]
        ]
    with gzip.open(data / "conformance/NormalizationTest-14.0.0.txt.gz", "rt", encoding="utf-8") as file:
        rows = [line.split(";")[:5] for line in file if line[0] not in "#@"]
    sets["normalization"] = [
        "".join(chr(int(point, 16)) for point in field.split(" ")) for row in rows for field in row
    ]
    return sets


def digest(encodings, chunk=CHUNK):
    ids = [encoding.ids for encoding in encodings]
    chunks = []
    for start in range(0, len(ids), chunk):
        sha = hashlib.sha256()
        for row in ids[start : start + chunk]:
            sha.update(struct.pack(f"<{len(row) + 1}I", len(row), *row))
        chunks.append(sha.hexdigest()[:12])
    return {"texts": len(ids), "tokens": sum(map(len, ids)), "chunks": " ".join(chunks)}


def truncated(tokenizer, jobs):
    """jobs: (first, second or None, maximum length)."""
    out = []
    for first, second, length in jobs:
        tokenizer.enable_truncation(length, strategy="longest_first")
        out.append(tokenizer.encode(first, second))
    tokenizer.no_truncation()
    return out


def main():
    data = Path(sys.argv[1]) / "data"
    sets = data_sets(data)
    golden = {"chunk": CHUNK, "codePointChunk": CODE_POINT_CHUNK, "pool": POOL, "real": {}, "examples": {}, "synthetic": []}

    for name, (folder, lowercase, strip_accents) in MODELS.items():
        vocabulary = data / "vocab" / folder / "vocab.txt"
        fast = BertTokenizerFast(str(vocabulary), do_lower_case=lowercase, strip_accents=strip_accents)
        backend = fast.backend_tokenizer
        golden["real"][name] = {key: digest(backend.encode_batch(texts)) for key, texts in sets.items()}
        golden["examples"][name] = [{"text": text, "ids": backend.encode(text).ids} for text in EXAMPLES]
        if name == "uncased":
            rows = [line.split("\t") for line in (data / "rte/train.tsv").read_text().split("\n")[1:] if line]
            jobs = [(row[1], row[2], 3 + i * 37 % 126) for i, row in enumerate(rows)]
            golden["pairs"] = digest(truncated(backend, jobs))
            golden["singles"] = digest(truncated(backend, [(a, None, n) for a, _, n in jobs]))
            file = Tokenizer.from_file(str(data / "vocab" / folder / "tokenizer.json"))
            file.no_truncation()
            file.no_padding()
            assert digest(file.encode_batch(sets["blns"])) == golden["real"][name]["blns"]

    texts = [f"a{chr(c)}b" for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    mixed = random_texts(20_000)
    for lowercase, strip_accents, chinese in [
        (False, False, True),
        (False, True, True),
        (True, False, True),
        (True, True, True),
        (True, True, False),
    ]:
        tokenizer = synthetic(lowercase, strip_accents, chinese)
        golden["synthetic"].append(
            {
                "lowercase": lowercase,
                "stripAccents": strip_accents,
                "handleChineseCharacters": chinese,
                "codePoints": digest(tokenizer.encode_batch(texts), CODE_POINT_CHUNK),
                "mixed": digest(tokenizer.encode_batch(mixed)),
            }
        )

    # Every way in which two lengths and a maximum can meet.
    jobs = [("a" * n, "b" * m, length) for length in range(3, 17) for n in range(13) for m in range(13)]
    golden["lengths"] = digest(truncated(synthetic(False, False), jobs))

    OUTPUT.write_text(json.dumps(golden, ensure_ascii=True, indent=1) + "\n")


if __name__ == "__main__":
    main()
