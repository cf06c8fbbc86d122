"""What all models that read tokens share."""

from ..layers.core import positive_integer
from ..layers.layer import check_mask
from .model import Model


class TokenModel(Model):
    """A Model of ids (n, t), whole numbers: each stands for a token of a vocabulary.

    tokenizer  what makes ids of texts, if somebody has said so
    """

    tokenizer = None
    input_shape = (None,)
    input_dtype = "int64"

    def _keep_sizes(self, **sizes):
        """Keep each size under its name. ValueError unless all are positive integers."""
        for name, size in sizes.items():
            setattr(self, name, positive_integer(type(self).__name__, name, size))

    def _check_heads(self):
        if self.hidden_dim % self.num_heads:
            raise ValueError(
                f"{type(self).__name__} gives each head an equal share of the features. "
                f"Received: num_heads={self.num_heads}, hidden_dim={self.hidden_dim}"
            )

    def _check_ids(self, ids, mask, start=0):
        """ValueError unless ids are (n, t), the mask is too, and no position is past the last."""
        name, end = type(self).__name__, start + ids.shape[-1]
        if len(ids.shape) != 2:
            raise ValueError(f"{name} needs ids (n, t). Received: shape {ids.shape}")
        if end > self.max_sequence_length:
            raise ValueError(
                f"{name} has {self.max_sequence_length} positions, max_sequence_length. "
                f"Received: ids of shape {ids.shape}, that is positions {start} to {end - 1}"
            )
        check_mask(name, mask, ids.shape)

    def _make_parameters(self):
        """All sizes are known: make the parameters at once, and decay those alone that multiply.

        Weight decay would pull biases and the scales of normalizations, vectors all of them, to 0,
        where they have no reason to be.
        """
        self.ensure_built()
        for parameter in self.parameters():
            if parameter.ndim == 1:
                parameter.weight_decay_multiplier = 0.0
