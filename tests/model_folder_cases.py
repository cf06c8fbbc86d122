"""Settings, tokenizers, tasks and adapters that are broken or mean harm: see tests.hostile_files.

Each case is a good folder, in which one file is another.
"""

import json
import os
import shutil

from minigrad import finetune, text
from tests.golden import make_adapters, make_pretrained, make_tokenizers
from tests.tiny_models import tiny_gpt
from tests.weight_file_cases import LONG, MODEL, entry, large, with_header, write

PEERS = json.loads(make_tokenizers.FILE.read_text(encoding="ascii"))["tokenizers"]
CONFIG, MODULES, POOLING = "config.json", "modules.json", "1_Pooling/config.json"
LENGTH, TOKENIZER, OPTIONS = "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json"
WORDS, PAIRS, MERGES = "vocab.txt", "vocab.json", "merges.txt"
TASK, ADAPTER = "minigrad_task.json", "adapter_config.json"


# ---- Good folders, and what reads them -----------------------------------------------------------


def pretrained(case, without=()):
    def make(folder):
        shutil.copytree(make_pretrained.FOLDER / case, folder, dirs_exist_ok=True)
        for name in without:
            (folder / name).unlink()

    return make


def of_older_files(folder):
    """A GPT whose tokenizer is in the two files from before tokenizer.json."""
    tiny_gpt(folder)
    text.save_vocabulary(text.load_tokenizer(folder), folder)
    (folder / TOKENIZER).unlink()


def adapter(folder):
    shutil.copytree(make_adapters.FOLDER / "rslora_and_head", folder, dirs_exist_ok=True)


def load_adapter(folder):
    finetune.load_adapter(make_adapters.our_model(), folder, names=make_adapters.NAMES)


def finetuned(folder, method=None):
    """A model with a head; with a method, its adapter, whose base is in the folder too."""
    pretrained("sentences")(folder / "base")
    task = finetune.tasks.Classify(labels=["good", "bad"])
    model = task.model(finetune.from_pretrained(folder / "base"))
    if method is not None:
        finetune.prepare(model, method)
        finetune.save_finetuned(model, task, folder, base=folder / "base")
    else:
        finetune.save_finetuned(model, task, folder)


def adapted(folder):
    finetuned(folder, finetune.LoRA(r=1, targets="query"))


def chat(folder):
    write(folder / OPTIONS, {"chat_template": "<|im_start|>"})


def classes(folder):
    return finetune.from_pretrained(folder, head="classes")


GOOD = {  # {what: (what makes it, what reads it)}
    **{
        case: (pretrained(case), finetune.from_pretrained)
        for case in ["bert", "gpt2", "llama", "qwen3", "sentences"]
    },
    "bert_classes": (pretrained("bert_classes"), classes),
    "words": (pretrained("sentences", [TOKENIZER]), finetune.from_pretrained),
    "pairs": (of_older_files, finetune.from_pretrained),
    **{
        name: (lambda folder, of=name[10:]: write(folder / TOKENIZER, PEERS[of]["file"]), read)
        for name, read in dict.fromkeys(
            (f"tokenizer {name}" for name in PEERS), text.load_tokenizer
        ).items()
    },
    "chat": (chat, finetune.tasks.FollowInstructions.of_folder),
    "adapter": (adapter, load_adapter),
    "finetuned": (finetuned, finetune.load_finetuned),
    "adapted": (adapted, finetune.load_finetuned),
}


# ---- What is done to them ------------------------------------------------------------------------


def with_file(what, name, content):
    """A good folder with another file: data, or a function of its path that makes it."""
    make, read = GOOD[what]

    def change(folder):
        make(folder)
        (folder / name).unlink(missing_ok=True)
        content(folder / name) if callable(content) else write(folder / name, content)

    return change, "model", read


def with_value(what, name, path, value):
    """A good folder where a file of JSON has another value, or a new one, at a place."""
    make, read = GOOD[what]

    def change(folder):
        make(folder)
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        inner = content
        for key in path[:-1]:
            inner = inner[key]
        if isinstance(inner, list) and path[-1] == len(inner):
            inner.append(value)
        else:
            inner[path[-1]] = value
        write(folder / name, content)

    return change, "model", read


def link_out(path):
    """A link to what would be good, and lies beside the folder."""
    root = next(parent for parent in path.parents if parent.name == "model")
    path.rename(root.parent / "outside") if path.exists() else write(root.parent / "outside", "{}")
    path.symlink_to(root.parent / "outside")


