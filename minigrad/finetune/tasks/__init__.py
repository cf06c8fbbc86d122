"""Tasks: what a pretrained model is to learn, from rows of text to answers.

A task is a file here, with a class, and a line below; all are used alike:

    task = finetune.tasks.Classify(["ham", "spam"])
    model = task.model(base)
    x, y = task.examples(rows, tokenizer)
    callbacks = finetune.prepare(model, "lora")
    model.compile(optimizers.Adam(0.001), task.loss, task.metrics)
    model.fit(x, y, epochs=3, callbacks=callbacks)
    task.predict(model, [{"text": "You have won!"}], tokenizer)

`task` is where to start reading, and `task_models` has the heads.
"""

from .answer_questions import AnswerQuestions
from .classify import Classify
from .continue_text import ContinueText
from .follow_instructions import FollowInstructions
from .masked_language import MaskedLanguage
from .match_sentences import MatchSentences
from .regress import Regress
from .tag_tokens import TagTokens
from .task import Task

TASKS = {
    "classify": Classify,
    "regress": Regress,
    "tag": TagTokens,
    "answer": AnswerQuestions,
    "match": MatchSentences,
    "mask": MaskedLanguage,
    "continue": ContinueText,
    "instruct": FollowInstructions,
}

__all__ = ["TASKS", "Task", *(kind.__name__ for kind in TASKS.values())]
