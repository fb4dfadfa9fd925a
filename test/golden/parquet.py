"""Writes parquet/: small Parquet files of every codec, encoding and type that a data set may have, and their rows as JSON.

    python test/golden/parquet.py

Needs pyarrow (made with 26.0.1; other versions may lay pages out otherwise). The sentences of reviews.*.parquet, which look like the
Hub's SST-2, are those of examples/data.
"""

import csv
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "parquet"
EXAMPLES = HERE.parent.parent / "examples" / "data"
FOLDER.mkdir(exist_ok=True)
golden = {}


def features(**columns):
    """The schema metadata that the `datasets` library writes."""
    return {"huggingface": json.dumps({"info": {"features": columns}})}


def value(dtype):
    return {"dtype": dtype, "_type": "Value"}


def write(name, table, expected=True, **options):
    path = FOLDER / f"{name}.parquet"
    pq.write_table(table, path, **options)
    if expected:
        golden[path.name] = table.to_pylist()


CLASSES = {"names": ["O", "B-x", "I-x"], "_type": "ClassLabel"}
ROWS = 12
texts = [f"row {i} – {'é😀中' * (i % 3)}" for i in range(ROWS)]
types = pa.schema(
    {
        "text": pa.string(),
        "maybe": pa.string(),
        "required": pa.field("required", pa.string(), nullable=False).type,
        "label": pa.int64(),
        "count": pa.int32(),
        "byte": pa.uint8(),
        "big": pa.int64(),
        "score": pa.float64(),
        "ratio": pa.float32(),
        "flag": pa.bool_(),
        "tokens": pa.list_(pa.string()),
        "ner_tags": pa.list_(pa.int64()),
        "nested": pa.list_(pa.list_(pa.int32())),
        "answers": pa.struct({"text": pa.list_(pa.string()), "answer_start": pa.list_(pa.int32())}),
        "spans": pa.list_(pa.struct({"text": pa.string(), "answer_start": pa.int32()})),
        "pair": pa.struct({"a": pa.string(), "b": pa.struct({"c": pa.int32()})}),
        "nothing": pa.string(),
    },
    metadata=features(
        text=value("string"),
        label={"names": ["bad", "good", "fair"], "_type": "ClassLabel"},
        tokens={"feature": value("string"), "_type": "Sequence"},
        ner_tags={"feature": CLASSES, "_type": "Sequence"},
    ),
)
types = types.set(2, pa.field("required", pa.string(), nullable=False))
everything = pa.Table.from_pydict(
    {
        "text": texts,
        "maybe": [None if i % 3 == 0 else f"m{i % 2}" for i in range(ROWS)],
        "required": [f"r{i // 4}" for i in range(ROWS)],
        "label": [i % 3 for i in range(ROWS)],
        "count": [(-1) ** i * i * 1000 for i in range(ROWS)],
        "byte": [i * 20 for i in range(ROWS)],
        "big": [(-1) ** i * 2 ** (4 * i) for i in range(ROWS)],
        "score": [i / 7 for i in range(ROWS)],
        "ratio": [i / 8 for i in range(ROWS)],
        "flag": [i % 5 < 2 for i in range(ROWS)],
        "tokens": [None if i == 4 else [f"t{j}" if j != 2 else None for j in range(i % 4)] for i in range(ROWS)],
        "ner_tags": [[j % 3 for j in range(i % 4)] for i in range(ROWS)],
        "nested": [None if i == 1 else [None if j == 1 else list(range(j)) for j in range(i % 4)] for i in range(ROWS)],
        "answers": [None if i == 3 else {"text": ["a", "b"][: i % 3], "answer_start": [i, 1][: i % 3]} for i in range(ROWS)],
        "spans": [[{"text": f"s{j}", "answer_start": j} if j < 2 else None for j in range(i % 4)] for i in range(ROWS)],
        "pair": [None if i == 2 else {"a": f"a{i}", "b": None if i == 5 else {"c": i}} for i in range(ROWS)],
        "nothing": [None] * ROWS,
    },
    schema=types,
)
for codec in ["none", "snappy", "gzip", "zstd", "brotli"]:
    write(codec, everything, compression=codec)
