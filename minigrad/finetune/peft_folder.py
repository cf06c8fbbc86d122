"""Adapters in folders as the library PEFT writes them: adapter_config.json and its weights.

    base_model.model.<path>.lora_A.weight (r, d)   .lora_B.weight (u, r)     Aᵀ and Bᵀ of LowRank
    base_model.model.<path>.weight (u, d)  .bias (u,)                        a head, as a whole

Whatever its model's own layers are, PEFT's matrices are (out, in), and ours are (in, out).

What PEFT does not keep is which base an adapter was learned on. Here the metadata of the weights
say it, under "minigrad_base": JSON with what `base_fingerprint` gives, and the name of the base.
"""

import json
import re
from pathlib import Path

import numpy as np

from .. import checkpoint
from ..atomic import replacing
from ..bounded_json import parse_json, shorten
from ..layers.core import positive_integer
from ..models.adapters import dense_layers
from ..registry import check_number
from ..weight_file import parts_of_file
from .adapters import add_adapter, check_known, check_not_merged, use_adapters
from .base_fingerprint import base_differences, base_fingerprint, is_fingerprint
from .folder import PretrainedFolder
from .freezing import freeze, unfreeze
from .paths import check_built, parents, suggest

_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model"
_BASE = "minigrad_base"
_PREFIX = "base_model.model."
_LONGEST = 200  # letters of a path that is looked for among those that are like it
_KEY = re.compile(r"base_model\.model\.(.+?)\.(lora_A\.weight|lora_B\.weight|weight|bias)")
# What would make another adapter of the same weights, and the values that do not.
_USUAL = {
    **dict.fromkeys(["use_dora", "use_qalora", "use_bdlora", "lora_bias"], (False, None)),
    **dict.fromkeys(["kasa_config", "velora_config", "monteclora_config"], (None,)),
    **dict.fromkeys(["arrow_config", "alora_invocation_tokens", "layer_replication"], (None,)),
    **dict.fromkeys(["rank_pattern", "alpha_pattern"], ({}, None)),
    **dict.fromkeys(["target_parameters", "trainable_token_indices"], (None, [], {})),
    "bias": ("none",),
    "init_lora_weights": (True, False, None, "gaussian", "orthogonal", "eva"),
}


def load_adapter(model, path, name="default", names=None, any_base=False):
    """Give a model that is built the adapter of a PEFT folder, under a name, and its head.

    names     {path of a layer in the model: its path in PEFT's}, where they differ; a layer stands
              for all that is in it, and of two that fit the longer counts
    any_base  whether the model may be another one than that which the adapter was learned on, as
              far as the folder says which: PEFT's own do not

    The adapter is then the one in use; it and the head learn, and all else is frozen, as after
    LoRA. Returns the paths of the layers that have it. ValueError for a folder that does not fit
    the model, or holds another kind of adapter; then the model is as it was.
    """
    check_built(model, "load_adapter")
    check_not_merged(model)
    folder = PretrainedFolder(path)
    options = _options(folder)
    found = dense_layers(model)
    layers = {_theirs(ours, names): ours for ours in found}
    stored = folder.weights(_WEIGHTS)
    parsed = {key: _parse(folder, key) for key in stored}
    heads = {layers.get(layer) for layer, part in parsed.values() if part in ("weight", "bias")}
    if not any_base:
        _check_base(folder, model, heads)
    arrays = {}
    for key, (layer, part) in parsed.items():
        if layer not in layers:
            raise ValueError(
                f"{folder.path}: {shorten(layer)} is no Dense layer of the model. "
                f"{suggest(layer[:_LONGEST], layers)}"
            )
        ours = layers[layer]
        arrays[ours, part] = stored[key].array(found[ours].weight.dtype).T
    targets = list(dict.fromkeys(ours for ours, part in arrays if part in ("a", "b")))
    _check(folder, arrays, _expected(found, targets, heads, options["r"]))

    add_adapter(model, name, targets, **options)
    freeze(model)
    use_adapters(model, name)
    for (ours, part), array in arrays.items():
        owner = found[ours].adapters[name] if part in ("a", "b") else found[ours]
        getattr(owner, part).assign(array)
    if heads:
        unfreeze(model, sorted(heads))
    return targets


def save_adapter(model, path, name="default", names=None, base=None, task_type=None, conv1d=False):
    """Write an adapter of a model to a PEFT folder, with the head: all else that learns.

    With it goes a fingerprint of the model without both, by which `load_adapter` knows it again.

    names      as in `load_adapter`
    base       what PEFT is to find the base by: the name of a model, or its folder
    task_type  PEFT's word for the task, such as "SEQ_CLS"
    conv1d     whether the layers are Conv1D there, as in GPT-2, and no Linear: `fan_in_fan_out`

    ValueError if something learns that such a folder has no place for.
    """
    check_known(model, name)
    found = dense_layers(model)
    adapters = {ours: found[ours].adapters[name] for ours in found if name in found[ours].adapters}
    heads = _heads(model, found, adapters)
    arrays = {}
    for ours, adapter in adapters.items():
        arrays[f"{_PREFIX}{_theirs(ours, names)}.lora_A.weight"] = adapter.a.numpy().T
        arrays[f"{_PREFIX}{_theirs(ours, names)}.lora_B.weight"] = adapter.b.numpy().T
    for ours in heads:
        for part in ("weight", "bias") if found[ours].use_bias else ("weight",):
            arrays[f"{_PREFIX}{_theirs(ours, names)}.{part}"] = getattr(found[ours], part).numpy().T
    adapter = next(iter(adapters.values()))
    config = {
        "peft_type": "LORA",
        "task_type": task_type,
        "base_model_name_or_path": base,
        "r": adapter.r,
        "lora_alpha": int(adapter.alpha) if adapter.alpha == int(adapter.alpha) else adapter.alpha,
        "lora_dropout": adapter.dropout,
        "use_rslora": adapter.use_rslora,
        "fan_in_fan_out": conv1d,
        "target_modules": [_theirs(ours, names) for ours in adapters],
        "modules_to_save": [_theirs(ours, names) for ours in heads] or None,
        "bias": "none",
        "inference_mode": True,
    }
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"format": "pt", _BASE: json.dumps({"name": base, **base_fingerprint(model, heads)})}
    with replacing(folder / f"{_WEIGHTS}.safetensors") as file:
        file.writelines(parts_of_file(arrays, metadata))
    with replacing(folder / _CONFIG) as file:
        file.write(json.dumps(config, indent=2).encode())


