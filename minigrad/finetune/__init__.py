"""Fine-tuning: a model that has learned one task is the start for another.

The lower layers of a network find features that serve more than the task they were learned for, and
a small data set is enough to learn what is new on top of them. So the weights of the old model are
loaded into a new one, all but those of its head, the last layer, which has other classes to tell
apart; or the head of the old model is replaced. Then `fit` goes on, with a smaller learning rate or
with the lower layers frozen, since few examples could spoil what many have taught:

    model.build((None, 64))
    report = finetune.load_pretrained_weights(model, "digits.safetensors", skip="2")
    finetune.freeze(model, "0")
    model.compile(optimizers.Adam(0.0003), "sparse_categorical_crossentropy")
    model.fit(x_few, y_few, epochs=50)

Weights are named by their paths, such as "2.bias", and chosen by patterns: * stands for any text,
? for one character, [01] for one of these (Python's fnmatch, where case matters).
"""

from .folder import PretrainedFolder
from .freezing import freeze, unfreeze
from .heads import replace_head
from .pretrained import PretrainedReport, load_pretrained_weights

__all__ = [
    "PretrainedFolder",
    "PretrainedReport",
    "freeze",
    "load_pretrained_weights",
    "replace_head",
    "unfreeze",
]
