"""Tasks of fine-tuning: each learns a toy task, names bad rows, and is read again as it was."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import Tensor, finetune, losses, models, optimizers, random, text
from minigrad.finetune import tasks
from minigrad.finetune.tasks.answer_questions import best_span
from minigrad.finetune.tasks.match_sentences import (
    CosineSimilarity,
    InBatchContrast,
    cosine_error,
    nearest_is_own,
)
from minigrad.finetune.tasks.pooling import POOLINGS
from minigrad.finetune.tasks.task import where_labels_count
from minigrad.models.embedding import Pooling
from minigrad.weight_file import open_weights

ANIMALS, FOODS = ("dog", "cat", "cow", "hen"), ("bread", "soup", "rice", "cake")
LABELS = ["animal", "food"]
VERBS = ("sees", "wants", "has")
SENTENCES = [
    f"the {noun} {verb} a {other}"
    for noun in ANIMALS + FOODS
    for verb in VERBS
    for other in ("box", "cup")
]
KIND = {**dict.fromkeys(ANIMALS, "animal"), **dict.fromkeys(FOODS, "food")}
CHAT_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")

WORDS = text.WordPieceTokenizer.train([*SENTENCES, "who what ? Ärger überall"], 110)
BYTES = text.BytePairTokenizer.train(SENTENCES, 320, CHAT_TOKENS)


def bert(head=None, **options):
    random.seed(0)
    model = models.BERT(
        WORDS.vocabulary_size, 2, 2, 16, head=head, max_sequence_length=40, **options
    )
    model.tokenizer = WORDS
    return model


def gpt():
    random.seed(0)
    model = models.GPT(BYTES.vocabulary_size, 2, 2, 32, max_sequence_length=160)
    model.tokenizer = BYTES
    return model


def llama():
    random.seed(0)
    model = models.Llama(BYTES.vocabulary_size, 2, 2, 16, 32, max_sequence_length=160)
    model.tokenizer = BYTES
    return model


def classes():
    return [{"text": s, "label": KIND[s.split()[1]]} for s in SENTENCES]


def pairs():
    """Which of two sentences speaks of an animal: the same two in either order."""
    half = len(SENTENCES) // 2
    both = list(zip(SENTENCES[:half], SENTENCES[half:]))
    rows = [{"text": a, "other": b, "label": "first"} for a, b in both]
    return rows + [{"text": b, "other": a, "label": "second"} for a, b in both]


def numbers():
    return [{"text": s, "target": str(10 + 5 * VERBS.index(s.split()[2]))} for s in SENTENCES]


def tags():
    return [{"words": s, "tags": f"O {KIND[s.split()[1]]} verb O O"} for s in SENTENCES]


def questions():
    return [
        {"question": f"who {s.split()[2]} ?", "context": s, "answer": s.split()[1]}
        for s in SENTENCES
    ]


def matches():
    return [{"first": f"{noun} box", "second": f"the {noun} has"} for noun in ANIMALS + FOODS]


def scores():
    rows = matches()
    far = [{**row, "second": other["second"]} for row, other in zip(rows, rows[1:])]
    return [{**row, "score": "1"} for row in rows] + [{**row, "score": "0.2"} for row in far]


def texts():
    return [{"text": s} for s in SENTENCES[:12]]


def instructions():
    return [
        {"instruction": f"what is {noun}?", "response": f"{noun} is {KIND[noun]}"}
        for noun in ANIMALS + FOODS
    ]


# {name: (task, base, rows, epochs, learning rate)}
CASES = {
    "classify": (tasks.Classify(LABELS), bert, classes, 12, 0.01),
    "classify by mean": (
        tasks.Classify(LABELS, pooling="mean"),
        bert,
        classes,
        25,
        0.002,
    ),
    "classify by GPT": (tasks.Classify(LABELS), gpt, classes, 12, 0.01),
    "classify by Llama": (tasks.Classify(LABELS), llama, classes, 12, 0.01),
    "classify pairs": (tasks.Classify(["first", "second"], pair="other"), bert, pairs, 20, 0.01),
    "regress": (tasks.Regress(offset=15, scale=4), bert, numbers, 40, 0.003),
    "tag": (tasks.TagTokens(["O", "animal", "food", "verb"]), bert, tags, 15, 0.01),
    "answer": (tasks.AnswerQuestions(), bert, questions, 25, 0.01),
    "match": (tasks.MatchSentences(), bert, matches, 40, 0.01),
    "match by score": (tasks.MatchSentences(score="score"), bert, scores, 60, 0.01),
    "mask": (tasks.MaskedLanguage(share=0.2), lambda: bert("tokens"), texts, 60, 0.01),
    "continue": (tasks.ContinueText(max_length=24), gpt, texts, 60, 0.01),
    "instruct": (tasks.FollowInstructions("chatml"), gpt, instructions, 120, 0.003),
}
EVERY = pytest.mark.parametrize("case", CASES)


def made(case, method="full"):
    """(model, task, rows, x, y), and the callbacks of the method."""
    task, base, rows, epochs, rate = CASES[case]
    model = task.model(base())
    rows = rows()
    random.seed(0)
    x, y = task.examples(rows, model.base.tokenizer)
    told = finetune.prepare(model, method)
    model.compile(optimizers.Adam(rate), task.loss, task.metrics)
    return model, task, rows, x, y, told


def wrong(case, rows, answers):
    """The answers that are not what the rows say."""
    truths = {
        "regress": lambda row, a: abs(float(row["target"]) - a) < 1,
        "tag": lambda row, a: row["tags"].split() == a,
        "answer": lambda row, a: row["answer"] == a.text,
        "instruct": lambda row, a: row["response"] == a,
        "match": lambda row, a: a > 0.5,
        "match by score": lambda row, a: abs(float(row["score"]) - a) < 0.15,
    }
    right = truths.get(case, lambda row, a: row["label"] == a)
    return [(row, a) for row, a in zip(rows, answers, strict=True) if not right(row, a)]


@EVERY
def test_a_task_learns_a_toy_to_near_perfection(case):
    model, task, rows, x, y, told = made(case)
    epochs = CASES[case][3]
    history = model.fit(x, y, batch_size=4, epochs=epochs, verbose=0, callbacks=told)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    if case == "continue":  # two thirds of the tokens follow from those before them
        assert history.history["token_accuracy"][-1] > 0.6
    elif case == "mask":
        assert task.predict(model, [{"text": "the dog [MASK] a box"}], WORDS)[0][0] in VERBS
    else:
        assert wrong(case, rows, task.predict(model, rows, model.base.tokenizer)) == []


# ---- What does not count -------------------------------------------------------------------------


def gradient_of_features(model, task, x, y):
    """The gradient of the loss, for the features (n, t, d) of the base."""
    features = model.features(x["ids"], x["mask"], segments=None)
    leaf = Tensor(features.numpy(), requires_grad=True)
    model.features = lambda ids, mask, segments: leaf
    task.loss(y, model(**x)).backward()
    return leaf.grad


def everywhere(x, y):
    """Labels (n, t) of those (n, m) at the places of x, and IGNORED at all others."""
    labels = np.full(x["ids"].shape, losses.IGNORED)
    np.put_along_axis(labels, x["places"], y, axis=1)
    return labels


@pytest.mark.parametrize("template", ["chatml", "alpaca", "Q: {instruction} A: {response}"])
def test_the_tokens_of_a_prompt_get_no_gradient_at_all(template):
    task = tasks.FollowInstructions(template)
    model = task.model(gpt())
    x, y = task.examples(instructions(), BYTES)
    gradient = gradient_of_features(model, task, x, y)
    for i, row in enumerate(instructions()):
        stretches = task.stretches(row)
        prompt = sum(len(BYTES.encode(s.text)) for s in stretches if not s.learned)
        length = x["mask"][i].sum()
        learned = slice(prompt - 1, length)  # where the next token is one of the answer
        outside = np.delete(gradient[i], np.r_[learned], axis=0)
        assert not outside.any()  # each is 0, and not merely small
        assert (np.abs(gradient[i, learned]).sum(axis=-1) > 0).all()


@pytest.mark.parametrize("base", [gpt, llama, lambda: bert("tokens")], ids=["gpt", "llama", "bert"])
def test_logits_where_labels_count_give_the_loss_and_the_gradients_of_all(base):
    is_bert = isinstance(base(), models.BERT)
    task = tasks.MaskedLanguage(share=0.3) if is_bert else CASES["instruct"][0]
    rows = texts() if is_bert else instructions()
    model = task.model(base())
    x, y = task.examples(rows, model.base.tokenizer)
    m, t = y.shape[1], x["ids"].shape[1]
    assert (y == losses.IGNORED).any() and m < t  # some rows have fewer than others
    assert model(**x).shape == (len(rows), m, model.base.vocabulary_size)

    def loss_and_gradients(x, y):
        for parameter in model.parameters():
            parameter.grad = None
        loss = task.loss(y, model(**x))
        loss.backward()
        return loss.item(), {path: p.grad for path, p in model.weights().items()}

    few, of_few = loss_and_gradients(x, y)
    y = everywhere(x, y)
    del x["places"]
    assert model(**x).shape == (len(rows), t, model.base.vocabulary_size)
    many, of_many = loss_and_gradients(x, y)
    assert few == pytest.approx(many, rel=1e-6)
    for path, gradient in of_many.items():
        np.testing.assert_allclose(of_few[path], gradient, rtol=0, atol=1e-6, err_msg=path)


def test_where_all_places_count_there_are_no_others_to_leave_out():
    x, y = tasks.ContinueText(max_length=5).examples([{"text": "dog " * 30}], BYTES)
    assert x.keys() == {"ids", "mask"} and x["ids"].shape == y.shape


def test_where_no_place_counts_one_is_left():
    model, _, _, x, _, _ = made("mask")
    x, y = where_labels_count(x, np.full(x["ids"].shape, losses.IGNORED))
    assert y.shape == x["places"].shape == (12, 1) and (y == losses.IGNORED).all()
    assert model.evaluate(x, y, verbose=0)[0] == 0


def test_places_are_found_on_another_device():
    task = tasks.FollowInstructions("{instruction}={response}")
    rows = [{"instruction": "dog", "response": "an"}, {"instruction": "a", "response": "cow"}]
    x, _ = task.examples(rows, BYTES)
    model = task.model(models.GPT(BYTES.vocabulary_size, 1, 1, 8, max_sequence_length=20))
    expected = model.predict(x, verbose=0)
    found = model.to("simulator").predict(x, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_every_token_of_a_long_text_is_to_be_said_once_and_its_end():
    written = " ".join(SENTENCES[:3])
    ids = BYTES.encode(written)
    assert len(ids) % 5 and len(ids) > 10
    x, y = tasks.ContinueText(max_length=5).examples([{"text": written}], BYTES)
    assert x["ids"].shape[1] == 5
    assert y[y != losses.IGNORED].tolist() == [*ids[1:], BYTES.special_tokens["<|endoftext|>"]]
    assert x["ids"][x["mask"]].tolist() == ids


@pytest.mark.parametrize("case", ["continue", "instruct"])
def test_what_is_written_takes_no_chance_unless_asked_to(case):
    task, base, rows, *_ = CASES[case]
    model = task.model(base())
    first, second, greedy = (
        task.predict(model, rows()[:2], BYTES, max_new_tokens=6, **options)
        for options in ({}, {}, {"temperature": 0})
    )
    assert first == second == greedy


def test_a_template_of_ones_own_ends_with_the_end_of_a_text():
    task = tasks.FollowInstructions("Q: {instruction} A: {response}")
    _, y = task.examples([{"instruction": "dog?", "response": "animal"}], BYTES)
    assert BYTES.decode(y[y != losses.IGNORED]) == "animal<|endoftext|>"


def test_an_answer_is_cut_to_the_length():
    task = tasks.FollowInstructions("{instruction}={response}", max_length=20)
    row = {"instruction": "a", "response": " ".join(SENTENCES[:9])}
    x, y = task.examples([row], BYTES)
    assert x["ids"].shape == everywhere(x, y).shape == (1, 20)
    assert (y != losses.IGNORED).all() and y.shape == (1, 19)


def test_what_is_learned_of_an_instruction_is_the_answer_and_its_end():
    task = tasks.FollowInstructions("chatml", system="Be brief.")
    rows = [{"instruction": "what is dog?", "input": "woof", "response": "an animal"}]
    x, y = task.examples(rows, BYTES)
    whole = (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nwhat is dog?\n\nwoof<|im_end|>\n"
        "<|im_start|>assistant\nan animal<|im_end|>"
    )
    assert BYTES.decode([*x["ids"][0], y[0, -1]]) == whole
    assert BYTES.decode(y[0, y[0] != losses.IGNORED]) == "an animal<|im_end|>"


def test_every_answer_of_a_conversation_is_learned():
    said = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": "what is rice?"},
        {"role": "assistant", "content": "food"},
    ]
    task = tasks.FollowInstructions("chatml")
    _, y = task.examples([{"messages": said}], BYTES)
    assert BYTES.decode(y[y != losses.IGNORED]) == "yes?<|im_end|>food<|im_end|>"


def test_a_conversation_is_written_down_as_a_whole():
    said = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": " hi\n"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": "what is rice?"},
        {"role": "assistant", "content": "food"},
    ]
    stretches = tasks.FollowInstructions("chatml", system="Be brief.").stretches({"messages": said})
    assert "".join(stretch.text for stretch in stretches) == (
        "<|im_start|>system\nBe kind.<|im_end|>\n"
        "<|im_start|>user\nhi<|im_end|>\n"
        "<|im_start|>assistant\nyes?<|im_end|>\n"
        "<|im_start|>user\nwhat is rice?<|im_end|>\n"
        "<|im_start|>assistant\nfood<|im_end|>"
    )


def test_pieces_that_continue_a_word_have_no_label():
    task = tasks.TagTokens(["O", "name"])
    x, y = task.examples([{"words": "the unheard dog", "tags": "O name O"}], WORDS)
    pieces = [
        len(WORDS.encode(word, add_special_tokens=False)) for word in ("the", "unheard", "dog")
    ]
    assert pieces[1] > 1
    no = losses.IGNORED
    assert y[0].tolist() == [no, 0, 1, *[no] * (pieces[1] - 1), 0, no]


def test_what_fills_a_batch_up_changes_nothing():
    for case in ("classify", "classify by mean", "classify by GPT", "tag", "answer", "match"):
        model, task, rows, x, _, _ = made(case)
        rows = [rows[0], {name: f"{value} {value}" for name, value in rows[1].items()}]
        alone = task.inputs(rows[:1], model.base.tokenizer)
        both = model.predict(task.inputs(rows, model.base.tokenizer), verbose=0)[0]
        expected = model.predict(alone, verbose=0)[0]
        both = both[tuple(map(slice, expected.shape))]  # places that fill up come last
        np.testing.assert_allclose(both, expected, rtol=1e-4, atol=1e-5, err_msg=case)


def test_only_ordinary_tokens_are_hidden():
    random.seed(1)
    x, y = tasks.MaskedLanguage(share=0.5).examples(texts(), WORDS)
    y = everywhere(x, y)
    hidden = y != losses.IGNORED
    original = np.where(hidden, y, x["ids"])
    expected = tasks.MaskedLanguage().inputs(texts(), WORDS)["ids"]
    np.testing.assert_array_equal(original, expected)
    assert not np.isin(y[hidden], list(WORDS.special_tokens.values())).any()
    assert 0.3 < hidden.sum() / x["mask"].sum() < 0.6


def test_what_stands_for_a_hidden_token_is_its_mask_or_an_ordinary_one():
    random.seed(2)
    special = {id for name, id in WORDS.special_tokens.items() if name != "[MASK]"}
    for _ in range(20):
        x, y = tasks.MaskedLanguage(share=0.9).examples(texts(), WORDS)
        assert special.isdisjoint(x["ids"][everywhere(x, y) != losses.IGNORED])


def test_so_many_tokens_are_hidden_as_for_bert():
    random.seed(3)
    rows = [{"text": " ".join(SENTENCES[:6])}] * 200
    x, y = tasks.MaskedLanguage().examples(rows, WORDS)
    assert 0.14 < (y != losses.IGNORED).sum() / (x["mask"].sum() - 2 * len(rows)) < 0.16


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_text_is_pooled_wherever_its_tokens_are(pooling):
    features = Tensor(np.random.default_rng(0).normal(size=(3, 4, 2)))
    mask = np.array([[1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 0]], dtype=bool)
    found = POOLINGS[pooling](None, features, mask).numpy()
    for vector, rows, counts in zip(found, features.numpy(), mask):
        expected = rows[counts].mean(axis=0) if pooling == "mean" else rows[counts][-1]
        np.testing.assert_allclose(vector, expected)


# ---- Losses --------------------------------------------------------------------------------------


def test_in_batch_contrast_is_its_definition():
    numbers = np.random.default_rng(0)
    v = numbers.standard_normal((4, 2, 3))
    v /= np.sqrt((v * v).sum(axis=-1, keepdims=True))
    y = np.array([0, 1, 0, 2])  # the first and the third have the same second sentence
    found = InBatchContrast(scale=7.0, reduction="none")(y, Tensor(v)).numpy()
    for i in range(4):
        others = [j for j in range(4) if j == i or y[j] != y[i]]
        shares = {j: np.exp(7 * v[i, 0] @ v[j, 1]) for j in others}
        assert found[i] == pytest.approx(-np.log(shares[i] / sum(shares.values())))


def test_the_scale_of_in_batch_contrast_is_that_of_sentence_transformers():
    assert tasks.MatchSentences().loss.scale == 20


def test_the_nearest_is_its_own_also_where_that_comes_twice():
    v = np.zeros((3, 2, 3))
    v[:, 0] = np.eye(3)[[1, 1, 2]]
    v[:, 1] = np.eye(3)[[1, 1, 0]]
    assert nearest_is_own(np.array([0, 0, 1]), v).tolist() == [True, True, False]
    assert nearest_is_own(np.array([0, 2, 1]), v).tolist() == [True, False, False]


def test_the_error_of_a_cosine_is_its_distance():
    v = np.array([[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.8]]])
    np.testing.assert_allclose(cosine_error(np.array([0.1, 0.9]), v), [0.5, 0.3])


def test_the_cosine_loss_is_its_definition():
    v, y = np.random.default_rng(0).standard_normal((4, 2, 3)), np.array([1, 0, -1, 0.5])
    expected = [(v[i, 0] @ v[i, 1] - y[i]) ** 2 for i in range(4)]
    found = CosineSimilarity(reduction="none")(y, Tensor(v)).numpy()
    np.testing.assert_allclose(found, expected)


def test_vectors_of_sentences_have_length_1():
    model, _, _, x, _, _ = made("match")
    v = model.predict(x, verbose=0)
    np.testing.assert_allclose(np.sqrt((v * v).sum(axis=-1)), 1, rtol=1e-5)


# ---- Spans ---------------------------------------------------------------------------------------


def test_an_answer_is_a_part_of_the_text_as_it_was_written():
    context = "The  Dog, überall ÄRGER!  sees a BOX."
    task = tasks.AnswerQuestions()
    for answer in ("Dog", "ÄRGER", "überall ÄRGER!", "ÄRGER!", "!", "BOX"):
        row = {"question": "who ?", "context": context, "answer": answer}
        x, y = task.examples([row], WORDS)
        logits = np.zeros((1, 2, x["ids"].shape[1]))
        logits[0, [0, 1], y[0]] = 1
        [found] = task.answers(logits, [row], WORDS)
        assert found.text == answer == context[found.start : found.end]


def test_an_answer_that_comes_twice_is_where_its_column_says():
    row = {"question": "who ?", "context": "dog cat dog", "answer": "dog", "start": "8"}
    _, [first] = tasks.AnswerQuestions().examples([row], WORDS)
    _, [second] = tasks.AnswerQuestions(start="start").examples([row], WORDS)
    assert (second - first).tolist() == [2, 2]


def test_no_answer_ends_before_it_begins_or_is_longer_than_it_may_be():
    begins, ends = np.zeros(6), np.zeros(6)
    begins[4], ends[1], begins[1], ends[5] = 9, 9, 3, 5
    allowed = [False, True, True, True, True, True]
    assert tuple(best_span(np.stack([begins, ends]), allowed, 6)) == (4, 5)
    begins[4] = 0
    assert tuple(best_span(np.stack([begins, ends]), allowed, 6)) == (1, 1)
    ends[1] = 0
    assert tuple(best_span(np.stack([begins, ends]), allowed, 6)) == (1, 5)
    assert tuple(best_span(np.stack([begins, ends]), allowed, 4)) == (2, 5)


@given(st.text(max_size=30))
def test_tokens_with_places_are_the_tokens(written):
    ids, places = WORDS.encode_with_places(written)
    assert ids == WORDS.encode(written, add_special_tokens=False)
    assert all(0 <= start < end <= len(written) for start, end in places)
    assert places == sorted(places)


# ---- Rows that cannot be -------------------------------------------------------------------------

BAD = {
    "classify label": ("classify", {"label": "stone"}, "column 'label': one of animal, food"),
    "classify text": ("classify", {"text": " "}, "column 'text': a text is needed"),
    "classify nothing": ("classify", {"text": None}, "column 'text': a text is needed"),
    "pair": ("classify pairs", {"other": 3}, "column 'other': a text is needed. Received: 3"),
    "regress": ("regress", {"target": "many"}, "column 'target': a finite number is needed"),
    "regress nan": ("regress", {"target": "nan"}, "column 'target': a finite number is needed"),
    "tag count": ("tag", {"tags": "O O"}, "column 'tags': 5 words need as many tags. Received: 2"),
    "tag": ("tag", {"tags": "O O O O x"}, "column 'tags': tags are O, animal, food, verb"),
    "answer": ("answer", {"answer": "mouse"}, "column 'answer': it is not in its context"),
    "match": ("match", {"second": ""}, "column 'second': a text is needed"),
    "score": ("match by score", {"score": ""}, "column 'score': a finite number is needed"),
    "mask": ("mask", {"text": ""}, "column 'text': a text is needed"),
    "continue": ("continue", {"text": ""}, "column 'text': a text is needed"),
    "instruct": ("instruct", {"response": ""}, "column 'response': a text is needed"),
    "instruct end": (
        "instruct",
        {"instruction": "a<|im_end|>"},
        "column 'instruction': a text must not have the special token '<|im_end|>'",
    ),
    "message": ("instruct", {"messages": [{"role": "me", "content": "a"}]}, "a message is"),
    "no answer": (
        "instruct",
        {"messages": [{"role": "user", "content": "a"}]},
        "no message of the",
    ),
}


@pytest.mark.parametrize("case, changed, message", BAD.values(), ids=BAD)
def test_a_bad_row_is_named(case, changed, message):
    task, base, rows, *_ = CASES[case]
    rows = rows()
    rows[2] = {**rows[2], **changed}
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        task.examples(rows, base().tokenizer)
    assert str(error.value).startswith("row 2 (counted from 0)")


@pytest.mark.parametrize("case", CASES)
def test_rows_that_are_none_and_a_tokenizer_that_is_none_are_named(case):
    task, base, rows, *_ = CASES[case]
    tokenizer = base().tokenizer
    with pytest.raises(ValueError, match="there are no rows"):
        task.examples([], tokenizer)
    with pytest.raises(ValueError, match=r"row 1 .*: a row is a dict .* Received: 'a text'"):
        task.examples([rows()[0], "a text"], tokenizer)
    with pytest.raises(ValueError, match="tokenizer"):
        task.examples(rows(), None)


def test_integers_are_labels_too():
    rows = [{"text": "the dog", "label": label} for label in (5, "1", np.int64(5))]
    _, y = tasks.Classify([1, 5]).examples(rows, WORDS)
    assert y.tolist() == [1, 0, 1]


def test_a_column_that_is_missing_is_named():
    with pytest.raises(ValueError, match="row 0 .*'text': there is no such column, but words"):
        tasks.Classify(LABELS).inputs([{"words": "a"}], WORDS)


def test_an_answer_beyond_the_length_is_named():
    row = {"question": "who ?", "context": "the cat has a box", "answer": "box"}
    with pytest.raises(ValueError, match="row 0 .*it is not in the first tokens"):
        tasks.AnswerQuestions(max_length=8).examples([row], WORDS)


@pytest.mark.parametrize("case", ["tag", "answer", "mask"])
def test_what_looks_both_ways_needs_bert(case):
    with pytest.raises(ValueError, match="BERT.* Received: GPT"):
        CASES[case][0].model(gpt())


@pytest.mark.parametrize("case", ["continue", "instruct"])
def test_what_writes_needs_a_model_that_writes(case):
    with pytest.raises(ValueError, match=r"as GPT and Llama do\. Received: BERT"):
        CASES[case][0].model(bert("tokens"))


@pytest.mark.parametrize("base", [lambda: bert("tokens"), lambda: bert(use_pooler=False), gpt])
def test_a_pooler_that_is_not_there_is_named(base):
    with pytest.raises(ValueError, match="pooling='pooler' is what BERT's pooler"):
        tasks.Classify(LABELS, pooling="pooler").model(base())


# ---- Chat templates ------------------------------------------------------------------------------

QWEN = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a helper.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + "
    "message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
)
LLAMA = "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}"


def folder_with(path, template):
    (path / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    return path


@pytest.mark.parametrize(
    "jinja, name, system",
    [
        (QWEN, "chatml", "You are a helper."),
        (QWEN.replace("You are a helper.", "{{ system }}"), "chatml", None),
        (LLAMA, "llama3", None),
        (
            [{"name": "tools", "template": "?"}, {"name": "default", "template": LLAMA}],
            "llama3",
            None,
        ),
        ("### Instruction:\n{{ message }}", "alpaca", None),
    ],
    ids=["qwen", "chatml", "llama3", "several", "alpaca"],
)
def test_the_chat_template_of_a_folder_is_recognised(tmp_path, jinja, name, system):
    task = tasks.FollowInstructions.of_folder(folder_with(tmp_path, jinja))
    assert (task.template, task.system) == (name, system)


@pytest.mark.parametrize(
    "jinja",
    ["[INST] {{ x }} [/INST]", QWEN + LLAMA, LLAMA + "Cutting Knowledge Date", None],
    ids=["other", "two", "dated", "none"],
)
def test_any_other_chat_template_is_asked_for(tmp_path, jinja):
    with pytest.raises(ValueError, match="chatml, llama3, alpaca, or a text of your own"):
        tasks.FollowInstructions.of_folder(folder_with(tmp_path, jinja))


def test_llama_3_has_its_markers():
    task = tasks.FollowInstructions("llama3")
    written = "".join(s.text for s in task.stretches({"instruction": "a", "response": "b"}))
    assert written == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\na<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nb<|eot_id|>"
    )


def test_markers_that_the_tokenizer_does_not_know_are_named():
    with pytest.raises(ValueError, match="'llama3' has <|begin_of_text|>, which is no token"):
        tasks.FollowInstructions("llama3").examples(instructions(), BYTES)


@pytest.mark.parametrize("template", ["chatlm", "no place", "{a} {a}"])
def test_a_template_without_places_is_named(template):
    with pytest.raises(ValueError, match="a template is one of chatml, llama3, alpaca, or a text"):
        tasks.FollowInstructions(template)


# ---- Saved and read again ------------------------------------------------------------------------

METHODS = {
    **{"full": "Full()", "head": "HeadOnly()", "frozen": "Frozen('base.tokens')"},
    **{"last_blocks": "LastBlocks(1)", "gradual": "GradualUnfreezing()"},
    **{"layerwise": "LayerWise()", "bitfit": "BitFit()", "lora": "LoRA(r=2, targets='query')"},
}


def saved(case, method, folder):
    """What a model of a case predicts after a little training; it is in folder/name."""
    base = CASES[case][1]()
    finetune.save_pretrained(base, folder / "base")
    model, task, rows, x, y, told = made(case, eval(method, vars(finetune)))
    model.fit(x, y, epochs=2, batch_size=8, verbose=0, callbacks=told)
    finetune.save_finetuned(model, task, folder / "tuned", folder / "base")
    return outputs(model, task, rows)


def outputs(model, task, rows):
    """What a model says of some rows; a task that writes has no other inputs than to learn from."""
    tokenizer = model.base.tokenizer
    writes = not hasattr(task, "inputs")
    x = task.examples(rows, tokenizer)[0] if writes else task.inputs(rows, tokenizer)
    return model.predict(x, verbose=0)


def test_the_table_has_every_method():
    assert METHODS.keys() == finetune.METHODS.keys()


def test_read_again_with_its_head_a_model_of_any_method_gives_the_same(tmp_path):
    expected = {}
    for name, method in METHODS.items():
        (tmp_path / name).mkdir()
        expected[name] = saved("classify", method, tmp_path / name)
        found, learned = predict_again(tmp_path / name, classes()), expected[name]
        assert found.tobytes() == learned.tobytes(), name
        assert (tmp_path / name / "tuned" / "adapter_config.json").exists() == (name == "lora")
    (tmp_path / "rows.json").write_text(json.dumps(classes()))
    code = """if True:
        import json, sys
        from pathlib import Path
        import numpy as np
        from minigrad import finetune
        folder = Path(sys.argv[1])
        rows = json.loads((folder / "rows.json").read_text())
        for path in folder.glob("*/tuned"):
            model, task = finetune.load_finetuned(path)
            y = model.predict(task.inputs(rows, model.base.tokenizer), verbose=0)
            np.save(folder / f"{path.parent.name}.npy", y)
    """
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    for name, y in expected.items():
        assert np.load(tmp_path / f"{name}.npy").tobytes() == y.tobytes(), name


def predict_again(folder, rows):
    return outputs(*finetune.load_finetuned(folder / "tuned"), rows)


@pytest.mark.parametrize("method", ["Full()", "LoRA(r=2, head='head', targets='base.blocks.*')"])
@pytest.mark.parametrize(
    "case", ["regress", "tag", "answer", "classify by GPT", "classify by Llama"]
)
def test_every_head_is_read_again(case, method, tmp_path):
    expected = saved(case, method, tmp_path)
    assert predict_again(tmp_path, CASES[case][2]()).tobytes() == expected.tobytes()
    _, task = finetune.load_finetuned(tmp_path / "tuned")
    assert task.get_config() == CASES[case][0].get_config()


@pytest.mark.parametrize("method", ["Full()", "LoRA(r=2, targets='*.blocks.*')"])
@pytest.mark.parametrize("case", ["match", "mask", "continue", "instruct"])
def test_a_task_without_a_head_of_its_own_is_read_again(case, method, tmp_path):
    expected = saved(case, method, tmp_path)
    assert predict_again(tmp_path, CASES[case][2]()).tobytes() == expected.tobytes()


def test_a_text_is_pooled_as_the_folder_of_its_base_says():
    base = bert()
    assert tasks.Classify(LABELS).model(base).pooling == "pooler"
    base.pooling = Pooling("mean")
    assert tasks.Classify(LABELS).model(base).pooling == "mean"
    assert tasks.Classify(LABELS, pooling="cls").model(base).pooling == "cls"


def test_the_base_is_told_which_of_two_texts_a_token_is_in():
    task = CASES["classify pairs"][0]
    model = task.model(bert())
    x = task.inputs(pairs()[:3], WORDS)
    assert x["segments"].max() == 1
    features = model.base.features(x["ids"], mask=x["mask"], segments=x["segments"])
    expected = model.head(model.base.pool(features)).numpy()
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=0, atol=1e-6)
    del x["segments"]
    assert np.abs(model.predict(x, verbose=0) - expected).max() > 1e-5


def test_a_new_head_is_small_and_its_bias_does_not_decay():
    base = bert(dropout=0.3)
    model = tasks.Classify([f"{i}" for i in range(400)]).model(base)
    assert np.std(model.head.weight.numpy()) == pytest.approx(0.02, rel=0.05)
    assert not model.head.bias.numpy().any() and model.drop.rate == 0.3
    assert model.head.bias.weight_decay_multiplier == 0.0
    assert model.head.weight.weight_decay_multiplier == 1.0
    assert not tasks.Classify(LABELS).model(gpt()).head.use_bias


# ---- Read by others ------------------------------------------------------------------------------

# {case: (the name of transformers' model, of the head, labels in config.json, PEFT's task)}
THEIRS = {
    "classify": ("BertForSequenceClassification", "classifier", LABELS, "SEQ_CLS"),
    "classify by GPT": ("GPT2ForSequenceClassification", "score", LABELS, "SEQ_CLS"),
    "classify by Llama": ("LlamaForSequenceClassification", "score", LABELS, "SEQ_CLS"),
    "regress": ("BertForSequenceClassification", "classifier", ["target"], "SEQ_CLS"),
    "tag": ("BertForTokenClassification", "classifier", CASES["tag"][0].labels, "TOKEN_CLS"),
    "answer": ("BertForQuestionAnswering", "qa_outputs", None, "QUESTION_ANS"),
}
BEGINS = {"Bert": "bert.", "GPT2": "transformer.", "Llama": "model."}


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def weights_in(path):
    return {name: stored.shape for name, stored in open_weights(path)[0].items()}


@pytest.mark.parametrize("case", THEIRS)
def test_a_whole_folder_says_which_model_of_transformers_it_is(case, tmp_path):
    kind, head, labels, _ = THEIRS[case]
    saved(case, "Full()", tmp_path)
    config = read_json(tmp_path / "tuned" / "config.json")
    assert config["architectures"] == [kind]
    if labels is not None:
        assert config["id2label"] == {str(i): label for i, label in enumerate(labels)}
        assert config["label2id"] == {label: i for i, label in enumerate(labels)}
    assert config.get("problem_type") == ("regression" if case == "regress" else None)
    tokenizer = CASES[case][1]().tokenizer
    assert tokenizer.decode([config["pad_token_id"]]) in ("[PAD]", "<|endoftext|>")
    names = weights_in(tmp_path / "tuned" / "model.safetensors")
    begins = BEGINS[kind.partition("For")[0]]
    assert {name for name in names if not name.startswith((begins, "lm_head."))} == (
        {f"{head}.weight"} | ({f"{head}.bias"} if head != "score" else set())
    )


def test_a_whole_folder_says_with_which_token_texts_are_filled_up(tmp_path):
    base = gpt()
    base.tokenizer = text.BytePairTokenizer.train(SENTENCES, 300, ["<|sep|>", "<|endoftext|>"])
    task = tasks.Classify(LABELS)
    finetune.save_finetuned(task.model(base), task, tmp_path)
    assert read_json(tmp_path / "config.json")["pad_token_id"] == 1


@pytest.mark.parametrize("case", THEIRS)
def test_an_adapter_says_which_task_of_peft_it_is_for(case, tmp_path):
    kind, head, _, task = THEIRS[case]
    saved(case, "LoRA(r=2, targets='*.blocks.*')", tmp_path)
    config = read_json(tmp_path / "tuned" / "adapter_config.json")
    assert (config["task_type"], config["modules_to_save"]) == (task, [head])
    assert config["fan_in_fan_out"] == ("GPT" in case)
    begins = BEGINS[kind.partition("For")[0]]
    assert all(path.startswith(begins) for path in config["target_modules"])


@pytest.mark.parametrize("method", ["Full()", "LoRA(r=2, targets='*.blocks.*')"])
def test_a_head_that_transformers_does_not_have_is_not_taken_for_another(method, tmp_path):
    """It pools by its pooler, and would find other logits by a mean's head without a word."""
    saved("classify by mean", method, tmp_path)
    if method == "Full()":
        assert read_json(tmp_path / "tuned" / "config.json")["architectures"] == ["BertModel"]
        names = weights_in(tmp_path / "tuned" / "model.safetensors")
        assert {name for name in names if name[:5] != "bert."} == {"head.weight", "head.bias"}
    else:
        config = read_json(tmp_path / "tuned" / "adapter_config.json")
        assert (config["task_type"], config["modules_to_save"]) == (None, ["head"])
        assert all(path.startswith("encoder.layer.") for path in config["target_modules"])


