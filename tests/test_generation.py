"""Generation: as transformers have it, the same with and without a cache, and whole characters."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from minigrad import Tensor, finetune, models, random
from minigrad.__main__ import main
from minigrad.text import BytePairTokenizer, ByteTokenizer, generation, load_tokenizer
from minigrad.text.generation import Choice, generate, stream
from tests.golden import make_generation, make_gpt, whole_models
from tests.tiny_models import tiny_gpt

GIVEN = load_file(make_generation.FILE)

PROMPTS = [[3, 1, 4], [1, 5, 9, 2, 6, 5], [3]]
METHODS = {
    "greedy": {"temperature": 0},
    "by chance": {},
    "temperature": {"temperature": 1.7},
    "top_k": {"top_k": 5},
    "top_p": {"top_p": 0.7},
    "penalty": {"repetition_penalty": 1.5},
    "all": {"temperature": 1.3, "top_k": 9, "top_p": 0.9, "repetition_penalty": 1.2},
    "end": {"end_token": 7},
    "beams": {"beams": 3},
    "beams with end and penalty": {"beams": 4, "end_token": 7, "repetition_penalty": 1.3},
}
EVERY_METHOD = pytest.mark.parametrize("options", METHODS.values(), ids=METHODS)


def model(context=16, vocabulary_size=37):
    """A GPT at random, whose probabilities are far from equal."""
    random.seed(1)
    gpt = models.GPT(vocabulary_size, 2, 2, 16, max_sequence_length=context)
    for parameter in gpt.parameters():
        if parameter.ndim > 1:
            parameter.assign(15 * parameter.data)
    return gpt


# ---- Beside transformers -------------------------------------------------------------------------


@pytest.mark.parametrize("name", make_generation.GENERATED)
def test_what_is_generated_equals_that_of_transformers(name):
    _, options = make_generation.GENERATED[name]
    found = generate(
        whole_models.model_of(make_gpt.MODEL), GIVEN["prompts"], make_generation.LENGTH, **options
    )
    assert found == [[id for id in row if id >= 0] for row in GIVEN[name].tolist()]


@pytest.mark.parametrize("name", make_generation.ADJUSTED)
def test_probabilities_equal_those_of_transformers(name):
    _, options = make_generation.ADJUSTED[name]
    logits = generation.adjust(GIVEN["scores"], GIVEN["rows"].tolist(), Choice(**options))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, GIVEN[f"adjusted.{name}"], rtol=1e-9)


def test_every_option_is_held_to_transformers():
    """But for the seed, the cache, which changes nothing, and both ways to say `greedy`."""
    tried = [
        options for _, options in (make_generation.GENERATED | make_generation.ADJUSTED).values()
    ]
    assert set().union(*tried) == Choice.__dataclass_fields__.keys() - {"seed", "use_cache"}


# ---- One way and another -------------------------------------------------------------------------


@EVERY_METHOD
@pytest.mark.parametrize("context", [16, 6])  # which is full in time, or not
def test_with_and_without_a_cache_the_tokens_are_the_same(options, context):
    gpt = model(context)
    cached, read_anew = (
        generate(gpt, PROMPTS, 10, seed=5, use_cache=use_cache, **options)
        for use_cache in (True, False)
    )
    assert cached == read_anew and max(map(len, cached)) == 10


@EVERY_METHOD
@pytest.mark.parametrize("context", [16, 6])
def test_a_batch_gives_what_its_prompts_give_alone(options, context):
    gpt = model(context)
    together = generate(gpt, PROMPTS, 10, seed=5, **options)
    alone = [generate(gpt, [p], 10, seed=5 + i, **options)[0] for i, p in enumerate(PROMPTS)]
    assert together == alone


@pytest.mark.parametrize("context", [16, 6])
def test_with_and_without_a_cache_the_logits_are_the_same(context):
    gpt = model(context)
    cached, read_anew = (
        generation._Reader(gpt, PROMPTS, 10, use_cache) for use_cache in (True, False)
    )
    for token in range(10):
        ours, expected = cached.next_logits(), read_anew.next_logits()
        np.testing.assert_allclose(ours, expected, atol=1e-5)
        if token == 4:  # beams part
            for reader in (cached, read_anew):
                reader.select([2, 1, 1, 0])
        tokens = [token, 8, 30, 2][: len(cached.rows)]
        cached.append(tokens)
        read_anew.append(tokens)


def test_beyond_its_context_a_model_reads_half_of_what_was_there():
    gpt = model(context=6)
    (made,) = generate(gpt, [[3, 1, 4, 1]], 4, temperature=0)
    assert made[:3] == generate(gpt, [[3, 1, 4, 1]], 3, temperature=0)[0]
    rest = [3, 1, 4, 1, *made[:3]][-3:]
    assert made[3:] == generate(gpt, [rest], 1, temperature=0)[0]


def test_the_same_seed_gives_the_same_tokens_and_another_one_others():
    gpt = model()
    first, again, other = (generate(gpt, PROMPTS, 10, seed=seed) for seed in (5, 5, 6))
    assert first == again != other


def test_without_a_seed_chance_is_that_of_the_library():
    gpt = model()
    made = []
    for seed in (5, 5, 6):
        random.seed(seed)
        made.append(generate(gpt, PROMPTS, 10))
    assert made[0] == made[1] != made[2]


def test_tokens_are_drawn_by_their_probabilities():
    p = np.array([0.5, 0.0, 0.3, 0.2])
    chance = np.random.default_rng(0)
    with np.errstate(divide="ignore"):
        drawn = [generation.draw(np.log(p), chance) for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 4000, p, atol=0.03)


def test_nothing_follows_the_end_token():
    gpt = model()
    (whole,) = generate(gpt, [[3, 1, 4]], 10, temperature=0)
    end = whole[4]
    (ended,) = generate(gpt, [[3, 1, 4]], 10, temperature=0, end_token=end)
    assert ended == whole[: whole.index(end)]


def test_a_sequence_ends_only_where_its_end_is_among_the_best_continuations():
    """As transformers have it: else the shortest sequences, with few chances lost, would win."""
    first, end = [0.36, 0.34, 0.3], 2  # two others are likelier than the end

    class Sudden(Script):
        def logits(self, features):
            p = np.full(50, 0.02)  # any token, after the first one
            if not self.cache:
                p[:] = [*first, *[1e-9] * 47]
            self.cache.append(True)
            return Tensor(np.tile(np.log(p), (len(features), 1)))

    model = Sudden([], 50)
    model.cache = []
    assert generate(model, [[7]], 2, beams=2, end_token=end) == [[0, 0]]
    model.cache = []
    assert generate(model, [[7]], 2, beams=3, end_token=end) == [[]]


class Chain:
    """A model to which the last token alone says which is next, by a table of probabilities."""

    device = "cpu"
    max_sequence_length = 1000

    def __init__(self, p):
        self.p, self.vocabulary_size = np.array(p), len(p)

    def make_cache(self, length):
        return []

    def features(self, ids, mask=None, cache=None):
        return ids

    def logits(self, ids):
        return Tensor(np.log(self.p[ids]))


def test_a_search_goes_on_while_a_beam_is_better_than_those_that_ended():
    few = 1e-9  # 0 is the end, and behind 1 it is never likelier than another 1
    chain = Chain([[1 / 3] * 3, [0.45, 0.55, few], [0.4, 0.6, few]])
    assert generate(chain, [[2]], 5, beams=2, end_token=0) == [[1] * 5]


def test_an_end_among_the_best_takes_no_place_of_a_beam():
    chain = Chain([[0.25] * 4, [0.25] * 4, [0.01, 0.01, 0.97, 0.01], [0.3, 0.5, 0.19, 0.01]])
    assert generate(chain, [[3]], 3, beams=2, end_token=0) == [[2, 2, 2]]


def test_top_p_needs_no_more_tokens_than_reach_it():
    logits = generation.adjust(np.zeros((1, 4)), [[]], Choice(top_p=0.5))
    assert np.isfinite(logits).tolist() == [[True, True, False, False]]


# ---- As it comes ---------------------------------------------------------------------------------


class Script:
    """A model that says these ids one after another, whatever it reads."""

    max_sequence_length = 1000
    device = "cpu"

    def __init__(self, ids, vocabulary_size=256):
        self.ids, self.vocabulary_size = itertools.cycle(ids), vocabulary_size

    def make_cache(self, length):
        return []

    def features(self, ids, mask=None, cache=None):
        return np.zeros((*ids.shape, 1))

    def logits(self, features):
        is_next = np.arange(self.vocabulary_size) == next(self.ids)
        return Tensor(np.where(is_next, 9.0, 0.0)[None])


def told(text, count=None, **options):
    """The pieces of a stream in which a model says a text."""
    ids = text.encode()
    count = len(ids) if count is None else count
    return list(stream(Script(ids), ByteTokenizer(), "so", count, temperature=0, **options))


def test_a_stream_gives_whole_characters_as_they_come():
    assert [piece for piece in told("a中é!😀.") if piece] == ["a", "中", "é", "!", "😀", "."]


def test_a_character_that_never_became_whole_is_shown_as_one_at_the_end():
    assert "".join(told("a中", count=2)) == "a\N{REPLACEMENT CHARACTER}"


def test_text_comes_before_the_next_token_is_asked_for():
    pieces = stream(Script(b"ab"), ByteTokenizer(), "so", 10**6, temperature=0)
    assert next(pieces) == "a" and next(pieces) == "b"


@pytest.mark.parametrize(
    "stop, expected",
    [
        ("zz", "one, two, twofold."),
        ("two", "one, "),
        (["twof"], "one, two, "),
        ([" t", "ne"], "o"),
        (["one"], ""),
        ([".", "d.!"], "one, two, twofold"),
    ],
)
def test_a_stop_string_ends_the_text_before_it(stop, expected):
    pieces = told("one, two, twofold.", stop=stop)
    assert "".join(pieces) == expected


def test_what_may_begin_a_stop_string_is_held_back():
    assert [piece for piece in told("abcabx", stop=["abx"]) if piece] == ["abc"]


@EVERY_METHOD
def test_a_stream_is_the_decoded_result(options):
    gpt, tokenizer = model(vocabulary_size=256), ByteTokenizer()
    pieces = stream(gpt, tokenizer, "text", 8, seed=3, **options)
    (ids,) = generate(gpt, [tokenizer.encode("text")], 8, seed=3, **options)
    assert "".join(pieces) == tokenizer.decode(ids)


def test_the_end_token_of_a_tokenizer_ends_a_stream():
    script, tokenizer = Script([97, 98, 256, 99], 257), ByteTokenizer([generation.END])
    assert "".join(stream(script, tokenizer, "so", 9, temperature=0)) == "ab"


# ---- Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prompt, message",
    [
        ([], "a prompt must not be empty"),
        ([1] * 17, "the prompt has 17 tokens, and the model reads at most 16"),
        ([1, 37], "ids from 0 to 36. Received: a prompt with ids from 1 to 37"),
        ([-1, 2], "ids from 0 to 36. Received: a prompt with ids from -1 to 2"),
        ([1.7, 2], "a prompt is a list of ids, integers"),
        (3, "a prompt is a list of ids, integers. Received: 3"),
    ],
)
def test_a_prompt_that_the_model_cannot_read_is_named(prompt, message):
    with pytest.raises(ValueError, match=message):
        generate(model(), [[1, 2], prompt], 3)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": -1},
        {"temperature": float("nan")},
        {"top_k": 0},
        {"top_k": 2.5},
        {"top_p": 0},
        {"top_p": 1.5},
        {"beams": 0},
        {"repetition_penalty": 0},
        {"seed": -1},
        {"seed": 1.5},
        {"end_token": "end"},
        {"beams": 2, "temperature": 0.5},
        {"beams": 2, "top_k": 3},
        {"beams": 2, "top_p": 0.3},
    ],
    ids=str,
)
def test_options_of_no_meaning_are_named(options):
    with pytest.raises(ValueError, match=list(options)[-1]):
        generate(model(), PROMPTS, 3, **options)


@EVERY_METHOD
def test_a_model_that_has_become_nan_is_named(options):
    gpt = model()
    gpt.final_norm.gamma.assign(np.nan * gpt.final_norm.gamma.data)
    with pytest.raises(ValueError, match="logits of the next token are not finite"):
        generate(gpt, PROMPTS, 3, **options)


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_a_number_of_tokens_below_one_is_named(count):
    with pytest.raises(ValueError, match="max_new_tokens must be an integer from 1 up"):
        generate(model(), PROMPTS, count)


def test_a_stream_names_what_is_wrong_before_its_first_piece():
    gpt, tokenizer = model(vocabulary_size=256), ByteTokenizer()
    with pytest.raises(ValueError, match="a prompt must not be empty"):
        stream(gpt, tokenizer, "", 3)
    with pytest.raises(ValueError, match="a stop string must not be empty"):
        stream(gpt, tokenizer, "so", 3, stop=["a", ""])
    with pytest.raises(ValueError, match="the tokenizer has 256 tokens and the model 37"):
        stream(model(), tokenizer, "so", 3)
    with pytest.raises(ValueError, match="top_k"):
        stream(gpt, tokenizer, "so", 3, top_k=-1)


def test_of_no_prompts_nothing_is_made():
    assert generate(model(), [], 3) == []


# ---- minigrad generate ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What a training leaves behind."""
    path = tmp_path_factory.mktemp("training")
    tokenizer = BytePairTokenizer.train(["so it was, so it is, 中文" * 9], 262, [generation.END])
    tokenizer.save(path)
    model(vocabulary_size=tokenizer.vocabulary_size).save(path / "model.safetensors")
    return path


