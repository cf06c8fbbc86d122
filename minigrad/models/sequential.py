"""Sequential: one layer after another."""

from ..layers import Input, Layer
from .model import Model


class Sequential(Model):
    """y = layerₙ(... layer₂(layer₁(x)))

    layers  a list of layers; more can follow by `add`. If the first is an Input, or has
            input_shape= or input_dim=, the parameters are made at once, else at the first call.
    """

    def __init__(self, layers=(), **options):
        super().__init__(**options)
        self.layers = []
        for layer in layers:
            self.add(layer)

    def add(self, layer):
        """Append a layer, or once more one that is there already: it shares its parameters.

        ValueError for what is no Layer, and for an Input that is not the first.
        """
        if not isinstance(layer, Layer):
            raise ValueError(f"a Sequential is made of Layer objects. Received: {layer!r}")
        if not self.layers and layer.input_shape is not None:
            self.input_shape, self.input_dtype = layer.input_shape, layer.input_dtype
        if isinstance(layer, Input):
            if self.layers:
                n = len(self.layers)
                raise ValueError(f"Input comes first. Received: {layer!r} after {n} layers")
        else:
            self.layers.append(layer)
            self.built = False
            if self.input_shape is not None and None not in self.input_shape:
                try:
                    self.ensure_built()
                except Exception:
                    self.layers.pop()
                    raise

    def pop(self):
        """Remove the last layer, and return it. ValueError if there is none."""
        if not self.layers:
            raise ValueError("pop from a Sequential that has no layers")
        self.built = False
        return self.layers.pop()

    def call(self, x, mask=None):
        before = None
        for layer in self.layers:
            if isinstance(x, (tuple, list)):
                raise ValueError(
                    "a Sequential hands on one array from layer to layer. "
                    f"Received: {len(x)} of them from {before!r}"
                )
            y = layer(x, mask=mask)
            mask = layer.compute_mask(x, mask)
            x, before = y, layer
        return x

    def compute_mask(self, x, mask=None):
        for layer in self.layers:
            mask = layer.compute_mask(x, mask)
            x = None  # what later layers get is not known here
        return mask

    def get_config(self):
        """A layer that comes again is the number of the place where it came first."""
        first = {}
        config = super().get_config()
        for i, layer in enumerate(self.layers if "layers" in config else ()):
            if first.setdefault(id(layer), i) != i:
                config["layers"][i] = first[id(layer)]
        return config

    @classmethod
    def from_config(cls, config):
        layers = []
        for layer in config.get("layers", ()):
            layers.append(layers[layer] if isinstance(layer, int) else layer)
        return cls(**(config | ({"layers": layers} if layers else {})))

    def _children(self):
        return [(str(i), layer) for i, layer in enumerate(self.layers)]
