"""`minigrad generate`: what a trained model writes behind a prompt, shown as it comes."""

from pathlib import Path

from .. import models, text

MODEL = "model.safetensors"


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
):
    """Print the prompt and what the model in a folder writes behind it. Returns what it wrote.

    folder  the folder of a training, with the model and the files of its tokenizer

    All else as in `text.stream`. ValueError or OSError for what cannot be read or used.
    """
    path = Path(folder)
    if not path.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}: the folder of a training is wanted")
    if not (path / MODEL).is_file():
        raise FileNotFoundError(f"{folder} is not the folder of a training: it has no {MODEL}")
    model = models.load_model(path / MODEL)
    if not hasattr(model, "make_cache"):
        kind = type(model).__name__
        raise ValueError(f"{folder} has a {kind}, which does not say what comes next in a text")
    pieces = text.stream(
        model,
        text.load_tokenizer(path),
        prompt,
        max_new_tokens,
        stop=stop,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        beams=beams,
        repetition_penalty=repetition_penalty,
        seed=seed,
    )
    print(prompt, end="", flush=True)
    written = []
    for piece in pieces:
        print(piece, end="", flush=True)
        written.append(piece)
    print()
    return "".join(written)
