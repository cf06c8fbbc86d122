"""Makes pretrained/: small models by Hugging Face's transformers, in folders as it writes them.

    python -m tests.golden.make_pretrained    (needs torch and transformers; see `make golden`)

Their weights are large, so that no part of a model is nearly linear. Beside the folders are the
logits that transformers finds in float64.
"""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

FOLDER = Path(__file__).with_name("pretrained")
FILE = FOLDER / "results.safetensors"

_BERT = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 12,
}
_LLAMA = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 32,
}
_SCALED = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}

# The class there, the settings, the dtype in its file, and options of `save_pretrained`.
CASES = {
    "bert": ("BertModel", _BERT, "float32", {}),
    "bert_tokens": ("BertForMaskedLM", _BERT, "float32", {}),
    "bert_classes": (
        "BertForSequenceClassification",
        {**_BERT, "id2label": {0: "no", 1: "perhaps", 2: "yes"}},
        "float64",
        {},
    ),
    "gpt2": (
        "GPT2LMHeadModel",
        {"vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 12},
        "float32",
        {},
    ),
    "gpt2_body": (
        "GPT2Model",
        {"vocab_size": 40, "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 12},
        "float16",
        {},
    ),
    "llama": (
        "LlamaForCausalLM",
        {**_LLAMA, "rope_parameters": _SCALED},
        "bfloat16",
        {"max_shard_size": "5KB"},
    ),
    "qwen2": ("Qwen2ForCausalLM", {**_LLAMA, "tie_word_embeddings": True}, "bfloat16", {}),
    "qwen3": ("Qwen3ForCausalLM", {**_LLAMA, "head_dim": 6}, "float32", {}),
}
SENTENCES = "sentences"  # a folder as sentence-transformers lays it out, of the case "bert"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmno", "##a", "##b", "##c"]
TEXTS = ["a b c", "abc", "d e f g h i", "o"]

IDS = np.random.default_rng(0).integers(0, 40, (3, 8))
MASK = np.arange(8) < np.array([[8], [5], [6]])  # of the BERTs alone
SEGMENTS = np.where(np.arange(8) > 3, 1, 0) * MASK


def make(case):
    """Write the folder of a case. -> its logits or features, in float64"""
    import torch
    import transformers

    kind, settings, dtype, shards = CASES[case]
    model_class = getattr(transformers, kind)
    model = model_class(model_class.config_class(**settings)).eval()
    for name, parameter in model.named_parameters():
        random = np.random.default_rng(zlib.crc32(f"{case} {name}".encode()))
        values = 0.3 * random.standard_normal(parameter.shape)
        is_scale = name.endswith("weight") and parameter.ndim == 1
        with torch.no_grad():
            parameter.copy_(torch.tensor(values + is_scale))
    model.to(getattr(torch, dtype)).save_pretrained(FOLDER / case, **shards)
    (FOLDER / case / "generation_config.json").unlink(missing_ok=True)
    # Read again, since `to` has rounded more than the weights: the frequencies of positions.
    return call(model_class.from_pretrained(FOLDER / case, dtype=torch.float64), case)


def call(model, case):
    """What a model of transformers makes of IDS."""
    import torch

    words = {"input_ids": torch.tensor(IDS)}
    if case.startswith("bert"):
        words |= {
            "attention_mask": torch.tensor(MASK),
            "token_type_ids": torch.tensor(SEGMENTS),
        }
    with torch.no_grad():
        return model(**words)[0].double().numpy()


def make_sentences():
    """Write the folder of a sentence-transformer. -> the vectors of TEXTS, in float64"""
    import torch
    import transformers

    folder = FOLDER / SENTENCES
    shutil.copytree(FOLDER / "bert", folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    modules = [
        {
            "idx": i,
            "name": str(i),
            "path": f"{i}_{name}" if i else "",
            "type": f"sentence_transformers.models.{name}",
        }
        for i, name in enumerate(["Transformer", "Pooling", "Normalize"])
    ]
    files = {
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": 7, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": 16,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder).double().eval()
    words = tokenizer(TEXTS, padding=True, truncation=True, max_length=7, return_tensors="pt")
    with torch.no_grad():
        features = model(**words)[0]
    mask = words["attention_mask"][:, :, None]
    vectors = (features * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(vectors).numpy()


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    results = {case: make(case) for case in CASES}
    results[SENTENCES] = make_sentences()
    save_file({name: np.ascontiguousarray(array) for name, array in results.items()}, FILE)
    for path in FOLDER.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def load():
    """{case: what transformers makes of IDS; or of TEXTS}"""
    return load_file(FILE)


if __name__ == "__main__":
    main()