flat = everything.select(["text", "maybe", "required", "label", "count", "big", "score", "ratio", "flag", "tokens"])
write("pages", everything, compression="snappy", row_group_size=5, data_page_size=1, write_batch_size=2)
write("version2", everything, compression="zstd", data_page_version="2.0", row_group_size=7, data_page_size=1, write_batch_size=3)
write("plain", everything, compression="none", use_dictionary=False, write_statistics=False)
encodings = {
    "text": "DELTA_BYTE_ARRAY",
    "maybe": "DELTA_LENGTH_BYTE_ARRAY",
    "required": "DELTA_BYTE_ARRAY",
    "label": "DELTA_BINARY_PACKED",
    "count": "DELTA_BINARY_PACKED",
    "big": "DELTA_BINARY_PACKED",
    "score": "BYTE_STREAM_SPLIT",
    "ratio": "BYTE_STREAM_SPLIT",
    "flag": "RLE",
    "tokens.list.element": "DELTA_LENGTH_BYTE_ARRAY",
}
write("encodings", flat, compression="snappy", use_dictionary=False, column_encoding=encodings, data_page_version="2.0")
write("encodings1", flat, compression="none", use_dictionary=False, column_encoding=encodings)
# Runs longer and wider than a byte, and lists that go on over pages.
many = 1500
long = pa.table(
    {
        "run": ["same"] * 700 + ["other"] * 800,
        "wide": [f"w{i * 7919 % 700}" for i in range(many)],
        "some": [None if i % 100 < 50 else i % 9 for i in range(many)],
        "delta": [i * i % 1009 for i in range(many)],
        "list": [list(range(i % 7)) for i in range(many)],
    }
)
write("long", long, compression="zstd", data_page_size=256, column_encoding={"delta": "DELTA_BINARY_PACKED"}, use_dictionary=["run", "wide"], write_batch_size=64)
lists = pa.table({"old": [[1, 2], [], None], "dictionary": pa.array(["x", "y", "x"]).dictionary_encode(), "large": pa.array(["p", None, "q"], pa.large_string())})
write("old", lists, compression="snappy", use_compliant_nested_type=False, version="1.0")
big = pa.table(
    {
        "signed": pa.array([-(2**63), -(2**53) + 1], pa.int64()),
        "unsigned": pa.array([2**64 - 1, 2**53 - 1], pa.uint64()),
        "small": pa.array([2**32 - 1, 0], pa.uint32()),
    }
)
write("big", big, expected=False)
structured = pa.table(
    {
        "id": ["t1", "t2"],
        "tokens": [["Ada", "met", "Bob"], ["Oslo"]],
        "ner_tags": [[1, 0, 1], [0]],
        "context": ["😀 Ada met Bob", "Oslo"],
        "question": ["Whom?", "Who?"],
        "answers": [{"text": ["Bob"], "answer_start": [10]}, {"text": [], "answer_start": []}],
    }
)
NER = features(ner_tags={"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"})
write("structured", structured.replace_schema_metadata(NER), expected=False)
# Small files that unpack to more than anybody wants.
write("many-rows", pa.table({"text": pa.nulls(2**23 + 1, pa.string())}), expected=False, compression="zstd", row_group_size=2**23)
items = pa.ListArray.from_arrays(pa.array([0, 2**25 + 1], pa.int32()), pa.nulls(2**25 + 1, pa.string()))
write("many-items", pa.table({"tokens": items}), expected=False, compression="zstd")
write("empty", everything.slice(0, 0), compression="snappy")
# What a data set hardly has, and Graft does not read.
odd = pa.table({"text": ["a"], "when": pa.array([0], pa.timestamp("us")), "price": pa.array([1], pa.decimal128(20, 2)), "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), "binary": pa.array([b"\xff\xfe"])})
write("odd", odd, expected=False, compression="lz4")
write("odd-types", odd, expected=False, compression="none")

SST2 = features(sentence=value("string"), label={"names": ["negative", "positive"], "_type": "ClassLabel"}, idx=value("int32"))
for split, name in {"train": "train", "dev": "validation"}.items():
    with open(EXAMPLES / f"reviews.{split}.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    table = pa.table(
        {
            "sentence": [row["text"] for row in rows],
            "label": [["negative", "positive"].index(row["sentiment"]) for row in rows],
            "idx": pa.array(range(len(rows)), pa.int32()),
        }
    )
    write(f"reviews.{name}", table.replace_schema_metadata(SST2), expected=False, compression="snappy", row_group_size=100)

text = json.dumps(golden, separators=(",", ":"), ensure_ascii=True)
(FOLDER / "rows.json").write_text(text + "\n")
