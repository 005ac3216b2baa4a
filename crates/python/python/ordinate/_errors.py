"""The exceptions of the package. Their texts are those of the command line."""

import errno


class OrdinateError(Exception):
    """The base of all exceptions of the package."""


class ModelFormatError(OrdinateError, ValueError):
    """A model cannot be loaded: it is not a model file, it was changed, or its place cannot be reached."""


class ModelNotFoundError(OrdinateError, FileNotFoundError):
    """There is no model at the place: no such file, object, bucket, model, version or alias."""

    errno = errno.ENOENT


class SignatureError(OrdinateError, ValueError):
    """Rows do not fit the signature of the model: a feature is missing, or a value has the wrong type."""


class PredictionError(OrdinateError, ValueError):
    """The model has no such answer, for example no prediction interval."""


class TrainError(OrdinateError, ValueError):
    """A model cannot be trained; the message has the advice of the command line."""


class NotExportableError(OrdinateError, TypeError):
    """A fitted estimator has a step that a model file cannot express, or a model a name that SQL cannot."""
