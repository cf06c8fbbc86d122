"""A model's parts in their order, from its input to its output."""

from itertools import chain

from ..layers import Layer, Parameter
from ..models import Model, Sequential
from .paths import as_patterns, matching, parents


def head_of(model, head=None):
    """The paths of the layers that are new, and so always learn.

    head  patterns of them; () for none. If left out, the last layer of a Sequential that has
          weights, or the layer `head` of another model, if it has one
    """
    if head is not None:
        things = [path for path, _ in model.walk()]
        return sorted(matching("head", as_patterns("head", head, may_be_none=True), things))
    if isinstance(model, Sequential):
        last = [name for name, layer in model._children() if _has_weights(layer)]
        return last[-1:]
    return ["head"] if _is_layer(getattr(model, "head", None)) else []


def stages(model, head=()):
    """A list of lists of paths, what is in them lying one behind another; without the head's.

    The layers of a Sequential that have weights are a stage each, and the models in it several. So
    are the parts of another model, as it was made; but in one with a list of layers, as GPT has in
    `blocks`, those are the stages: what comes before the list is one more, and what comes after it
    goes with the last.
    """
    found, seen = [], set()
    for stage in _stages(model, ""):
        paths = [path for path in stage if path not in seen and not _is_in(path, head)]
        seen.update(paths)
        if paths:
            found.append(paths)
    return found


def _stages(model, path):
    places = {id(thing): where for where, thing in model.walk(path)}  # a shared layer's first
    within = [(f"{path}.{name}".lstrip("."), thing) for name, thing in model._children()]
    if isinstance(model, Sequential) or not any(_is_list_of_layers(thing) for _, thing in within):
        for where, thing in within:
            if isinstance(thing, Model):
                yield from _stages(thing, where)
            elif isinstance(thing, (Layer, Parameter)) and _has_weights(thing):
                yield [places[id(thing)]]
        return
    before, after, blocks = [], [], []
    for where, thing in within:
        if _is_list_of_layers(thing):
            blocks += [[f"{where}.{i}"] for i in range(len(thing))]
        elif isinstance(thing, (Layer, Parameter)) and _has_weights(thing):
            (after if blocks else before).append(where)
    yield before
    yield from blocks[:-1]
    yield blocks[-1] + after


def _is_list_of_layers(thing):
    return isinstance(thing, (list, tuple)) and bool(thing) and all(map(_is_layer, thing))


def _is_layer(thing):
    return isinstance(thing, Layer)


def _has_weights(thing):
    inside = thing.walk() if isinstance(thing, Layer) else [("", thing)]
    return any(isinstance(inner, Parameter) for _, inner in inside)


def _is_in(path, head):
    return not set(parents(path)).isdisjoint(head)


def paths_of(found):
    """All paths of some stages, in one list."""
    return list(chain.from_iterable(found))