def run(*arguments):
    return main(["generate", *map(str, arguments)])


def test_generate_prints_the_prompt_and_what_follows(folder, capsys):
    assert run(folder, "--prompt", "so", "--max-new-tokens", 9, "--seed", 3) == 0
    gpt, tokenizer = models.load_model(folder / "model.safetensors"), load_tokenizer(folder)
    expected = "".join(stream(gpt, tokenizer, "so", 9, seed=3))
    assert capsys.readouterr().out == f"so{expected}\n" and expected


@pytest.mark.parametrize("name, options", METHODS.items())
def test_generate_takes_every_option(name, options, folder, capsys):
    words = [
        (f"--{option.replace('_', '-')}", value)
        for option, value in options.items()
        if option != "end_token"
    ]
    assert run(folder, "--prompt", "so", "--max-new-tokens", 5, *itertools.chain(*words)) == 0
    gpt, tokenizer = models.load_model(folder / "model.safetensors"), load_tokenizer(folder)
    options = {option: value for option, value in options.items() if option != "end_token"}
    expected = "".join(stream(gpt, tokenizer, "so", 5, seed=0, **options))
    assert capsys.readouterr().out == f"so{expected}\n"


def test_generate_stops_before_a_stop_string(folder, capsys):
    command = folder, "--prompt", "so", "--max-new-tokens", 9
    run(*command)
    whole = capsys.readouterr().out
    assert run(*command, "--stop", "never", "--stop", whole[6:8]) == 0
    assert capsys.readouterr().out == whole[: whole.index(whole[6:8], 2)] + "\n"


