"""What all models that read tokens share."""

from ..layers.core import positive_integer
from ..layers.layer import check_mask
from ..registry import check_number
from .model import Model


class TokenModel(Model):
    """A Model of ids (n, t), whole numbers: each stands for a token of a vocabulary.

    tokenizer  what makes ids of texts, if somebody has said so
    """

    tokenizer = None
    pooling = None  # how `embed` makes a vector of a text, if not by the mean of its tokens
    input_shape = (None,)
    input_dtype = "int64"

    def __init__(
        self,
        vocabulary_size,
        num_layers,
        num_heads,
        hidden_dim,
        intermediate_dim,
        max_sequence_length,
        layer_norm_epsilon,
        dropout=0.0,
        head_dim=None,
        **options,
    ):
        """Keep all of it, once it is looked at. The models say what each means.

        intermediate_dim  4 hidden_dim if None
        head_dim          features of a head; if None, each gets an equal share of hidden_dim
        """
        super().__init__(**options)
        self._keep_sizes(
            vocabulary_size=vocabulary_size,
            num_layers=num_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            max_sequence_length=max_sequence_length,
        )
        self._keep_sizes(
            intermediate_dim=4 * hidden_dim if intermediate_dim is None else intermediate_dim,
            head_dim=self._share() if head_dim is None else head_dim,
        )
        self.layer_norm_epsilon = check_number("layer_norm_epsilon", layer_norm_epsilon)
        self.dropout = check_number("dropout", dropout, below=1)

    def _keep_sizes(self, **sizes):
        """Keep each size under its name. ValueError unless all are positive integers."""
        for name, size in sizes.items():
            setattr(self, name, positive_integer(type(self).__name__, name, size))

    def _share(self):
        """The features of each head. ValueError if they are no equal share."""
        if self.hidden_dim % self.num_heads:
            raise ValueError(
                f"{type(self).__name__} gives each head an equal share of the features. "
                f"Received: num_heads={self.num_heads}, hidden_dim={self.hidden_dim}"
            )
        return self.hidden_dim // self.num_heads

    def _check_ids(self, ids, mask, start=0):
        """ValueError unless ids are (n, t), the mask is too, and no position is past the last."""
        name = type(self).__name__
        if not hasattr(ids, "shape"):
            raise ValueError(f"{name} needs ids as an array. Received: {type(ids).__name__}")
        if len(ids.shape) != 2:
            raise ValueError(f"{name} needs ids (n, t). Received: shape {ids.shape}")
        end = start + ids.shape[1]
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
