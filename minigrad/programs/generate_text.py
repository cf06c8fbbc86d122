"""`minigrad generate`: what a trained model writes behind a prompt, shown as it comes."""

from pathlib import Path

from .. import finetune, text
from .finetuned_folder import model_folder

MODEL, CONFIG = "model.safetensors", "config.json"


def generate_text(
    folder,
    prompt,
    max_new_tokens=200,
    temperature=None,
    top_k=None,
    top_p=None,
    beams=1,
    repetition_penalty=1.0,
    stop=(),
    seed=0,
    device="cpu",
):
    """Print the prompt and what the model in a folder writes behind it. Returns what it wrote.

    folder  of a `minigrad train gpt` or a `minigrad finetune`; or of a pretrained model, as Hugging
            Face lays it out. A model that learned to follow instructions takes the prompt for one,
            and its answer alone is printed
    device  where to compute: "cpu", "cuda" (a GPU of NVIDIA) or "simulator"

    All else as in `text.stream`. ValueError or OSError for what cannot be read or used.
    """
    options = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "beams": beams,
        "repetition_penalty": repetition_penalty,
        "seed": seed,
    }
    path = Path(folder)
    if not path.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}: the folder of a training is wanted")
    if (finetuned := model_folder(path)) is not None:
        whole, task = finetune.load_finetuned(finetuned)
        model = whole.to(device).base
        if isinstance(task, finetune.tasks.FollowInstructions):
            answer = _answer(whole, task, prompt, max_new_tokens, stop, options)
            print(answer)
            return answer
    else:
        if not any((path / name).is_file() for name in (CONFIG, MODEL)):
            raise FileNotFoundError(f"{folder} is not the folder of a training: it has no {MODEL}")
        model = finetune.load_base(path, finetune.tasks.Task)
    if not hasattr(model, "make_cache"):
        kind = type(model).__name__
        raise ValueError(f"{folder} has a {kind}, which does not say what comes next in a text")
    model.to(device)
    pieces = text.stream(model, model.tokenizer, prompt, max_new_tokens, stop=stop, **options)
    print(prompt, end="", flush=True)
    written = []
    for piece in pieces:
        print(piece, end="", flush=True)
        written.append(piece)
    print()
    return "".join(written)


def _answer(model, task, prompt, max_new_tokens, stop, options):
    """What a model answers to an instruction, up to the first of the stop strings."""
    if len(task.columns) != 1:
        raise ValueError(
            f"this model reads {' and '.join(task.columns)}: minigrad predict takes a file of them"
        )
    row = {task.columns[0]: prompt}
    given = {name: value for name, value in options.items() if value is not None}
    [answer] = task.predict(
        model, [row], model.base.tokenizer, max_new_tokens=max_new_tokens, **given
    )
    return answer[: min((answer.find(s) for s in stop if s in answer), default=None)]
