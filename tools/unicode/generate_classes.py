"""Writes assembly/tokenizer/class-data.ts: which code points are \\p{L}, \\p{N} and \\s in GPT-2's pattern.

    pip install tokenizers==0.22.2
    python tools/unicode/generate_classes.py            # rewrites the file
    python tools/unicode/generate_classes.py --check    # exits 1 if the file is not what this script would write

As in generate.py the library is asked about every code point, since the pattern's engine has a Unicode version of its own. The output
is read by `classes.ts`: for letters, numbers and blanks v(ranges), then ranges × { v(start - previous end), v(length) }, where `v` is an
unsigned LEB128 number.
"""

import sys
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from generate import TOKENIZERS, code_points, leb_ranges, numbers

OUTPUT = Path(__file__).resolve().parents[2] / "assembly" / "tokenizer" / "class-data.ts"

OTHER, LETTER, NUMBER, SPACE = range(4)


def probe():
    """The class of each code point, from how words break around it."""
    split = ByteLevel(add_prefix_space=False).pre_tokenize_str
    blanks = blanks_around_added_tokens()

    def words(text):
        return [(start, end) for _, (start, end) in split(text)]

    classes = {}
    for c in code_points():
        char = chr(c)
        joins = {kind: words(f"{member}{char}{member}") == [(0, 3)] for kind, member in ((LETTER, "a"), (NUMBER, "1"), (OTHER, "!"))}
        kinds = [kind for kind, joined in joins.items() if joined]
        assert len(kinds) <= 1, f"U+{c:04X}"
        if not kinds:
            # All but the last of several blanks are one word; a blank proper goes with the letter behind it.
            assert words(f"{char}{char}{char}a") == [(0, 2), *([(2, 4)] if char == " " else [(2, 3), (3, 4)])], f"U+{c:04X}"
        classes[c] = kinds[0] if kinds else SPACE
        assert (classes[c] == SPACE) == (c in blanks), f"U+{c:04X}: blanks around added tokens are others"
    return classes


def blanks_around_added_tokens():
    """What an added token with `lstrip` takes along: the pattern of another engine."""
    tokenizer = Tokenizer(BPE({chr(0x100 + i): i for i in range(2)}, []))
    tokenizer.add_tokens([AddedToken("<m>", lstrip=True)])
    blanks = set()
    for c in code_points():
        ((start, _),) = tokenizer.encode(f"{chr(c)}<m>").offsets[-1:]
        if start == 0:
            blanks.add(c)
    return blanks


def encode(classes):
    return b"".join(
        leb_ranges(c for c, k in classes.items() if k == wanted) for wanted in (LETTER, NUMBER, SPACE)
    )


def source(data):
    return f"""// Written by tools/unicode/generate_classes.py from tokenizers {TOKENIZERS}: the form is described there. Do not edit.

/** Where the {len(data):,} bytes lie. */
export const CLASS_DATA: usize = memory.data<u8>([
{numbers(data)}
]);
"""


def main():
    assert tokenizers.__version__ == TOKENIZERS, f"needs tokenizers {TOKENIZERS}, not {tokenizers.__version__}"
    text = source(encode(probe()))
    if "--check" in sys.argv:
        sys.exit(0 if OUTPUT.read_text() == text else f"{OUTPUT.name} is out of date")
    OUTPUT.write_text(text)


if __name__ == "__main__":
    main()
