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
            Face lays it out. To a model that learned to follow instructions the prompt is one, and
            what comes before an answer is put around it
    device  where to compute: "cpu", or "cuda", a GPU of NVIDIA

    All else as in `text.stream`. ValueError or OSError for what cannot be read or used.
    """
    model, tokenizer, shaped = _load(Path(folder), prompt)
    if not hasattr(model, "make_cache"):
        kind = type(model).__name__
        raise ValueError(f"{folder} has a {kind}, which does not say what comes next in a text")
    pieces = text.stream(
        model.to(device),
        tokenizer,
        shaped,
        max_new_tokens,
        stop=stop,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        beams=beams,
        repetition_penalty=repetition_penalty,
        seed=seed,
    )
    print(prompt, end="" if shaped == prompt else "\n", flush=True)
    written = []
    for piece in pieces:
        print(piece, end="", flush=True)
        written.append(piece)
    print()
    return "".join(written)


def _load(folder, prompt):
    """The model of a folder, its tokenizer, and the prompt as that model is to read it."""
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}: the folder of a training is wanted")
    finetuned = model_folder(folder)
    if finetuned is not None:
        model, task = finetune.load_finetuned(finetuned)
        shape = getattr(task, "prompt", None)
        return model.base, model.base.tokenizer, shape(prompt) if shape else prompt
    if not (folder / CONFIG).is_file() and not (folder / MODEL).is_file():
        raise FileNotFoundError(f"{folder} is not the folder of a training: it has no {MODEL}")
    model = finetune.load_base(folder, finetune.tasks.Task)
    return model, model.tokenizer, prompt
