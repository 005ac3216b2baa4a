"""Estimators for scikit-learn: the training program of ordinate in pipelines, searches and cross-validations."""

from __future__ import annotations

import pathlib
import tempfile
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted

from ordinate import _train
from ordinate._model import Model, load

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6

    def validate_data(estimator: Any, *arrays: Any, **options: Any) -> Any:
        return estimator._validate_data(*arrays, **options)


class _Estimator(BaseEstimator):
    """What both estimators share."""

    model_: Model

    def _fit(self, X: np.ndarray, y: list[Any], options: dict[str, Any]) -> None:
        # Not the names of X, which could be the name of the target.
        columns = {f"f{i}": X[:, i].tolist() for i in range(X.shape[1])}
        with tempfile.TemporaryDirectory(prefix="ordinate-") as folder:
            data, out = pathlib.Path(folder, "data.csv"), pathlib.Path(folder, "model.json")
            _train.write_columns(data, {**columns, "y": y})
            types = {name: "double" for name in columns}
            arguments = _train._arguments({"features": list(columns), "types": types, **options})
            _train._run(["train", str(data), "--target", "y", "--out", str(out), "--name", "model", *arguments])
            self.model_ = load(out)

    def _columns(self, X: Any) -> dict[str, np.ndarray]:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return {f"f{i}": X[:, i] for i in range(X.shape[1])}


class OrdinateRegressor(RegressorMixin, _Estimator):
    """A regression: least squares (`linear`), ridge, lasso, elastic net, Poisson or gamma.

    The parameters are options of `ordinate train`; `alpha` does not apply to `linear` and must be `None` then.
    `model_` is the model.
    """

    def __init__(
        self,
        estimator: str = "ridge",
        alpha: float | str | None = 1.0,
        l1_ratio: float | None = None,
        degree: int = 1,
        interactions: bool = False,
        fit_intercept: bool = True,
        test_fraction: float = 0.0,
    ) -> None:
        self.estimator = estimator
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.degree = degree
        self.interactions = interactions
        self.fit_intercept = fit_intercept
        self.test_fraction = test_fraction

    def fit(self, X: Any, y: Any) -> OrdinateRegressor:
        """Fits the model to rows and targets."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        self._fit(
            X,
            np.asarray(y, dtype=np.float64).tolist(),
            {
                "estimator": self.estimator,
                "alpha": self.alpha,
                "l1_ratio": self.l1_ratio,
                "degree": self.degree,
                "interactions": self.interactions,
                "no_intercept": not self.fit_intercept,
                "test_fraction": self.test_fraction,
            },
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The prediction of each row."""
        columns = self._columns(X)
        return self.model_.predict(columns)


class OrdinateClassifier(ClassifierMixin, _Estimator):
    """A classification by logistic regression.

    The parameters are options of `ordinate train`; `balanced` gives every class the same total weight. `model_` is the
    model, whose classes are positions in `classes_`.
    """

    def __init__(
        self,
        C: float | str = 1.0,
        degree: int = 1,
        interactions: bool = False,
        fit_intercept: bool = True,
        balanced: bool = False,
        test_fraction: float = 0.0,
    ) -> None:
        self.C = C
        self.degree = degree
        self.interactions = interactions
        self.fit_intercept = fit_intercept
        self.balanced = balanced
        self.test_fraction = test_fraction

    def fit(self, X: Any, y: Any) -> OrdinateClassifier:
        """Fits the model to rows and classes."""
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_ = unique_labels(y)
        if len(self.classes_) < 2:
            raise ValueError(f"expected at least two classes, got 1 class: {self.classes_[0]!r}")
        digits = len(str(len(self.classes_)))
        positions = np.searchsorted(self.classes_, y)
        self._fit(
            X,
            [f"class {position:0{digits}}" for position in positions.tolist()],
            {
                "estimator": "logistic",
                "c": self.C,
                "degree": self.degree,
                "interactions": self.interactions,
                "no_intercept": not self.fit_intercept,
                "class_weight": "balanced" if self.balanced else None,
                "test_fraction": self.test_fraction,
            },
        )
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class: rows × classes, in the order of `classes_`."""
        columns = self._columns(X)
        return self.model_.predict_proba(columns)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each row."""
        columns = self._columns(X)
        labels = self.model_.predict(columns)
        return self.classes_[np.searchsorted(self.model_.classes, labels)]
