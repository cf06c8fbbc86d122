"""Adapters: small changes of a model's Dense layers, of which several may share one base.

An adapter is a LowRank beside each of some Dense layers, all under one name. The weights of the
base stay where they are, under the paths that they had. Those of the adapter of the layer "0", say,
are "0.adapters.default.a" and "0.adapters.default.b".
"""

from fnmatch import fnmatchcase

from ..layers import LowRank
from ..models.adapters import attach, dense_layers
from ..tensor import no_grad
from .paths import as_patterns, suggest


def add_adapter(model, name, targets, **options):
    """Put a LowRank of this name, with these options, beside each Dense layer that is meant.

    targets  patterns of the paths of Dense layers; what is no whole path may be its end: "query"
             means "blocks.3.attention.query"

    The new adapter learns, is in use, and is the only one. Returns the paths of the layers.
    """
    check_not_merged(model)
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"an adapter's name is one word, as in Python. Received: name={name!r}")
    if name in adapter_names(model):
        raise ValueError(f"the model has an adapter {name!r} already: remove_adapter(model, ...)")
    found = dense_layers(model)
    chosen = _choose(found, targets)
    for path in chosen:
        weight = found[path].weight
        shape = {"input_shape": weight.shape[:1], "dtype": weight.dtype}
        attach(found[path], name, LowRank(weight.shape[1], **options, **shape))
    use_adapters(model, name)
    return chosen


def use_adapters(model, *names):
    """Let the adapters of these names change the model, and learn, and no others. () means none."""
    check_not_merged(model)
    for name in names:
        check_known(model, name)
    for dense in dense_layers(model).values():
        for name, adapter in dense.adapters.items():
            adapter.active = adapter.trainable = name in names


def remove_adapter(model, name):
    """Take an adapter out of the model."""
    check_not_merged(model)
    check_known(model, name)
    for dense in dense_layers(model).values():
        dense.adapters = {other: a for other, a in dense.adapters.items() if other != name}


def adapter_names(model):
    """The names of all adapters of a model, in the order in which they came."""
    found = dense_layers(model).values()
    return list(dict.fromkeys(name for dense in found for name in dense.adapters))


def merge(model, for_good=False):
    """Add what the adapters in use change to the weights: the model is as fast as the base again.

    The weights that were there are kept beside them, for `unmerge`. While they are, adapters do not
    learn. for_good=True keeps neither them nor any adapter: what is left is a model like the base.

    Returns the paths of the weights. ValueError if no adapter is in use.
    """
    check_not_merged(model)
    changed = {
        path: dense
        for path, dense in dense_layers(model).items()
        if any(adapter.active for adapter in dense.adapters.values())
    }
    if not changed:
        raise ValueError("there is nothing to merge: no adapter of this model is in use")
    for dense in changed.values():
        dense.keep_unmerged()
        with no_grad():
            weight = dense.weight
            for adapter in dense.adapters.values():
                if adapter.active:
                    weight = weight + adapter.change()
        dense.weight.assign(weight)
    if for_good:
        for dense in dense_layers(model).values():
            dense.adapters, dense.unmerged = {}, None
    return [f"{path}.weight" for path in changed]


def unmerge(model):
    """Undo `merge`: every bit of the weights is as before, and adapters are beside them again."""
    merged = [dense for dense in dense_layers(model).values() if dense.unmerged is not None]
    if not merged:
        raise ValueError("there is nothing to undo: no adapter of this model is merged")
    for dense in merged:
        dense.weight.assign(dense.unmerged)
        dense.unmerged = None


def check_not_merged(model):
    """ValueError if adapters are part of the weights: what changes these would be lost."""
    merged = [path for path, dense in dense_layers(model).items() if dense.unmerged is not None]
    if merged:
        raise ValueError(f"adapters are merged, as in {merged[0]!r}: call unmerge(model) before")


def check_known(model, name):
    """ValueError unless the model has an adapter of this name."""
    names = adapter_names(model)
    if name not in names:
        raise ValueError(
            f"the model has no adapter {name!r}. There are: {', '.join(names) or 'none'}"
        )


def _choose(found, targets):
    """The paths among {path: Dense} that the patterns mean, by the whole path or its end."""
    targets = as_patterns("targets", targets)
    for pattern in targets:
        if not any(_means(pattern, path, found) for path in found):
            raise ValueError(f"targets={pattern!r} means no Dense layer. {suggest(pattern, found)}")
    return [path for path in found if any(_means(p, path, found) for p in targets)]


def _means(pattern, path, found):
    if pattern in found:
        return path == pattern
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*.{pattern}")
