"""What happens beside training: callbacks hear when it begins, when an epoch ends, and so on."""

from .backup import BackupAndRestore
from .callback import MOMENTS, Callback, CallbackList, LambdaCallback, RunningLogs
from .files import CSVLogger, ModelCheckpoint, TensorBoard
from .learning_rate import LearningRateScheduler, ReduceLROnPlateau
from .monitor import Monitor
from .progress import EpochLines, History, ProgressBar, progress, wants_bar
from .stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "MOMENTS",
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "EpochLines",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Monitor",
    "ProgressBar",
    "ReduceLROnPlateau",
    "RunningLogs",
    "TensorBoard",
    "TerminateOnNaN",
    "progress",
    "wants_bar",
]
