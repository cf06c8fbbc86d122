"""Which weights training may change, and which it leaves as they are."""

from ..layers import Layer, Parameter
from .paths import as_patterns, check_built, matching


def freeze(model, pattern="*"):
    """Leave weights as they are in training: no gradient of them is computed.

    model    a Model, or a layer, that is built
    pattern  of the paths of layers and parameters, or a list of patterns; a layer stands for all
             that is in it

    freeze(model, "0") freezes the first layer of a Sequential, freeze(model, "*.bias") every bias.
    A layer all of whose weights are chosen is frozen itself, which makes a difference to
    BatchNormalization: in training too it goes by its moving averages, and keeps them. `Model.save`
    writes down what is frozen.

    Returns the paths of the weights that training changed before and now leaves alone. ValueError
    for a model that is not built, for a pattern that matches nothing, and for one that chooses a
    moving average without its layer.
    """
    check_built(model, "freeze")
    return _set_trainable(model, pattern, False)


def unfreeze(model, pattern="*"):
    """Let training change weights again: the opposite of `freeze`, with the same arguments.

    Returns the paths of the weights that training left alone before and now changes.
    """
    check_built(model, "unfreeze")
    return _set_trainable(model, pattern, True)


def _set_trainable(model, pattern, trainable):
    things = dict(model.walk())
    chosen = _choose(things, pattern)
    before = _changing(things)
    for thing in things.values():
        if id(thing) not in chosen:
            continue
        if isinstance(thing, Layer):
            thing.trainable = trainable
        else:
            thing.requires_grad = trainable and thing.learned
    after = _changing(things)
    return [path for path in after if after[path] != before[path]]


def _choose(things, pattern):
    """The ids of what the pattern means, among the {path: layer or Parameter}: with the contents of
    layers, and with the layers whose weights are all chosen."""
    matched = matching("pattern", as_patterns("pattern", pattern), things)
    chosen = {id(inner) for path in matched for inner in _inside(things[path])}
    for layer in _layers(things).values():
        weights = {id(inner) for inner in _inside(layer) if isinstance(inner, Parameter)}
        if weights and weights <= chosen:
            chosen.add(id(layer))
    for path, (layer_path, layer) in _kept(things).items():
        if id(things[path]) in chosen and id(layer) not in chosen:
            raise ValueError(
                f"{path} is not learned but kept up to date by its layer, for as long as that is "
                f"trainable: choose the whole layer {layer_path!r}. Received: pattern={pattern!r}"
            )
    return chosen


def _changing(things):
    """{path: whether training changes it} of all weights."""
    kept = _kept(things)
    return {
        path: kept[path][1].trainable if path in kept else thing.requires_grad
        for path, thing in things.items()
        if isinstance(thing, Parameter)
    }


def _kept(things):
    """{path: (path of its layer, layer)} of the weights that are not learned: moving averages."""
    owners = {}  # the innermost layer comes last, and stays
    for path, layer in _layers(things).items():
        owners |= {id(inner): (path, layer) for inner in _inside(layer)}
    return {
        path: owners[id(thing)]
        for path, thing in things.items()
        if isinstance(thing, Parameter) and not thing.learned
    }


def _layers(things):
    return {path: thing for path, thing in things.items() if isinstance(thing, Layer)}


def _inside(thing):
    """A layer and all layers and Parameters in it; or a Parameter alone."""
    return [inner for _, inner in thing.walk()] if isinstance(thing, Layer) else [thing]