def _check_base(folder, model, heads):
    """ValueError if the folder says that its adapter was learned on another base than the model's.

    heads  the paths of the layers that the folder has as a whole
    """
    metadata = folder.metadata(_WEIGHTS)
    if _BASE not in metadata:
        return  # of PEFT's, or an older minigrad's
    try:
        expected = parse_json(metadata[_BASE])
    except ValueError as error:
        raise ValueError(f"{folder.path}: {_BASE} cannot be read: {error}") from error
    if not is_fingerprint(expected):
        raise ValueError(f"{folder.path}: {_BASE} is no fingerprint, but {shorten(expected)}")
    if found := base_differences(expected, base_fingerprint(model, heads)):
        name = expected.get("name")
        called = "" if name is None else f", {shorten(name)}"
        raise ValueError(
            f"{folder.path}: its adapter was learned on another base{called}, and on this one "
            f"would mean nothing. What differs is {'; and '.join(found)}. Who knows better takes "
            "it nevertheless, by any_base=True"
        )


def _theirs(path, names):
    """The path that PEFT has for a path of the model."""
    fitting = [ours for ours in parents(path) if ours in (names or {})]
    return names[fitting[-1]] + path.removeprefix(fitting[-1]) if fitting else path


def _options(folder):
    """Options for a LowRank. ValueError for what is more or else than LoRA."""
    config = folder.json(_CONFIG)
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind != "LORA":
        raise ValueError(
            f"{folder.path / _CONFIG} describes no LoRA. Received: peft_type={shorten(kind)}"
        )
    for key, usual in _USUAL.items():
        if config.get(key, usual[0]) not in usual:
            raise ValueError(
                f"{folder.path / _CONFIG}: minigrad does not know this LoRA. "
                f"Received: {key}={shorten(config[key])}"
            )
    use_rslora = config.get("use_rslora")
    if use_rslora is not None and not isinstance(use_rslora, bool):
        raise ValueError(
            f"{folder.path / _CONFIG}: use_rslora is true or false. Received: {shorten(use_rslora)}"
        )
    try:
        return {
            "r": positive_integer("LoRA", "r", config.get("r", 8)),
            "alpha": check_number("lora_alpha", config.get("lora_alpha", 8), positive=True),
            "dropout": check_number("lora_dropout", config.get("lora_dropout", 0), below=1),
            "use_rslora": bool(use_rslora),
        }
    except ValueError as error:
        raise ValueError(f"{folder.path / _CONFIG}: {error}") from error


def _parse(folder, key):
    """(PEFT's path of a layer, "a", "b", "weight" or "bias") of the name of an array."""
    found = _KEY.fullmatch(key)
    if not found:
        raise ValueError(
            f"{folder.path} has {shorten(key)}, which is no part of a LoRA of Dense layers"
        )
    layer, part = found.groups()
    return layer, {"lora_A.weight": "a", "lora_B.weight": "b"}.get(part, part)


def _expected(found, targets, heads, r):
    """{(path, part): (shape, dtype)} of an adapter for these layers, and of these heads."""
    expected = {}
    for path in targets:
        (d, u), dtype = found[path].weight.shape, found[path].weight.dtype
        expected |= {(path, "a"): ((d, r), dtype), (path, "b"): ((r, u), dtype)}
    for path in heads:
        for part in ("weight", "bias") if found[path].use_bias else ("weight",):
            own = getattr(found[path], part)
            expected[path, part] = own.shape, own.dtype
    return expected


def _check(folder, arrays, expected):
    """ValueError unless the arrays have the shapes that are expected, and finite numbers."""
    if not any(part == "a" for _, part in expected):
        raise ValueError(f"{folder.path} has no adapter in it")
    try:
        checkpoint.compare(
            {".".join(place): wanted for place, wanted in expected.items()},
            {".".join(place): array for place, array in arrays.items()},
        )
    except ValueError as error:
        raise ValueError(f"{folder.path}: {error}") from error
    for place, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{folder.path} has NaN or infinite numbers in {'.'.join(place)}")


def _heads(model, found, adapters):
    """The Dense layers without an adapter that learn; ValueError if anything else does."""
    heads = []
    for path, weight in model.weights().items():
        owner = path.rpartition(".")[0]
        if not weight.requires_grad or ".adapters." in path:
            continue
        if owner not in found or owner in adapters:
            raise ValueError(
                f"{path} learns, and a PEFT folder holds adapters and whole Dense layers alone: "
                f"freeze(model, {path!r}), or save all by model.save"
            )
        heads.append(owner)
    return list(dict.fromkeys(heads))
