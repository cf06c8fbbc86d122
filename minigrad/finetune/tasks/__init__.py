"""Tasks: what a pretrained model is to learn, from rows of text to answers.

A task is a file here, with a class, and a line below.

    task = finetune.tasks.Classify(["ham", "spam"])
    model = task.model(base)
    x, y = task.examples(rows, tokenizer)
    callbacks = finetune.prepare(model, "lora")
    model.compile(optimizers.Adam(0.001), task.loss, task.metrics)
    model.fit(x, y, epochs=3, callbacks=callbacks)
    task.predict(model, [{"text": "You have won!"}], tokenizer)
"""

from .classify import Classify
from .task import Task

TASKS = {
    "classify": Classify,
}

__all__ = ["TASKS", "Task", *(kind.__name__ for kind in TASKS.values())]
