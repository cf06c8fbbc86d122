"""Models from files: what `Model.save` wrote, made again."""

from .. import checkpoint, layers
from .adapters import set_adapters
from .bert import BERT
from .gpt import GPT
from .llama import Llama
from .model import OPTIMIZER, Model
from .seq2seq_transformer import Seq2SeqTransformer
from .sequential import Sequential
from .training_state import set_flags

_CLASSES = {name: getattr(layers, name) for name in layers.__all__}
_MODELS = (BERT, GPT, Llama, Model, Seq2SeqTransformer, Sequential)
_CLASSES |= {kind.__name__: kind for kind in _MODELS}

# What constructors raise when a file gives them arguments that nobody would.
_ERRORS = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError)


def load_model(path, custom_objects=None):
    """The model that `Model.save` wrote to `path`, with its weights, compiled as it was.

    custom_objects  {name: class or function} of everything in the model that is not minigrad's own

    ValueError if the file is damaged, holds no model, or names a class that is not known.
    """
    arrays, configuration = checkpoint.load(path)
    if not isinstance(configuration, dict) or "model" not in configuration:
        raise ValueError(
            f"{path} holds weights and no model: make the model, "
            f"then model.load_weights({str(path)!r})"
        )
    try:
        return _remake(arrays, configuration, custom_objects or {})
    except (*_ERRORS, ValueError) as error:
        raise ValueError(
            f"{path}: the model cannot be made again: {error}. Classes and functions of your own "
            "are given by name: load_model(path, custom_objects={'name': class_or_function})"
        ) from error


def _remake(arrays, configuration, custom):
    weights = {name: a for name, a in arrays.items() if not name.startswith(OPTIMIZER)}
    state = {k.removeprefix(OPTIMIZER): a for k, a in arrays.items() if k.startswith(OPTIMIZER)}

    model = _make(configuration["model"], custom)
    if not isinstance(model, Model):
        raise ValueError(f"{configuration['model']} is no model")
    model.input_shape = tuple(configuration["input_shape"])
    model.input_dtype = configuration["input_dtype"]
    model.example_shape = tuple(configuration.get("example_shape", ()))
    model.ensure_built()
    set_adapters(model, configuration.get("adapters", {}))  # which older files do not have
    model.set_weights(weights)
    set_flags(model, configuration["frozen"], configuration["multipliers"])
    if "compile" in configuration:
        model.compile(**_make(configuration["compile"], custom))
        model.optimizer.set_state(state, model.weights())
    return model


def _make(data, custom):
    """Plain data, with the layers that it describes and all that `custom` names made of it."""
    if isinstance(data, list):
        return [_make(item, custom) for item in data]
    if isinstance(data, str):
        return custom.get(data, data)
    if not isinstance(data, dict):
        return data
    names = ("class_name", "name")
    made = {key: x if key in names else _make(x, custom) for key, x in data.items()}
    name = made.get("class_name")
    if name is None:
        return made
    if name in custom:
        kind = custom[name]
        return getattr(kind, "from_config", lambda config: kind(**config))(made["config"])
    if not made["module"].startswith("minigrad."):
        raise ValueError(f"{name} is not a class of minigrad; custom_objects can name it")
    if name in _CLASSES:
        return _CLASSES[name].from_config(made["config"])
    return made  # an initializer, an optimizer, ...: looked up by name where it is used
