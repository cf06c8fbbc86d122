"""Adapters in a model: which Dense layers have them, as plain data, and made again from that."""

from ..layers import Dense, LowRank


def dense_layers(model):
    """{path: Dense} of all Dense layers in a model."""
    return {path: layer for path, layer in model.walk() if isinstance(layer, Dense)}


def attach(dense, name, adapter):
    """Give a Dense layer that is built a LowRank of this name."""
    adapter.ensure_built()
    dense.adapters = {**dense.adapters, name: adapter}


def get_adapters(model):
    """{path of a Dense layer: what `set_adapters` makes of one that has none}"""
    return {
        path: {
            "merged": dense.unmerged is not None,
            "adapters": {
                name: {"config": adapter.get_config(), "active": adapter.active}
                for name, adapter in dense.adapters.items()
            },
        }
        for path, dense in dense_layers(model).items()
        if dense.adapters
    }


def set_adapters(model, described):
    """Attach adapters to a model that is built, as `get_adapters` found them, without weights."""
    found = dense_layers(model)
    for path, of_dense in described.items():
        for name, of_adapter in of_dense["adapters"].items():
            adapter = LowRank.from_config(of_adapter["config"])
            adapter.active = of_adapter["active"]
            attach(found[path], name, adapter)
        if of_dense["merged"]:
            found[path].keep_unmerged()
