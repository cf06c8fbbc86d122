"""The biases learn."""

from .method import Method, learn_only


class BitFit(Method):
    """Train the biases, also those of normalizations, and the head: a thousandth of all weights.

    (Ben Zaken et al., 2022)
    """

    def choose(self, model, head):
        biases = [path for path in model.weights() if path.endswith(("bias", "beta"))]
        learn_only(model, [*biases, *head])
        return []
