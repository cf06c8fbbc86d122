"""What PyTorch says of whole models in float64: logits, gradients, and ten steps of AdamW.

A script such as `make_bert` has a table of cases and says which model of PyTorch's is the same. Its
parameters are made of ours, so that all numbers in the file are in our names and our shapes. They
are float32: the parameters and inputs exactly, the results to 7 digits.
"""

import zlib

import numpy as np
from safetensors.numpy import load_file, save_file

STEPS = 10  # of AdamW, which decays what has more than one axis
OPTIMIZER = {"learning_rate": 0.01, "weight_decay": 0.1, "beta_2": 0.95, "epsilon": 1e-8}
CLIP = 0.5  # the norm of all gradients together


def make(file, cases, ask):
    """Write the results of all cases.

    cases  {name: (our model, an expression; {input: integers or booleans})}, where the input
           "labels" has the shape of the logits without their last axis, and -1 where none is asked
    ask    a function of our model. It returns a function (p, inputs) -> logits, where p are our
           parameters {path: tensor}
    """
    arrays = {}
    for case, (expression, inputs) in cases.items():
        model = model_of(expression)
        parameters = model.get_weights()
        found = {"input": inputs, "parameter": parameters}
        found |= _train(ask(model), parameters, inputs)
        for kind, items in found.items():
            for name, array in items.items():
                arrays[f"{case} | {kind} | {name}"] = _small(array)
    save_file(arrays, file)


def model_of(expression, dtype="float64"):
    """Our model of an expression as in the cases, with the parameters of `draw`.

    The first bracket that closes is that of the model, or of the base of one with a head.
    """
    from minigrad import models
    from minigrad.finetune.tasks import task_models

    known = {**vars(models), **task_models.MODELS}
    return varied(eval(expression.replace(")", f", {dtype=})", 1), known))


def varied(model):
    """The model with the parameters of `draw`, so that it says something else of everything."""
    model.set_weights({k: draw(k, p.shape).astype(p.dtype) for k, p in model.weights().items()})
    return model


def _train(logits_of, parameters, inputs):
    """{kind: {name: array}} of what PyTorch makes of a case."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    p = {path: torch.tensor(array, requires_grad=True) for path, array in parameters.items()}
    inputs = {name: torch.tensor(array) for name, array in inputs.items()}
    labels = inputs.pop("labels")
    decayed, others = ([x for x in p.values() if (x.ndim > 1) is many] for many in (True, False))
    groups = [
        {"params": decayed, "weight_decay": OPTIMIZER["weight_decay"]},
        {"params": others, "weight_decay": 0.0},
    ]
    rate, betas = OPTIMIZER["learning_rate"], (0.9, OPTIMIZER["beta_2"])
    optimizer = torch.optim.AdamW(groups, rate, betas, OPTIMIZER["epsilon"])
    losses = []
    for step in range(STEPS):
        logits = logits_of(p, inputs)
        loss = F.cross_entropy(logits[labels >= 0], labels[labels >= 0])
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            first = logits.detach().numpy()
            gradients = {path: x.grad.numpy().copy() for path, x in p.items()}
        torch.nn.utils.clip_grad_norm_([*p.values()], CLIP)
        optimizer.step()
        losses.append(loss.item())
    result = {"logits": first, "losses": np.array(losses)}
    return {"result": result, "gradient": gradients}


def draw(path, shape):
    """Values of a parameter that depend on its name and shape alone, exact in float32.

    They are large, so that no part of the model is nearly linear, and biases are no zeros.
    """
    random = np.random.default_rng(zlib.crc32(f"{path} {tuple(shape)}".encode()))
    values = 0.3 * random.standard_normal(shape)
    if path.endswith("gamma"):
        values += 1
    return values.astype(np.float32).astype(np.float64)


def language_sizes(ours):
    """What the configurations of transformers call the sizes that all our models have."""
    return {
        "vocab_size": ours.vocabulary_size,
        "num_hidden_layers": ours.num_layers,
        "num_attention_heads": ours.num_heads,
        "hidden_size": ours.hidden_dim,
        "intermediate_size": ours.intermediate_dim,
        "max_position_embeddings": ours.max_sequence_length,
        "attn_implementation": "eager",
        "pad_token_id": None,  # or what is looked up as token 0 would get no gradient
    }


def linear(theirs, p, ours):
    """The parameters of a Linear of PyTorch, whose weight is that of our Dense transposed."""
    bias = {f"{theirs}.bias": p[f"{ours}.bias"]} if f"{ours}.bias" in p else {}
    return {f"{theirs}.weight": p[f"{ours}.weight"].T, **bias}


def norm(theirs, p, ours):
    """The parameters of a normalization of PyTorch."""
    bias = {f"{theirs}.bias": p[f"{ours}.beta"]} if f"{ours}.beta" in p else {}
    return {f"{theirs}.weight": p[f"{ours}.gamma"], **bias}


def call(theirs, parameters, *arguments, **words):
    """What a model of PyTorch's gives, with parameters {name: tensor} in the place of its own."""
    import torch

    own = {name for name, _ in theirs.named_parameters()}
    assert parameters.keys() == own, parameters.keys() ^ own
    return torch.func.functional_call(theirs, parameters, arguments, words)


def load(file):
    """{case: {kind: {name: array}}}, the kinds being input, parameter, gradient and result."""
    cases = {}
    for key, array in load_file(file).items():
        case, kind, name = key.split(" | ")
        cases.setdefault(case, {}).setdefault(kind, {})[name] = array
    return cases


def _small(array):
    """The same numbers in few bytes: float32, int16 or booleans."""
    array = np.ascontiguousarray(array)
    return array.astype({"f": np.float32, "i": np.int16, "b": bool}[array.dtype.kind])
