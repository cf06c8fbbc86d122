"""The upper part learns."""

from ...layers.core import positive_integer
from ..freezing import freeze
from ..stages import paths_of, stages
from .method import Method


class LastBlocks(Method):
    """Train the last blocks, and the head: what is near the answer depends most on the question.

    blocks  how many. Of a Sequential they are its layers that have weights, without the head; of
            other models what `finetune.stages` lists
    """

    def __init__(self, blocks=1, head=None):
        super().__init__(head)
        self.blocks = positive_integer("LastBlocks", "blocks", blocks)

    def choose(self, model, head):
        found = stages(model, head)
        if self.blocks >= len(found):
            raise ValueError(
                f"LastBlocks leaves a block that stays as it is, and this model has {len(found)}: "
                f"{', '.join(map(' + '.join, found))}. Received: blocks={self.blocks}"
            )
        freeze(model, paths_of(found[: -self.blocks]))
        return []
