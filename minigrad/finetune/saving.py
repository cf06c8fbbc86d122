"""Models into folders as Hugging Face lays them out, for `transformers` and for `from_pretrained`.

Both the names and the settings follow from the tables in `families`.
"""

import json
from pathlib import Path

from ..atomic import replacing
from ..weight_file import parts_of_file
from .families import family_of_model
from .loading import CONFIG
from .sentence_folder import files_of

WEIGHTS, TOKENIZER_CONFIG = "model.safetensors", "tokenizer_config.json"
# What transformers calls a special token, and those that may be it, the first one that is there.
_ROLES = {
    "bos_token": ("<|begin_of_text|>", "<s>"),
    "eos_token": ("<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|im_end|>", "</s>"),
    "unk_token": ("[UNK]", "<unk>"),
    "pad_token": ("[PAD]", "<pad>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>"),
    "cls_token": ("[CLS]",),
    "sep_token": ("[SEP]",),
    "mask_token": ("[MASK]",),
}


def save_pretrained(model, path, head=None, settings=None):
    """Write a models.BERT, GPT or Llama into a folder, with its tokenizer if it has one.

    config.json, model.safetensors, tokenizer.json, and tokenizer_config.json for transformers; also
    the files of sentence-transformers for a BERT that came from such a folder. Files of these names
    are replaced, each as a whole.

    head      {name: array} of weights of another head on the model, in their names and shapes
    settings  what config.json says beside what it says of the model, such as {"architectures": ...}

    ValueError for a model with weights that theirs does not have, such as adapters.
    """
    begins = _left_out(model, bool(head))
    arrays = {name.removeprefix(begins): array for name, array in their_weights(model).items()}
    arrays |= head or {}
    config = family_of_model(model).config(model)
    config |= {"dtype": model.dtype, **(settings or {})}
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as file:
        file.writelines(parts_of_file(arrays, {"format": "pt"}))
    contents = {CONFIG: config, **files_of(model)}
    if model.tokenizer is not None:
        model.tokenizer.save(folder)
        contents[TOKENIZER_CONFIG] = _tokenizer_config(model)
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        with replacing(folder / name) as file:
            file.write((json.dumps(content, indent=2) + "\n").encode())


def _tokenizer_config(model):
    """What transformers needs beside tokenizer.json: a class that does what stands there, as those
    of single families do not, and which special tokens are for what.
    """
    special = model.tokenizer.special_tokens
    roles = {
        role: next((name for name in names if name in special), None)
        for role, names in _ROLES.items()
    }
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model.max_sequence_length,
        "clean_up_tokenization_spaces": False,
        **{role: name for role, name in roles.items() if name is not None},
    }


def their_weights(model):
    """{name: array} of a model's weights, as Hugging Face names and turns them.

    ValueError for weights that have no name there.
    """
    family, arrays = family_of_model(model), {}
    for path, weight in model.weights().items():
        name = family.name(path)
        if name is None:
            raise ValueError(
                f"{path} has no place in a folder of Hugging Face's. Adapters are saved by "
                "save_adapter, or become part of the weights: merge(model, for_good=True)"
            )
        array = weight.numpy()
        arrays[name.theirs] = array.T if name.is_transposed else array
    return arrays


def their_layers(model, has_head=False):
    """{our path: theirs} of all layers of a model that have weights, as for `save_adapter`.

    has_head  whether another head is on the model, by which their paths begin otherwise
    """
    family, begins = family_of_model(model), _left_out(model, has_head)
    found = {}
    for path in model.weights():
        name, owner = family.name(path), path.rpartition(".")[0]
        if name is not None and owner:
            found[owner] = name.theirs.removeprefix(begins).rpartition(".")[0]
    return found


def _left_out(model, has_head):
    """What no name begins with where there is no head, neither the model's own nor another."""
    has_head = has_head or getattr(model, "head", "tokens") is not None
    return "" if has_head else family_of_model(model).prefix
