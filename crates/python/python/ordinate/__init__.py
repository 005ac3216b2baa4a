"""Linear models as files: train them or import them from scikit-learn, predict with them, and serve them.

>>> import ordinate
>>> line = ordinate.load("line")
>>> line.predict([[5.0]])
array([11.])
"""

from ordinate._core import __version__
from ordinate._errors import (
    ModelFormatError,
    ModelNotFoundError,
    NotExportableError,
    OrdinateError,
    PredictionError,
    SignatureError,
    TrainError,
)
from ordinate._model import Explanation, Model, RowWarning, load
from ordinate._sklearn import from_sklearn
from ordinate._statsmodels import from_statsmodels
from ordinate._train import TrainingWarning, train

__all__ = [
    "Explanation",
    "Model",
    "ModelFormatError",
    "ModelNotFoundError",
    "NotExportableError",
    "OrdinateError",
    "PredictionError",
    "RowWarning",
    "SignatureError",
    "TrainError",
    "TrainingWarning",
    "__version__",
    "from_sklearn",
    "from_statsmodels",
    "load",
    "train",
]