# What no file may be, whatever it is for.
NO_FILE = {
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a link out": link_out,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}
NO_UTF8 = {
    "in Latin-1": '{"a": "größe"}'.encode("latin-1"),
    "in UTF-16": '{"a": 1}'.encode("utf-16"),
    "with half a letter": b'{"a": "\xc3"}',
    "with half a pair": b'{"a": "\xed\xa0\x80"}',
    "not in the shortest form": b'{"a": "\xc0\xaf"}',
}
NO_JSON = {
    **NO_FILE,
    **NO_UTF8,
    "empty": "",
    "cut": '{"a": [1, 2',
    "null": "null",
    "a number": "1",
    "two objects": "{} {}",
    "zeros": bytes(1000),
    "a web page": "<!DOCTYPE html><title>404</title>",
    "nested deeply": "[" * 100_000,
    "nested deeply in objects": '{"a":' * 100_000,
    "nested deeply and closed": "[" * 200_000 + "]" * 200_000,
    "a number of 100,000 digits": '{"a": ' + "9" * 100_000 + "}",
    "a name twice": '{"a": 1, "a": 2}',
    "a name twice inside": '{"a": {"b": 1, "b": 2}}',
}
MANY = 1_000_000
LARGE_JSON = {
    "a million lists": '{"a": [' + ",".join(["[]"] * MANY) + "]}",
    "a million objects": '{"a": [' + ",".join(["{}"] * MANY) + "]}",
    "a million names": "{" + ",".join(f'"{i}":{i}' for i in range(MANY)) + "}",
    "790,000 texts": '{"a": [' + ",".join(['"Āa"'] * 790_000) + "]}",
    "a million texts": '{"a": [' + ",".join(['"Āa"'] * MANY) + "]}",
    "a million numbers": '{"a": [' + ",".join(["1.5"] * MANY) + "]}",
    "300,000 objects with a name": '{"a": [' + ",".join(['{"a":1}'] * 300_000) + "]}",
    "a text of 16 MB": '{"a": "' + 4 * LONG + '"}',
    "a text of 16 MB in wide letters": '{"a": "\U0001f642' + 4 * LONG + '"}',
    "200 MB": lambda path: large(path.name, b"{")(path.parent),
}
LARGE_TEXT = {
    "a million lines": "\n".join(map(str, range(MANY))),
    "a line of 16 MB": 4 * LONG,
    "16 MB of wide letters": "\U0001f642" * 4_000_000,
    "200 MB": lambda path: large(path.name, b"a\n")(path.parent),
}
FILES = [  # (a good folder, the name of a file in it, what else that file may be)
    ("bert", CONFIG, NO_JSON | LARGE_JSON),
    ("sentences", TOKENIZER, NO_JSON | LARGE_JSON),
    ("words", OPTIONS, NO_JSON | LARGE_JSON),
    *(("sentences", name, NO_JSON) for name in (MODULES, POOLING, LENGTH)),
    *(("pairs", PAIRS, NO_JSON), ("adapter", ADAPTER, NO_JSON), ("finetuned", TASK, NO_JSON)),
    ("words", WORDS, NO_FILE | NO_UTF8 | LARGE_TEXT),
    ("pairs", MERGES, NO_FILE | NO_UTF8 | LARGE_TEXT),
]

DIGITS = 10**400  # no float is as large
NAN, INFINITY = float("nan"), float("inf")
NO_TEXT = [0, 1.5, True, ["a"], {"a": "b"}, NAN, DIGITS]
NO_FLAG = [0, 1, 1.5, "true", [], {}, NAN]
NO_NUMBER = [-1, "1", True, [1], {}, DIGITS, NAN, INFINITY, -INFINITY, LONG]
NO_SIZE = [0, 2**31, 2**40, 2**63, 10**30, 1.5, *NO_NUMBER]
SIZES = {
    "bert": ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"],
    "gpt2": ["vocab_size", "n_embd", "n_layer", "n_head", "n_inner", "n_positions"],
    "llama": ["num_key_value_heads", "head_dim", "intermediate_size", "num_hidden_layers"],
    "qwen3": ["head_dim"],
}
ROTATION = ["rope_theta", "factor", "low_freq_factor", "high_freq_factor"]
NAMES_OUT = ["..", "../outside", "/etc", "a/../..", "/dev/zero", "\0", "x" * 10_000, "a/" * 10_000]
NO_ID = [-1, 2**31, 2**63, DIGITS, 1.5, "7", True, None, [], {}, NAN, INFINITY]
SINGLE, SECOND = ["post_processor", "single"], ["post_processor", "pair", 3, "Sequence"]
WORD = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
VALUES = [  # (a good folder, a file, a place in it, the values that may not be there)
    *(("bert", CONFIG, ["model_type"], value) for value in [NO_TEXT, ["", "BERT", "t5", LONG]]),
    ("bert", CONFIG, ["hidden_act"], ["relu", "gelu_new", LONG, *NO_TEXT]),
    ("bert", CONFIG, ["layer_norm_eps"], NO_NUMBER),
    ("bert", CONFIG, ["hidden_dropout_prob"], [1, *NO_NUMBER]),
    ("bert_classes", CONFIG, ["id2label"], [*NO_TEXT[:4], "good", {"0": "a", "1": "b"}]),
    *((what, CONFIG, [name], NO_SIZE) for what, names in SIZES.items() for name in names),
    ("bert", CONFIG, ["max_position_embeddings"], NO_SIZE),
    ("llama", CONFIG, ["tie_word_embeddings"], NO_FLAG),
    ("llama", CONFIG, ["rope_parameters"], ["default", 1, [], NAN, {"rope_type": LONG}]),
    *(("llama", CONFIG, ["rope_parameters", name], [0, *NO_NUMBER]) for name in ROTATION),
    ("qwen3", CONFIG, ["layer_types"], ["full_attention", 1, [1], [LONG], {"a": 1}]),
    ("sentences", LENGTH, ["max_seq_length"], [13, *NO_SIZE]),
    ("sentences", LENGTH, ["do_lower_case"], [True, *NO_FLAG]),
    ("sentences", POOLING, ["pooling_mode_cls_token"], [True, *NO_FLAG]),
    ("sentences", POOLING, ["pooling_mode_mean_tokens"], [False, *NO_FLAG]),
    *(("sentences", MODULES, [i, "path"], [*NAMES_OUT, *NO_TEXT]) for i in (0, 1)),
    ("sentences", MODULES, [1, "type"], ["", "os.system", LONG, *NO_TEXT]),
    ("sentences", MODULES, [1], [0, [], "Pooling", {}]),
    ("sentences", TOKENIZER, SINGLE, [None, [], [WORD] * 2, [1], [{}], [{"a": 1}], "[CLS]"]),
    ("sentences", TOKENIZER, [*SINGLE, 0, "SpecialToken", "id"], ["[NO]", LONG, *NO_TEXT]),
    ("sentences", TOKENIZER, [*SECOND, "id"], ["A", "C", LONG, *NO_TEXT]),
    ("sentences", TOKENIZER, [*SECOND, "type_id"], [2, *NO_ID]),
    ("words", OPTIONS, ["do_lower_case"], NO_FLAG),
    ("words", OPTIONS, ["strip_accents"], NO_FLAG),
    ("chat", OPTIONS, ["chat_template"], [1, {}, [], [[]], [{"name": []}], LONG, "{{ a ** b }}"]),
    ("adapter", ADAPTER, ["peft_type"], ["IA3", LONG, *NO_TEXT]),
    ("adapter", ADAPTER, ["r"], NO_SIZE),
    ("adapter", ADAPTER, ["lora_alpha"], [0, *NO_NUMBER]),
    ("adapter", ADAPTER, ["lora_dropout"], [1, *NO_NUMBER]),
    ("adapter", ADAPTER, ["use_rslora"], NO_FLAG),
    ("adapter", ADAPTER, ["bias"], ["all", LONG, *NO_TEXT]),
    ("finetuned", TASK, ["task"], [None, "", "sing", LONG, *NO_TEXT]),
    ("finetuned", TASK, ["settings"], [None, "labels", {}, {"labels": ["a", "b"], "os": 1}]),
    ("finetuned", TASK, ["settings", "labels"], ["ab", 3, None, [], ["a"], ["a", "a"], {"a": "b"}]),
    ("finetuned", TASK, ["settings", "labels"], [[*map(str, range(100_000))], LONG]),
    *(("finetuned", TASK, ["settings", name], NO_TEXT) for name in ("text", "pair", "label")),
    ("finetuned", TASK, ["settings", "pooling"], ["", "sum", LONG, *NO_TEXT]),
    ("finetuned", TASK, ["settings", "max_length"], [0, 1.5, *NO_NUMBER[:-2]]),
    ("finetuned", TASK, ["base"], [".", "base", *NO_TEXT]),
    ("adapted", TASK, ["base"], [None, "", "nowhere", *NAMES_OUT[4:], LONG, *NO_TEXT]),
]

# ---- Tokenizers ----------------------------------------------------------------------------------

TOKEN = {"id": 7, "content": "new"}
ENDS = ("cls", "sep")  # of BertProcessing
SPLIT = {"type": "Split", "behavior": "Isolated", "invert": False}
EXPLODING = ["(a+)+$", "(" * 1000 + ")" * 1000, "(a?){9999}", "[", "(?P<a", "\\", LONG]
TOKENS = [  # as VALUES: of a tokenizer.json
    ("bert", ["added_tokens", 5], [{**TOKEN, "id": id} for id in NO_ID]),
    (
        "bert",
        ["added_tokens", 5],
        [{**TOKEN, "content": x} for x in ["", LONG, "\ud800", *NO_TEXT]],
    ),
    ("bert", ["added_tokens"], [NO_TEXT, {}, "[CLS]", [[]], [{}]]),
    ("bert", ["added_tokens"], [[{"id": 10**6 + i, "content": f"{i:06}"} for i in range(99_000)]]),
    ("bert", ["model", "vocab", "[CLS]"], NO_ID),
    ("bert", ["model", "vocab", "new"], [0, 1, *NO_ID]),
    ("bert", ["model", "vocab", "\ud800"], [10**6]),
    ("bert", ["model", "vocab"], [None, [], ["a"], "a", {}, {"[UNK]": 0}]),
    ("bert", ["model", "unk_token"], [None, "", "nobody", LONG, *NO_TEXT]),
    ("bert", ["model", "max_input_chars_per_word"], [0, 10**6, 1.5, *NO_NUMBER]),
    ("bert", ["model", "type"], ["", "Unigram", LONG, *NO_TEXT]),
    ("bert", ["normalizer", "lowercase"], NO_FLAG),
    ("bert", ["normalizer"], [None, 1, "BertNormalizer", {"type": "Replace", "pattern": LONG}]),
    ("bert", ["pre_tokenizer"], [None, 1, [], {"type": "Split", "pattern": {"Regex": "(a+)+$"}}]),
    ("bert", ["post_processor"], [1, [], "a", {"type": LONG}, {"type": ["a"]}, {"type": 1}]),
    *(("bert", ["post_processor", name], [None, [], "[CLS]", [1], [["[CLS]"]]]) for name in ENDS),
    ("gpt2", ["model", "merges"], [None, {}, "a b", [1], [[]], ["a"], ["a b c"], [["a", 1]]]),
    ("gpt2", ["model", "merges"], [[["Q", "Z"]], [["a", "b"]] * 99_000 + [["Q", "Z"]], [LONG]]),
    ("gpt2", ["model", "merges"], [[[LONG, "a"]], [[f"{i}", "a"] for i in range(100_000)]]),
    ("gpt2", ["model", "vocab"], [{}, {"a": 0}, {str(i): i for i in range(100_000)}]),
    ("gpt2", ["model", "byte_fallback"], [True, 1, "no", LONG, [1]]),
    ("gpt2", ["model", "ignore_merges"], NO_FLAG),
    ("gpt2", ["pre_tokenizer"], [{**SPLIT, "pattern": {"Regex": x}} for x in EXPLODING]),
    ("llama3", ["pre_tokenizer", "pretokenizers", 0, "pattern"], [{"Regex": x} for x in EXPLODING]),
    ("llama3", ["pre_tokenizer", "pretokenizers"], [None, 1, {}, "a", [None], [[]], [{}] * 99]),
    ("gpt2", ["normalizer"], [{"type": "Replace", "pattern": {"Regex": "(a+)+$"}}, 1, [], LONG]),
]


def many_layers(folder):
    """A model that claims as many layers as its header can name, each weight without a number."""
    count = 5_000
    table = finetune.families.FAMILIES[1].layers.values()
    names = [name.replace("*", str(i)) for i in range(count) for name in table if "*" in name]
    header = {f"{name}.weight": entry(shape=[0], offsets=[0, 0]) for name in names}
    header["transformer.wte.weight"] = entry(shape=[16, 16], offsets=[0, 1024])
    write(folder / MODEL, with_header(header, bytes(1024)))
    config = json.loads((make_pretrained.FOLDER / "gpt2" / CONFIG).read_text())
    write(folder / CONFIG, {**config, "n_layer": count, "vocab_size": 16})


def pooling_of_another(folder):
    """The folder 1_Pooling is a link to one that is good, and lies elsewhere."""
    pretrained("sentences")(folder)
    (folder / "1_Pooling").rename(folder.parent / "outside")
    (folder / "1_Pooling").symlink_to("../outside")


FOLDERS = {
    "as many layers as there are names": many_layers,
    "1_Pooling that is a link out": pooling_of_another,
}


def cases():
    """{name: (what makes it in a folder, the part of the path below, what reads it)}"""
    found = {name: (make, "model", finetune.from_pretrained) for name, make in FOLDERS.items()}
    for what, name, contents in FILES:
        for kind, content in contents.items():
            found[f"{what}: {name} that is {kind}"] = with_file(what, name, content)
    tokens = [(f"tokenizer {name}", TOKENIZER, *rest) for name, *rest in TOKENS]
    for what, name, path, values in VALUES + tokens:
        place = ".".join(map(str, path))
        for number, value in enumerate(values):
            case = f"{what}: {name} with {place} = {value!r:.50}, {number}"
            found[case] = with_value(what, name, path, value)
    return found
