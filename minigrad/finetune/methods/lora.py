"""A small change beside each large weight learns."""

from ...layers.core import positive_integer
from ...models.adapters import dense_layers
from ...registry import check_number
from ..adapters import add_adapter
from ..freezing import freeze, unfreeze
from ..paths import parents
from .method import Method


class LoRA(Method):
    """Train W + s A B with a frozen W: a LowRank beside each Dense layer, and the head.

    The weights of one task take little memory, and many tasks share one base. (Hu et al., 2021)

    r           the rank of A B
    alpha       s = alpha / r, or alpha / √r with use_rslora
    dropout     in training, the share of what goes into A B that is set to 0
    targets     patterns of the Dense layers, by their paths or the ends of these, such as "query";
                all but those of the head if left out
    name        the adapter's: a model may have several, and `use_adapters` says which are in use
    """

    def __init__(
        self,
        r=8,
        alpha=16,
        dropout=0.0,
        targets=None,
        use_rslora=False,
        name="default",
        head=None,
    ):
        super().__init__(head)
        self.r = positive_integer("LoRA", "r", r)
        self.alpha = check_number("alpha", alpha, positive=True)
        self.dropout = check_number("dropout", dropout, below=1)
        self.targets = targets
        self.use_rslora = use_rslora
        self.name = name

    def choose(self, model, head):
        options = {name: getattr(self, name) for name in ("r", "alpha", "dropout", "use_rslora")}
        freeze(model)
        if head:
            unfreeze(model, head)
        add_adapter(model, self.name, self._targets(model, head), **options)
        return []

    def _targets(self, model, head):
        if self.targets is not None:
            return self.targets
        found = [path for path in dense_layers(model) if set(parents(path)).isdisjoint(head)]
        if not found:
            raise ValueError("LoRA needs a Dense layer below the head, and this model has none")
        return found