def test_an_adapter_of_an_encoder_has_the_paths_of_one_without_a_head(tmp_path):
    saved("match", "LoRA(r=2, targets='query')", tmp_path)
    config = read_json(tmp_path / "tuned" / "adapter_config.json")
    assert config["target_modules"] == [f"encoder.layer.{i}.attention.self.query" for i in range(2)]


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of transformers, at how PEFT calls it
@pytest.mark.parametrize("method", ["Full()", "LoRA(r=2, targets='*.blocks.*')"])
@pytest.mark.parametrize("case", THEIRS)
def test_transformers_finds_the_same_logits(case, method, tmp_path):
    torch = pytest.importorskip("torch", reason="NOT TESTED: torch is not installed")
    why = "NOT TESTED: transformers and peft are not installed"
    transformers = pytest.importorskip("transformers", reason=why)
    peft = pytest.importorskip("peft", reason=why)
    expected = saved(case, method, tmp_path)
    kind, _, labels, _ = THEIRS[case]
    base = tmp_path / ("tuned" if method == "Full()" else "base")
    more = {} if method == "Full()" else {"num_labels": len(labels or "ab")}
    theirs = getattr(transformers, kind).from_pretrained(base, **more)
    tokenizer = CASES[case][1]().tokenizer
    if method != "Full()":
        theirs.config.pad_token_id = tokenizer.special_tokens.get("<|endoftext|>", 0)
        # Of answers PEFT's outermost model forgets the segments, and `.base_model` does not.
        theirs = peft.PeftModel.from_pretrained(theirs, tmp_path / "tuned").base_model
    x = CASES[case][0].inputs(CASES[case][2](), tokenizer)
    mask = x["mask"]
    given = {"input_ids": x["ids"], "attention_mask": mask.astype(int)}
    if "segments" in x:
        given["token_type_ids"] = x["segments"]
    with torch.no_grad():
        found = theirs.eval()(**{name: torch.tensor(array) for name, array in given.items()})
    if case == "answer":
        logits = np.stack([found.start_logits, found.end_logits], axis=1)
        logits, expected = (np.moveaxis(each, 1, 2)[mask] for each in (logits, expected))
    else:
        rows = mask if case == "tag" else ...
        logits, expected = found.logits.numpy()[rows], expected[rows]
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5)


