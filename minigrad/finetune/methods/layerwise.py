"""The lower a layer, the slower it learns."""

from ...layers import Layer
from ...registry import check_number
from ..stages import stages
from .method import Method


class LayerWise(Method):
    """Train the head at the usual rate η, and the blocks below it at η dᵏ: k = 1 for the last one.

    What is low in a model serves many tasks, and needs less change. (Howard and Ruder, 2018;
    Clark et al., 2020)

    decay  d
    """

    def __init__(self, decay=0.8, head=None):
        super().__init__(head)
        self.decay = check_number("decay", decay, positive=True)

    def choose(self, model, head):
        things = dict(model.walk())
        for k, stage in enumerate(reversed(stages(model, head)), start=1 if head else 0):
            for path in stage:
                thing = things[path]
                for parameter in thing.parameters() if isinstance(thing, Layer) else [thing]:
                    parameter.learning_rate_multiplier = self.decay**k
        return []
