"""Data sets, tables and their preparation, batches, augmentation, sound.

`digits` comes with the package; `mnist`, `fashion_mnist` and `tiny_shakespeare` read files of your
own, or fetch them if asked to.
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
from .csv_file import read_csv
from .download import DownloadError, download
from .encoding import LabelEncoder, OneHotEncoder, one_hot
from .files import find
from .prefetch import Prefetch
from .reports import DataReport, report
from .scaling import MinMaxScaler, RobustScaler, StandardScaler
from .sound import log_mel_spectrogram, mel_filters, mel_tips, resample, stft
from .split import KFold, StratifiedKFold, stratified_split, train_validation_test_split
from .table import Table
from .wav_file import read_wav

__all__ = [
    "Batches",
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
    "count_missing",
    "digits",
    "download",
    "drop_duplicates",
    "drop_missing",
    "duplicates",
    "fashion_mnist",
    "find",
    "log_mel_spectrogram",
    "mel_filters",
    "mel_tips",
    "missing",
    "mnist",
    "one_hot",
    "read_csv",
    "read_wav",
    "report",
    "resample",
    "stft",
    "stratified_split",
    "tiny_shakespeare",
    "train_validation_test_split",
]