# ---- What cannot be saved, or read ---------------------------------------------------------------


def test_a_model_with_two_adapters_is_refused(tmp_path):
    model, task, *_ = made("classify", "lora")
    finetune.prepare(model, finetune.LoRA(name="second"))
    with pytest.raises(ValueError, match="adapters default, second"):
        finetune.save_finetuned(model, task, tmp_path, tmp_path)


def test_adapters_without_a_base_are_merged_or_refused(tmp_path):
    model, task, *_ = made("classify", "lora")
    with pytest.raises(ValueError, match=r"saved beside base=.* Received: base=None, adapters def"):
        finetune.save_finetuned(model, task, tmp_path)
    finetune.merge(model, for_good=True)
    finetune.save_finetuned(model, task, tmp_path)
    assert finetune.load_finetuned(tmp_path)[1].labels == LABELS


BROKEN = {
    "no file": (None, "no fine-tuned model was saved there"),
    "a list": ([], "describes no task"),
    "no settings": ({"task": "classify"}, "describes no task"),
    "other task": ({"task": "sing", "settings": {}}, "unknown task 'sing'"),
    "other setting": ({"task": "classify", "settings": {"r": 1}}, "unexpected keyword"),
    "wrong setting": ({"task": "classify", "settings": {"labels": 3}}, "not iterable"),
    "no base": ({"task": "regress", "settings": {}, "base": "/nowhere"}, "there is none"),
    "two kinds": ({"task": "regress", "settings": {}, "base": "."}, "an adapter needs a base"),
    "other labels": ({"task": "classify", "settings": {"labels": ["a", "b", "c"]}}, "classifier"),
}


@pytest.mark.parametrize("content, message", BROKEN.values(), ids=BROKEN)
def test_a_broken_folder_is_a_clear_error(content, message, tmp_path):
    model, task, *_ = made("classify")
    finetune.save_finetuned(model, task, tmp_path)
    file = tmp_path / "minigrad_task.json"
    if content is None:
        file.unlink()
    else:
        file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        finetune.load_finetuned(tmp_path)
