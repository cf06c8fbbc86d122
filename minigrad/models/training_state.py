"""What training changes in a model, as plain data and arrays, and back."""

from ..layers import Layer
from ..registry import check_number


def get_training_state(model):
    """Weights, what is frozen, optimizer and learning rate of a compiled model; arrays are copies.

    The learning rate is None where the optimizer follows a schedule.
    """
    rate = model.optimizer.learning_rate
    return {
        "weights": model.get_weights(),
        "flags": get_flags(model),
        "optimizer": model.optimizer.get_state(model.weights()),
        "learning_rate": None if callable(rate) else rate,
        "stop_training": model.stop_training,
    }


def set_training_state(model, state):
    """Bring the model to where `get_training_state` was called."""
    model.set_weights(state["weights"])
    set_flags(model, **state["flags"])
    model.optimizer.set_state(state["optimizer"], model.weights())
    if state["learning_rate"] is not None:
        model.optimizer.learning_rate = state["learning_rate"]
    model.stop_training = state["stop_training"]


def get_flags(model):
    """{"frozen": [path, ...], "multipliers": {path: [learning rate's, weight decay's]}}"""
    return {
        "frozen": [path for path, thing in model.walk() if _is_frozen(thing)],
        "multipliers": {
            path: [p.learning_rate_multiplier, p.weight_decay_multiplier]
            for path, p in model.weights().items()
        },
    }


def set_flags(model, frozen, multipliers):
    """Freeze the layers and parameters at these paths, thaw all others, and set the multipliers."""
    for path, thing in model.walk():
        if isinstance(thing, Layer):
            thing.trainable = path not in frozen  # and so all inside, which comes later
        else:
            thing.requires_grad = path not in frozen
            rate, decay = multipliers[path]
            thing.learning_rate_multiplier = check_number("learning_rate_multiplier", rate)
            thing.weight_decay_multiplier = check_number("weight_decay_multiplier", decay)


def _is_frozen(thing):
    """Whether training leaves this Layer or Parameter as it is."""
    return not (thing.trainable if isinstance(thing, Layer) else thing.requires_grad)
