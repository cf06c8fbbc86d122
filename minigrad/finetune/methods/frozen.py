"""Some weights stay, by their names."""

from ..freezing import freeze, unfreeze
from .method import Method


class Frozen(Method):
    """Train all but what a pattern means, or a list of them: Frozen("tokens"), Frozen("*.bias")."""

    def __init__(self, pattern, head=None):
        super().__init__(head)
        self.pattern = pattern

    def choose(self, model, head):
        freeze(model, self.pattern)
        if head:
            unfreeze(model, head)
        return []
