"""Some weights stay, by their names."""

from ..freezing import freeze, unfreeze
from ..paths import as_patterns
from .method import Method


class Frozen(Method):
    """Train all but what a pattern means, or a list of them: Frozen("tokens"), Frozen("*.bias")."""

    def __init__(self, pattern=(), head=None):
        super().__init__(head)
        as_patterns("pattern", pattern)  # or an error: by its name alone it does not say any
        self.pattern = pattern

    def choose(self, model, head):
        freeze(model, self.pattern)
        if head:
            unfreeze(model, head)
        return []
