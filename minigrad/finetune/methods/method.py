"""What all methods of fine-tuning share."""

from ...models.training_state import get_flags, set_flags
from ...registry import Configurable
from ..adapters import check_not_merged
from ..freezing import freeze, unfreeze
from ..paths import check_built
from ..stages import head_of


class Method(Configurable):
    """A way to fine-tune: which weights learn, and how fast. For your own, write `choose`.

    head  patterns of the layers that are new and always learn; () for none. If left out, the last
          layer of a Sequential that has weights, or the layer `head` of another model, such as that
          of a task
    """

    def __init__(self, head=None):
        self.head = head

    def prepare(self, model):
        """Set a model up for this method, whatever was frozen before; then compile, and fit.

        Returns a list of callbacks, which `fit` needs for the method. ValueError for a model that
        is not built, and for what fits it not; then the model is as it was.
        """
        check_built(model, type(self).__name__)
        check_not_merged(model)
        flags = get_flags(model)
        try:
            unfreeze(model)
            for parameter in model.parameters():
                parameter.learning_rate_multiplier = 1.0
            return list(self.choose(model, head_of(model, self.head)))
        except ValueError:
            set_flags(model, **flags)
            raise

    def choose(self, model, head):
        """Freeze what shall not learn; callbacks for `fit`.

        model  with all its weights learning at the usual rate
        head   the paths of the layers that shall learn in any case
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method choose(model, head)")


def learn_only(model, paths):
    """Freeze all but what has these paths."""
    if not paths:
        raise ValueError("there would be nothing to learn: name the head by head=...")
    freeze(model)
    unfreeze(model, paths)
