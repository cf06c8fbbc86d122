"""Makes adapters/: adapters by PEFT, one by minigrad, and what PyTorch makes of them all.

    python -m tests.golden.make_adapters    (needs torch, transformers and peft)

Run it again after a change of a table below, or of what `save_adapter` writes; nothing random is in
it. The tests read the folders and the file, and need no PyTorch.
"""

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

FOLDER = Path(__file__).with_name("adapters")
FILE = FOLDER / "logits.safetensors"

# Where a layer of our model is in PyTorch's.
NAMES = {
    "query": "attention.self.query",
    "mix": "attention.c_attn",  # a Conv1D, which keeps its weight as we do
    "down": "output.dense",
}
SHAPES = {"query": (6, 5), "mix": (5, 6), "down": (6, 4), "classifier": (4, 3)}

# Adapters in PEFT's words.
CASES = {
    "plain": {"r": 2, "lora_alpha": 6, "target_modules": ["query", "dense"], "lora_dropout": 0.25},
    "of_conv1d": {"r": 3, "target_modules": ["c_attn"], "fan_in_fan_out": True},
    "rslora_and_head": {
        "r": 4,
        "lora_alpha": 2,
        "use_rslora": True,
        "target_modules": r"attention\.self\.query|output\.dense",
        "modules_to_save": ["classifier"],
    },
}
OURS = "of_minigrad"  # the folder that `save_adapter` wrote


def draw(name, shape):
    """Numbers that depend on the name and the shape alone."""
    seed = [*name.encode(), *shape]
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype(np.float32)


def base_weights():
    """{path in our model: array}"""
    weights = {}
    for name, shape in SHAPES.items():
        weights[f"{name}.weight"] = draw(name, shape)
        weights[f"{name}.bias"] = draw(name, shape[1:])
    return weights


def inputs():
    return draw("inputs", (7, 6))


def our_model():
    """classifier(down(mix(query(x)))) with the weights of the base."""
    from minigrad import layers, models

    class Model(models.Model):
        def __init__(self):
            super().__init__(input_shape=(6,))
            self.query = layers.Dense(5, "tanh")
            self.mix = layers.Dense(6, "tanh")
            self.down = layers.Dense(4, "tanh")
            self.classifier = layers.Dense(3)

        def call(self, x):
            return self.classifier(self.down(self.mix(self.query(x))))

    model = Model()
    model.set_weights(base_weights())
    return model


def write_ours(folder):
    """An adapter by `save_adapter`, of our model, with a head."""
    from minigrad import finetune

    model = our_model()
    method = finetune.LoRA(r=2, alpha=5, targets=["query", "down"], head="classifier")
    finetune.prepare(model, method)
    for path, weight in model.weights().items():
        if ".adapters." in path or path.startswith("classifier."):
            weight.assign(draw(f"trained {path}", weight.shape))
    finetune.save_adapter(model, folder, names=NAMES, base="a-base")


def their_model():
    import torch
    from transformers.pytorch_utils import Conv1D

    def inside(**layers):
        module = torch.nn.Module()
        for name, layer in layers.items():
            module.add_module(name, layer)
        return module

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            query = inside(query=torch.nn.Linear(6, 5))
            self.attention = torch.nn.Module()
            self.attention.add_module("self", query)
            self.attention.c_attn = Conv1D(6, 5)
            self.output = inside(dense=torch.nn.Linear(6, 4))
            self.classifier = torch.nn.Linear(4, 3)

        def forward(self, x):
            x = torch.tanh(self.attention.self.query(x))
            x = torch.tanh(self.attention.c_attn(x))
            return self.classifier(torch.tanh(self.output.dense(x)))

    model = Model()
    state = {}
    for path, array in base_weights().items():
        layer, _, part = path.partition(".")
        is_linear = part == "weight" and layer != "mix"
        array = array.T if is_linear else array
        state[f"{NAMES.get(layer, layer)}.{part}"] = torch.tensor(np.ascontiguousarray(array))
    model.load_state_dict(state)
    return model


def logits_of(model):
    import torch

    with torch.no_grad():
        return model.eval()(torch.tensor(inputs())).numpy()


def by_peft(name, options):
    """Have PEFT write a folder of an adapter whose numbers we draw; the logits with it."""
    import peft
    import torch

    model = peft.get_peft_model(their_model(), peft.LoraConfig(**options))
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.tensor(draw(path, tuple(parameter.shape))))
    model.save_pretrained(FOLDER / name)
    (FOLDER / name / "README.md").unlink()
    return logits_of(model)


def read_by_peft(folder):
    import peft

    return logits_of(peft.PeftModel.from_pretrained(their_model(), folder))


def load():
    """{name of a folder: logits}, and those of the base."""
    return load_file(FILE)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    logits = {"base": logits_of(their_model())}
    logits |= {name: by_peft(name, options) for name, options in CASES.items()}
    write_ours(FOLDER / OURS)
    logits[OURS] = read_by_peft(FOLDER / OURS)
    save_file(logits, FILE)
    for path in FOLDER.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    main()
