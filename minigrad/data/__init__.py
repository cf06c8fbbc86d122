"""Data sets, tables and their preparation, batches, augmentation, sound, words, text as tokens.

`digits` comes with the package, and `python_source` with Python; `mnist`, `fashion_mnist` and
`tiny_shakespeare` read files of your own, or fetch them if asked to.
"""

from . import digits, fashion_mnist, mnist, tiny_shakespeare
from .augmentation import ImageAugmentation
from .batches import Batches
from .cleaning import (
    Imputer,
    OutlierClipper,
    count_missing,
    drop_duplicates,
    drop_missing,
    duplicates,
)
from .columns import missing
from .corpora import Corpus, Text, corpus
from .csv_file import read_csv
from .docstrings import docstring_topics
from .download import DownloadError, download
from .encoding import LabelEncoder, OneHotEncoder, one_hot
from .files import find
from .prefetch import Prefetch
from .python_files import python_files, python_source
from .python_words import code_words
from .reports import DataReport, report
from .scaling import MinMaxScaler, RobustScaler, StandardScaler
from .sound import log_mel_spectrogram, mel_filters, mel_tips, resample, stft
from .split import KFold, StratifiedKFold, stratified_split, train_validation_test_split
from .table import Table
from .token_file import tokens_of
from .token_windows import (
    all_windows,
    check_length,
    hide_tokens,
    random_windows,
    spaced_windows,
)
from .wav_file import read_wav
from .words import TfIdf, Vocabulary

__all__ = [
    "Batches",
    "Corpus",
    "DataReport",
    "DownloadError",
    "ImageAugmentation",
    "Imputer",
    "KFold",
    "LabelEncoder",
    "MinMaxScaler",
    "OneHotEncoder",
    "OutlierClipper",
    "Prefetch",
    "RobustScaler",
    "StandardScaler",
    "StratifiedKFold",
    "Table",
    "Text",
    "TfIdf",
    "Vocabulary",
    "all_windows",
    "check_length",
    "code_words",
    "corpus",
    "count_missing",
    "digits",
    "docstring_topics",
    "download",
    "drop_duplicates",
    "drop_missing",
    "duplicates",
    "fashion_mnist",
    "find",
    "hide_tokens",
    "log_mel_spectrogram",
    "mel_filters",
    "mel_tips",
    "missing",
    "mnist",
    "one_hot",
    "python_files",
    "python_source",
    "random_windows",
    "read_csv",
    "read_wav",
    "report",
    "resample",
    "spaced_windows",
    "stft",
    "stratified_split",
    "tiny_shakespeare",
    "tokens_of",
    "train_validation_test_split",
]