def test_generate_is_silent_when_nobody_reads_on(folder):
    more = "100000"  # than a pipe holds, lest the program end before nobody reads on
    options = ["--prompt", "so", "--max-new-tokens", more]
    command = [sys.executable, "-m", "minigrad", "generate", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert (process.stderr.read(), process.wait(timeout=60)) == (b"", 141)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--prompt", ""), "a prompt must not be empty"),
        (("--prompt", "abcdefghi" * 9), "the model reads at most 16 at once"),
        (("--prompt", "so", "--temperature", -1), "temperature must be a finite number from 0 up"),
        (("--prompt", "so", "--beams", 2, "--top-k", 3), "leaves nothing to chance"),
        (("--prompt", "so", "--max-new-tokens", 0), "max_new_tokens must be an integer from 1 up"),
    ],
)
def test_generate_names_what_it_cannot_do(arguments, message, folder, capsys):
    assert run(folder, *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""


def test_generate_names_a_folder_that_is_none(tmp_path, capsys):
    assert run(tmp_path / "nowhere", "--prompt", "so") == 2
    assert "there is no folder" in capsys.readouterr().err
    assert run(tmp_path, "--prompt", "so") == 2
    assert "it has no model.safetensors" in capsys.readouterr().err


def test_generate_names_a_model_that_does_not_write(folder, tmp_path, capsys):
    words = load_tokenizer(folder)
    words.save(tmp_path)
    models.BERT(words.vocabulary_size, 1, 1, 4).save(tmp_path / "model.safetensors")
    assert run(tmp_path, "--prompt", "so") == 2
    assert "has a BERT, which does not say what comes next" in capsys.readouterr().err


def test_generate_names_a_tokenizer_of_another_model(folder, tmp_path, capsys):
    load_tokenizer(folder).save(tmp_path)
    model(vocabulary_size=50).save(tmp_path / "model.safetensors")
    assert run(tmp_path, "--prompt", "so") == 2
    assert "they do not belong together" in capsys.readouterr().err


def test_generate_takes_a_folder_as_hugging_face_lays_it_out(tmp_path, capsys):
    tiny_gpt(tmp_path / "gpt")
    assert run(tmp_path / "gpt", "--prompt", "the cat", "--max-new-tokens", 5) == 0
    gpt = finetune.from_pretrained(tmp_path / "gpt")
    expected = "".join(stream(gpt, gpt.tokenizer, "the cat", 5, seed=0))
    assert capsys.readouterr().out == f"the cat{expected}\n"
