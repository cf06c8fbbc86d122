"""The head learns first, and what is below it later."""

from ...callbacks import Callback
from ...layers.core import positive_integer
from ..freezing import unfreeze
from ..stages import paths_of, stages
from .method import Method, learn_only


class GradualUnfreezing(Method):
    """Train the head alone at first, and then one block more at a time, from the last to the first.

    So a head that knows nothing yet does not spoil what the blocks have learned. (Howard and
    Ruder, 2018)

    epochs  after how many the next block begins to learn
    """

    def __init__(self, epochs=1, head=None):
        super().__init__(head)
        self.epochs = positive_integer("GradualUnfreezing", "epochs", epochs)

    def choose(self, model, head):
        found = stages(model, head)
        if not head:
            head, found = found[-1], found[:-1]
        learn_only(model, head)
        return [_Unfreeze(found, self.epochs)]


class _Unfreeze(Callback):
    """What learns follows from the epoch alone, also in a training that goes on from a backup."""

    def __init__(self, stages, epochs):
        self.stages, self.epochs = stages, epochs

    def on_epoch_begin(self, epoch):
        count = min(epoch // self.epochs, len(self.stages))
        if count:
            unfreeze(self.model, paths_of(self.stages[-count:]))
