"""The exceptions of the package. Their texts are those of the command line."""


class OrdinateError(Exception):
    """The base of all exceptions of the package."""


class ModelFormatError(OrdinateError, ValueError):
    """A model cannot be loaded: there is no such file, it is not a model file, or it was changed."""


class SignatureError(OrdinateError, ValueError):
    """Rows do not fit the signature of the model: a feature is missing, or a value has the wrong type."""


class PredictionError(OrdinateError, ValueError):
    """The model has no such answer, for example no prediction interval."""


class TrainError(OrdinateError, ValueError):
    """A model cannot be trained; the message has the advice of the command line."""


class NotExportableError(OrdinateError, TypeError):
    """A fitted estimator has a step that a model file cannot express, or a model a name that SQL cannot."""
