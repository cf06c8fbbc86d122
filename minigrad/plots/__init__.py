"""Pictures of training, predictions, weights and graphs, each a matplotlib Figure.

    curves        history                    loss and metrics after each epoch
    tables        confusion_matrix           which classes are taken for which
    scatter       predictions                predicted numbers against true ones
    reliability   calibration                whether 80 % sure means right in 80 % of all cases
    grids         images, mistakes           examples with their labels and predictions
    regions       decision_boundary          what a model says everywhere in the plane
    parameters    weights                    all weights, or what each unit looks for
    expressions   graph                      how a Tensor was computed
    dots          comparison                 train and test side by side, over seeds
    spectra       spectrograms               how loud each pitch is at each time

Every function takes `path=`, where to write the picture as a PNG, and returns the Figure, which a
notebook shows where it ends a cell. What cannot be drawn raises a ValueError that names the
argument, and a file that cannot be written an OSError. matplotlib is imported only when a picture
is asked for, and its pyplot never: that would keep every figure and might open a window.

Colours are those of M. Okabe and K. Ito ("Color Universal Design", 2008), which every reader can
tell apart, and nothing is told by colour alone. Chinese, Japanese and Korean names are drawn where
the machine has a font for them; else they stand as "class 3", and a warning names a font.
"""

from .curves import history
from .dots import comparison
from .expressions import graph
from .grids import images, mistakes
from .parameters import weights
from .regions import decision_boundary
from .reliability import calibration
from .scatter import predictions
from .spectra import spectrograms
from .tables import confusion_matrix

__all__ = [
    "calibration",
    "comparison",
    "confusion_matrix",
    "decision_boundary",
    "graph",
    "history",
    "images",
    "mistakes",
    "predictions",
    "spectrograms",
    "weights",
]
