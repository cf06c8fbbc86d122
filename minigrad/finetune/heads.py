"""Another last layer: for other classes, or another kind of answer."""

from ..layers import Input, Layer
from ..models import Sequential
from .paths import check_built


def replace_head(model, layer):
    """Put `layer` in the place of a Sequential's last one, and return the one that was there.

    model  a Sequential that is built; its other layers keep their weights, and stay as frozen as
           they are
    layer  a Layer that has no part of the model in it; it is built at once, and learns unless it is
           frozen itself, even if all of the model was frozen

    The model forgets its optimizer, with all that this remembers of the weights, its loss and its
    metrics, which seldom fit the new task: compile it anew before `fit`. After a ValueError the
    model is as it was.
    """
    if not isinstance(model, Sequential):
        raise ValueError(f"replace_head needs a Sequential. Received: {type(model).__name__}")
    if not model.layers:
        raise ValueError(f"replace_head needs a model that has layers. Received: {model!r}")
    check_built(model, "replace_head")
    if not isinstance(layer, Layer) or isinstance(layer, Input):
        raise ValueError(f"a head is a Layer, and not an Input. Received: {layer!r}")
    _check_not_shared(model, layer)

    before = dict(vars(model))
    model.layers = [*model.layers[:-1], layer]
    model.built = False
    if layer.trainable:
        model._trainable = True  # a frozen model would freeze what is built in it
    try:
        model.ensure_built()
    except Exception:
        vars(model).clear()
        vars(model).update(before)
        raise
    model.optimizer, model.loss, model.metrics = None, None, ()
    return before["layers"][-1]


def _check_not_shared(model, layer):
    """ValueError if the new head or the old one has another place in the model."""
    places = {id(thing): path for path, thing in model.walk()}
    shared = [places[id(thing)] for _, thing in layer.walk() if id(thing) in places]
    if shared:
        place = f"{shared[0]!r}" if shared[0] else "the whole of it"
        raise ValueError(f"the new head is in the model already, as {place}. Received: {layer!r}")
    head, last = model.layers[-1], len(model.layers) - 1
    for i, other in enumerate(model.layers[:-1]):
        if any(thing is head for _, thing in other.walk()):
            raise ValueError(
                f"the head, layer {last}, is in layer {i} too, which needs it. Received: {head!r}"
            )
