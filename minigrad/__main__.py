"""The command line: `minigrad quickstart`, `minigrad run overfitting`, `minigrad doctor`, ...

Also `python -m minigrad`.
"""

import argparse
import os
import sys
from contextlib import suppress
from inspect import signature

from . import __version__, data, finetune
from .programs.ablation import ablation
from .programs.ablation_run import ABOUT
from .programs.cnn_digits import cnn_digits
from .programs.doctor import doctor
from .programs.embed_text import embed_text
from .programs.finetune_text import finetune_text
from .programs.finetuning_settings import Settings as FineTuning
from .programs.generate_digits import generate_digits
from .programs.generate_text import generate_text
from .programs.name_the_module import name_the_module
from .programs.overfitting import overfitting
from .programs.predict import predict
from .programs.pretrain import pretrain
from .programs.pretraining_settings import Settings
from .programs.quickstart import ABOUT as STAGES
from .programs.quickstart import DEFAULT, quickstart
from .programs.recommend import recommend
from .programs.retrieve_images import retrieve_images
from .programs.search_text import search_text
from .programs.speech_commands import speech_commands
from .programs.train_table import train_table
from .programs.translate_dates import translate_dates
from .programs.warmup import warmup


def main(arguments=None):
    """Run one command; returns the exit status.

    0, or 2 after an error that the user can mend, 130 after Ctrl-C, or 141 if nobody reads on.
    """
    parser = argparse.ArgumentParser(
        "minigrad", description="Deep learning from scratch, to be read."
    )
    parser.add_argument("--version", action="version", version=f"minigrad {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add_command in COMMANDS:
        add_command(commands)

    options = parser.parse_args(arguments)
    with suppress(AttributeError):  # a terminal without Greek letters shows their numbers instead
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
    except BrokenPipeError:  # whoever reads has had enough, as `head` has
        # What is left would complain again at the end of Python.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as shells count: 128 and the number of the signal
    except (ValueError, OSError) as error:
        print(f"minigrad {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"minigrad {options.command}: interrupted", file=sys.stderr)
        return 130  # likewise
    return 0


def _add_quickstart(commands):
    command = commands.add_parser(
        "quickstart",
        help="learn digits, fine-tune, and train a GPT on Python, stage by stage",
        description="From raw data to models that are trained, tested, saved and read again.",
        epilog="\n".join(["stages:", *(f"  {name:10}{about}" for name, about in STAGES.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--data", default="digits", help="digits (default), or a folder with the MNIST files"
    )
    command.add_argument(
        "--out", default="runs/quickstart", help="folder for the report (default: %(default)s)"
    )
    command.add_argument(
        "--stages",
        default=DEFAULT,
        help="some of those below, with commas between them (default: %(default)s)",
    )
    command.set_defaults(
        run=lambda options: quickstart(options.data, options.out, stages=options.stages)
    )


def _add_run(commands):
    command = commands.add_parser("run", help="one of the programs that come with minigrad")
    programs = command.add_subparsers(dest="program", required=True, metavar="PROGRAM")
    for program, about, *own in PROGRAMS:
        command = programs.add_parser(program.__name__, help=about)
        command.add_argument("--out", help="folder for the report (default: %(default)s)")
        command.add_argument(
            "--seeds", type=int, help="how often to repeat it (default: %(default)s)"
        )
        for option, settings in own:
            command.add_argument(option, **settings)
        _run_by_names(command, program)


def _run_by_names(command, function):
    """Let a command call a function, whose arguments are its options, with its defaults."""
    parameters = signature(function).parameters.items()
    defaults = {name: p.default for name, p in parameters if p.default is not p.empty}
    command.set_defaults(run=_call_by_names, function=function, **defaults)


def _call_by_names(options):
    names = signature(options.function).parameters
    options.function(**{name: getattr(options, name) for name in names})


def _add_train(commands):
    command = commands.add_parser("train", help="learn from a table, or from any text")
    kinds = command.add_subparsers(dest="kind", required=True, metavar="KIND")
    _add_train_table(kinds)
    for kind, about in (
        ("gpt", "learn from text which token comes next"),
        ("bert", "learn from text which tokens are hidden"),
    ):
        _add_pretrain(kinds.add_parser(kind, help=about), kind)


def _add_train_table(kinds):
    command = kinds.add_parser("table", help="predict one column of a CSV file from the others")
    command.add_argument(
        "--data",
        dest="source",
        metavar="DATA",
        required=True,
        help="the CSV file, with names in its first line",
    )
    command.add_argument("--target", required=True, help="the column to predict")
    command.add_argument("--out", help="folder for report and model (default: %(default)s)")
    command.add_argument("--delimiter", help="between two fields; tab is one too")
    command.add_argument(
        "--task",
        help="classification, regression, or auto: the target decides (default: %(default)s)",
    )
    command.add_argument("--epochs", type=int, help="passes at most (default: %(default)s)")
    command.add_argument("--seed", type=int, help="of all chance (default: %(default)s)")
    command.add_argument(
        "--test", type=float, help="share of rows to test on (default: %(default)s)"
    )
    command.add_argument("--hidden", help="units of the hidden layers (default: %(default)s)")
    command.add_argument("--drop", action="append", help="a column to leave out; can be repeated")
    command.add_argument(
        "--keep", action="append", help="a column to use that would be left out; likewise"
    )
    command.add_argument("--encoding", help="of the file, such as latin-1 (default: UTF-8)")
    command.add_argument("--group", help="a column: the test is reported for each of its values")
    command.add_argument("--device", help=_DEVICE)
    _run_by_names(command, train_table)
    command.set_defaults(drop=[], keep=[])  # which "append" makes longer


def _add_pretrain(command, kind):
    """The options are those of Settings; only those that are given are handed on."""
    for name, about in PRETRAINING.items():
        default = Settings._field_defaults[name]
        command.add_argument(
            f"--{name.replace('_', '-')}",
            type=Settings.__annotations__[name],
            default=argparse.SUPPRESS,
            help=about if default is None else f"{about} (default: {default})",
        )
    command.add_argument(
        "--out", default=f"runs/{kind}", help="folder for report and model (default: %(default)s)"
    )
    command.add_argument(
        "--resume", action="store_true", help="go on with the training that was interrupted there"
    )
    command.set_defaults(run=_run_pretrain)


def _run_pretrain(options):
    given = {name: value for name, value in vars(options).items() if name in PRETRAINING}
    pretrain(options.kind, options.out, options.resume, **given)


def _add_finetune(commands):
    """The options are those of its Settings; only those that are given are handed on."""
    command = commands.add_parser(
        "finetune", help="let a pretrained model learn a task from texts of yours"
    )
    command.add_argument("base", help=_BASE)
    for name, about in FINETUNING.items():
        default = FineTuning._field_defaults.get(name)
        kind = FineTuning.__annotations__[name]
        how = {list: {"action": "append"}, bool: {"action": "store_true"}}.get(kind, {"type": kind})
        command.add_argument(
            f"--{name.replace('_', '-')}",
            required=name not in FineTuning._field_defaults,
            default=argparse.SUPPRESS,
            help=about if default is None else f"{about} (default: {default})",
            **how,
        )
    command.add_argument(
        "--out", default="runs/finetuned", help="folder for all of it (default: %(default)s)"
    )
    command.add_argument(
        "--overwrite", action="store_true", help="replace the fine-tuned model that is there"
    )
    command.add_argument(
        "--resume", action="store_true", help="go on with the fine-tuning that was interrupted"
    )
    command.set_defaults(run=_run_finetune)


def _run_finetune(options):
    given = {name: value for name, value in vars(options).items() if name in FINETUNING}
    how = {name: getattr(options, name) for name in ("out", "overwrite", "resume")}
    finetune_text(options.base, **how, **given)


def _add_predict(commands):
    command = commands.add_parser("predict", help="use what was learned on other rows")
    command.add_argument(
        "folder", help="of a `train table` or a `finetune`; the word table means that of --model"
    )
    command.add_argument(
        "--model", default="runs/table", help="the folder that table means (default: %(default)s)"
    )
    command.add_argument(
        "--data", dest="source", metavar="DATA", required=True, help="the CSV file"
    )
    command.add_argument("--out", required=True, help="the CSV file to write")
    command.add_argument(
        "--delimiter", help="between two fields (default: as in training; a comma for texts)"
    )
    command.add_argument(
        "--encoding", help="of the file (default: as in training; UTF-8 for texts)"
    )
    command.add_argument(
        "--allow-unknown",
        action="store_true",
        help="of a table: take unknown categories as none of the known",
    )
    command.set_defaults(run=_run_predict)


def _run_predict(options):
    names = "source", "out", "delimiter", "allow_unknown", "encoding"
    folder = options.model if options.folder == "table" else options.folder
    print(predict(folder, **{name: getattr(options, name) for name in names}))


def _add_generate(commands):
    command = commands.add_parser("generate", help="let a trained model write")
    command.add_argument("folder", help="of a training: with its model and its tokenizer")
    command.add_argument("--prompt", required=True, help="how the text begins")
    command.add_argument(
        "--max-new-tokens", type=int, help="how many may follow (default: %(default)s)"
    )
    command.add_argument(
        "--temperature", type=float, help="below 1 likely tokens become likelier; 0 takes no chance"
    )
    command.add_argument("--top-k", type=int, help="choose from so many of the likeliest tokens")
    command.add_argument(
        "--top-p", type=float, help="choose from the likeliest tokens that share so much"
    )
    command.add_argument(
        "--beams", type=int, help="from 2 up: search for the likeliest text, in so many at once"
    )
    command.add_argument(
        "--repetition-penalty", type=float, help="above 1: avoid tokens that were there already"
    )
    command.add_argument(
        "--stop", action="append", metavar="TEXT", help="end before it; can be repeated"
    )
    command.add_argument("--seed", type=int, help="of all chance (default: %(default)s)")
    command.add_argument("--device", help=_DEVICE)
    _run_by_names(command, generate_text)
    command.set_defaults(stop=[])  # which "append" makes longer


def _add_ablation(commands):
    command = commands.add_parser(
        "ablation", help="compare all methods of fine-tuning, and what they are better than"
    )
    command.add_argument("base", nargs="?", help="the folder of a BERT (default: %(default)s)")
    command.add_argument(
        "--methods", help=f"some of {', '.join(ABOUT)}, with commas between them (default: all)"
    )
    command.add_argument("--seeds", type=int, help="how often to repeat it (default: %(default)s)")
    command.add_argument(
        "--examples", type=int, help="sentences to learn from (default: %(default)s)"
    )
    command.add_argument(
        "--out", help="folder; runs that are there are not repeated (default: %(default)s)"
    )
    _run_by_names(command, ablation)


def _add_embed(commands):
    command = commands.add_parser("embed", help="turn texts into vectors")
    command.add_argument("base", help=_ENCODER)
    command.add_argument("texts", nargs="*", metavar="TEXT", help="what to read")
    command.add_argument("--file", help="a text file instead, with a text on each line")
    command.add_argument(
        "--out", default="embeddings.npy", help="the file to write (default: %(default)s)"
    )
    command.set_defaults(
        run=lambda options: print(
            embed_text(options.base, options.texts, options.file, options.out)
        )
    )


def _add_search(commands):
    command = commands.add_parser("search", help="find the lines of files by what they mean")
    command.add_argument("source", metavar="BASE|INDEX", help=f"{_ENCODER}; or an index")
    command.add_argument("query", help="what to look for, in your words")
    command.add_argument(
        "--file", action="append", help="whose lines are searched; can be repeated"
    )
    command.add_argument(
        "--index", help="folder for the vectors of the lines (default: runs/index)"
    )
    command.add_argument("--top", type=int, help="how many lines to show (default: %(default)s)")
    _run_by_names(command, search_text)
    command.set_defaults(file=[])  # which "append" makes longer


def _add_download(commands):
    command = commands.add_parser("download", help="fetch a data set, once, and check it")
    command.add_argument("name", help="mnist, fashion_mnist or tiny_shakespeare")
    command.add_argument(
        "--folder", help="where to (default: MINIGRAD_DATA, or else your cache folder)"
    )
    command.set_defaults(run=lambda options: print(data.download(options.name, options.folder)))


def _add_warmup(commands):
    command = commands.add_parser(
        "warmup", help="compile all kernels for this processor, which else happens as they are used"
    )
    command.set_defaults(run=lambda options: print(warmup()))


def _add_doctor(commands):
    command = commands.add_parser(
        "doctor", help="what is installed, what is missing and how to get it"
    )
    command.set_defaults(run=lambda options: print(doctor()))


_BASE = "the folder of a pretrained model, or the word minilm"
_ENCODER = "the folder of a model that was pretrained to read, or the word minilm"
_DEVICES = "cpu; cuda, a GPU of NVIDIA; or simulator, such a GPU played by the CPU, slowly"
_DEVICE = f"{_DEVICES} (default: %(default)s)"
_WRONG_LABELS = "the share of labels made wrong, 0 to below 1 (default: %(default)s)"
# (function, what it is about, options of its own ...); its defaults are those of the command
PROGRAMS = (
    (cnn_digits, "a convolutional network beside a dense one; its filters, and what they answer"),
    (generate_digits, "digits that nobody has written, drawn by an autoencoder, and measured"),
    (name_the_module, "code of Python's standard library: which part of it is a snippet from?"),
    (
        overfitting,
        "what six remedies do against learning by heart: a table, a picture",
        ("--wrong-labels", {"type": float, "help": _WRONG_LABELS}),
    ),
    (recommend, "ratings of other items, predicted by means, a factorization and a network"),
    (
        retrieve_images,
        "images of the same digit, found by what networks make of them, or by pixels",
    ),
    (
        speech_commands,
        "words told apart by their spectrograms, made on the spot or from WAV files",
        ("--folder", {"help": "recordings: a subfolder of WAV files for each word"}),
    ),
    (
        translate_dates,
        "dates in English and Chinese, translated; where a Transformer looks for them",
    ),
)
PRETRAINING = {  # the options of `train gpt` and `train bert`
    "data": "python (its standard library), shakespeare, a text file, or a folder of them",
    "tokenizer": "bpe, learned from the text; char; or byte",
    "vocabulary": "how many tokens bpe may have",
    "layers": "blocks of the model",
    "heads": "of attention in each",
    "width": "features of a token",
    "context": "tokens that it sees at once",
    "batch": "windows of so many tokens that a step learns from",
    "accumulate": "parts in which a batch is computed, to take less memory",
    "steps": "when to end",
    "minutes": "when to end, counted from the first step: 5, if steps are not given",
    "learning_rate": "at its highest",
    "dropout": "the share that is left out at random",
    "seed": "of all chance",
    "device": _DEVICES,
}
FINETUNING = {  # the options of `finetune`
    "data": "a CSV file, with the names of its columns in the first line",
    "task": f"one of {', '.join(finetune.tasks.TASKS)}",
    "method": f"one of {', '.join(finetune.METHODS)}",
    "text": "the column of what is read: text; of tag words, of answer context, of match first",
    "pair": "the column of a second text, where pairs are judged; of match second",
    "question": "of answer, the column of the questions: question",
    "label": "the column of what is wanted: label; of regress target, of tag tags",
    "pooling": "how one vector is made of a text: pooler, cls, mean or last",
    "template": "of instruct, how a row is written down: chatml, llama3, alpaca, or your own text",
    "validation": "the share of the rows that decides when to end, or another file",
    "test": "the share of the rows that the model is tested on, or another file",
    "max_length": "tokens that a text is cut to: 128, if the model reads so many",
    "epochs": "passes at most",
    "patience": "epochs without a better validation loss that end it",
    "minutes": "when to end at the latest",
    "batch": "rows that a step learns from",
    "learning_rate": "at which the new weights learn; each method has its own",
    "folds": "cross-validation in so many parts, beside the rest",
    "seed": "of all chance",
    "rank": "of lora: 8",
    "alpha": "of lora, whose change is weighed by alpha / rank: 16",
    "dropout": "of lora",
    "rslora": "of lora: weigh by alpha / the root of rank",
    "targets": "of lora, a layer such as query; can be repeated; all that are dense if left out",
    "blocks": "of last_blocks, how many learn: 1",
    "decay": "of layerwise, from block to block: 0.8",
    "pattern": "of frozen, weights that stay as they are; can be repeated",
    "delimiter": "between two fields; tab is one too",
    "encoding": "of the file, such as latin-1",
    "device": f"where it learns: {_DEVICES}",
}
COMMANDS = (
    _add_quickstart,
    _add_run,
    _add_train,
    _add_finetune,
    _add_predict,
    _add_generate,
    _add_embed,
    _add_search,
    _add_ablation,
    _add_download,
    _add_warmup,
    _add_doctor,
)


if __name__ == "__main__":
    sys.exit(main())
