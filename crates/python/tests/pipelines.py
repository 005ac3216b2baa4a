"""Pipelines of scikit-learn that the import must export exactly, or refuse by name, in all supported versions.

`CASES` has one function a pipeline. It gets the tables and returns the fitted pipeline and the rows to predict.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import (
    RFE,
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
    f_regression,
)
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    HuberRegressor,
    Lars,
    LarsCV,
    Lasso,
    LassoCV,
    LassoLars,
    LassoLarsCV,
    LassoLarsIC,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskElasticNet,
    MultiTaskLasso,
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TheilSenRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC, LinearSVR

ROWS = 1000
VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])


class Data:
    """Tables of made-up people: numbers, texts, booleans, missing values; and targets."""

    def __init__(self) -> None:
        random = np.random.default_rng(7)
        age, income = random.uniform(18, 90, ROWS).round(), random.lognormal(10, 0.5, ROWS)
        colour = random.choice(["red", "green", "blue"], ROWS)
        city = random.choice(
            ["Aachen", "Bonn", "Köln", "Trier", "Ulm", "Werl"], ROWS, p=[0.4, 0.3, 0.2, 0.05, 0.03, 0.02]
        )
        smokes = random.random(ROWS) < 0.3
        self.people = pd.DataFrame(
            {
                "age": age,
                "income": income,
                "colour": colour,
                "city": city,
                "smokes": smokes,
                "height": random.normal(170, 9, ROWS),
            }
        )
        self.numbers = self.people[["age", "income", "height"]].copy()
        self.small = pd.DataFrame(random.normal(2, 1, (ROWS, 4)), columns=["a", "b", "c", "d"])
        self.positive = self.small.abs() + 0.1
        self.gaps = self.people.copy()
        for name, fraction in [("age", 0.1), ("income", 0.2), ("colour", 0.1)]:
            self.gaps.loc[random.random(ROWS) < fraction, name] = np.nan
        score = 0.3 * self.small["a"] - 0.2 * self.small["b"] ** 2 + 0.1 * self.small["c"] * self.small["d"]
        self.y = (3 + score + random.normal(0, 0.2, ROWS)).to_numpy()
        self.price = (
            age * 2 + np.log(income) * 5 + (colour == "red") * 7 + smokes * 3 + random.normal(0, 3, ROWS)
        ).astype(float)
        self.count = random.poisson(np.exp(0.3 * self.small["a"])).astype(float)
        self.amount = random.gamma(2, np.exp(0.2 * self.small["a"])) + 0.01
        self.binary = (score + random.normal(0, 0.5, ROWS) > 0.2).to_numpy().astype(int)
        self.species = np.array(["setosa", "versicolor", "virginica"])[np.digitize(score, [-0.6, 0.4])]


def encoder(**options):
    return OneHotEncoder(**options)


def mixed(number, category, **options):
    return ColumnTransformer(
        [("number", number, ["age", "income"]), ("category", category, ["colour", "city"])], **options
    )


def _of_small(model, target="y"):
    return lambda d: (model().fit(d.small, getattr(d, target)), d.small)


def _of_people(model):
    return lambda d: (model().fit(d.people, d.price), d.people)


def _of_gaps(model):
    return lambda d: (model().fit(d.gaps, d.price), d.gaps)


LINEAR = {
    "LinearRegression": LinearRegression,
    "LinearRegression without intercept": lambda: LinearRegression(fit_intercept=False),
    "Ridge": Ridge,
    "RidgeCV": RidgeCV,
    "Lasso": lambda: Lasso(0.01),
    "LassoCV": LassoCV,
    "ElasticNet": lambda: ElasticNet(0.01),
    "ElasticNetCV": ElasticNetCV,
    "Lars": Lars,
    "LarsCV": LarsCV,
    "LassoLars": lambda: LassoLars(0.01),
    "LassoLarsCV": LassoLarsCV,
    "LassoLarsIC": LassoLarsIC,
    "OrthogonalMatchingPursuit": OrthogonalMatchingPursuit,
    "OrthogonalMatchingPursuitCV": OrthogonalMatchingPursuitCV,
    "QuantileRegressor": lambda: QuantileRegressor(alpha=0.01, solver="highs"),
    "HuberRegressor": HuberRegressor,
    "BayesianRidge": BayesianRidge,
    "ARDRegression": ARDRegression,
    "TheilSenRegressor": lambda: TheilSenRegressor(random_state=0, max_subpopulation=100),
    "RANSACRegressor": lambda: RANSACRegressor(random_state=0),
    "SGDRegressor": lambda: SGDRegressor(random_state=0),
    "LinearSVR": lambda: LinearSVR(random_state=0, max_iter=10000),
}

CASES = {name: _of_small(model) for name, model in LINEAR.items()}
CASES |= {
    "PoissonRegressor": _of_small(PoissonRegressor, "count"),
    "GammaRegressor": _of_small(GammaRegressor, "amount"),
    "TweedieRegressor, normal": _of_small(TweedieRegressor),
    "TweedieRegressor, compound": _of_small(lambda: TweedieRegressor(power=1.5), "count"),
    "TweedieRegressor, Poisson": _of_small(lambda: TweedieRegressor(power=1), "count"),
    "scaled Poisson": _of_small(lambda: make_pipeline(StandardScaler(), PoissonRegressor()), "count"),
    "LogisticRegression": _of_small(LogisticRegression, "binary"),
    "LogisticRegression, three classes": _of_small(LogisticRegression, "species"),
    "LogisticRegressionCV": _of_small(lambda: LogisticRegressionCV(cv=3), "binary"),
    "scaled LogisticRegression": _of_small(lambda: make_pipeline(StandardScaler(), LogisticRegression()), "species"),
    "LinearDiscriminantAnalysis": _of_small(LinearDiscriminantAnalysis, "species"),
    "LinearDiscriminantAnalysis, two classes": _of_small(lambda: LinearDiscriminantAnalysis(solver="lsqr"), "binary"),
    "SGDClassifier": _of_small(lambda: SGDClassifier(loss="log_loss", random_state=0), "binary"),
    "CalibratedClassifierCV": _of_small(
        lambda: CalibratedClassifierCV(LogisticRegression(), ensemble=False, cv=3), "binary"
    ),
    "CalibratedClassifierCV of LinearSVC": _of_small(
        lambda: CalibratedClassifierCV(LinearSVC(random_state=0), ensemble=False, cv=3), "binary"
    ),
    "boolean classes": lambda d: (LogisticRegression().fit(d.small, d.binary == 1), d.small),
    "StandardScaler": _of_small(lambda: make_pipeline(StandardScaler(), Ridge())),
    "StandardScaler without mean": _of_small(lambda: make_pipeline(StandardScaler(with_mean=False), Ridge())),
    "MinMaxScaler": _of_small(lambda: make_pipeline(MinMaxScaler((-1, 2)), Ridge())),
    "RobustScaler": _of_small(lambda: make_pipeline(RobustScaler(), Ridge())),
    "MaxAbsScaler": _of_small(lambda: make_pipeline(MaxAbsScaler(), Ridge())),
    "two scalers": _of_small(lambda: make_pipeline(RobustScaler(), MinMaxScaler(), Lasso(0.01))),
    "polynomial": _of_small(lambda: make_pipeline(PolynomialFeatures(3), LinearRegression())),
    "polynomial after a scaler": _of_small(lambda: make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge())),
    "polynomial between scalers": _of_small(
        lambda: make_pipeline(StandardScaler(), PolynomialFeatures(3), StandardScaler(), Ridge())
    ),
    "interactions": _of_small(
        lambda: make_pipeline(
            PolynomialFeatures(2, interaction_only=True, include_bias=False), StandardScaler(), Ridge()
        )
    ),
    "polynomial of degrees 2 to 3": _of_small(lambda: make_pipeline(PolynomialFeatures((2, 3)), Ridge())),
    "polynomial of a polynomial": _of_small(
        lambda: make_pipeline(PolynomialFeatures(2), StandardScaler(), PolynomialFeatures(2), Ridge(10.0))
    ),
    "PCA": _of_small(lambda: make_pipeline(StandardScaler(), PCA(2), LinearRegression())),
    "PCA, whitened": _of_small(lambda: make_pipeline(PCA(3, whiten=True), LinearRegression())),
    "PCA, scaled again": _of_small(lambda: make_pipeline(PCA(3), StandardScaler(), LinearRegression())),
    "polynomial of PCA": _of_small(lambda: make_pipeline(PCA(2), PolynomialFeatures(2), LinearRegression())),
    "TruncatedSVD": _of_small(lambda: make_pipeline(TruncatedSVD(2, random_state=0), LinearRegression())),
    "SelectKBest": _of_small(lambda: make_pipeline(SelectKBest(f_regression, k=2), Ridge())),
    "SelectPercentile": _of_small(lambda: make_pipeline(SelectPercentile(f_regression, percentile=50), Ridge())),
    "SelectFromModel": _of_small(lambda: make_pipeline(SelectFromModel(Lasso(0.05)), Ridge())),
    "SelectFromModel of a forest": _of_small(
        lambda: make_pipeline(SelectFromModel(RandomForestRegressor(10, random_state=0)), Ridge())
    ),
    "RFE": _of_small(lambda: make_pipeline(RFE(Ridge(), n_features_to_select=2), Ridge())),
    "VarianceThreshold": _of_small(lambda: make_pipeline(PolynomialFeatures(2), VarianceThreshold(1.0), Ridge())),
    "log": lambda d: (make_pipeline(FunctionTransformer(np.log), Ridge()).fit(d.positive, d.y), d.positive),
    "log1p, scaled": lambda d: (
        make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), Ridge()).fit(d.positive, d.y),
        d.positive,
    ),
    "polynomial of sqrt": lambda d: (
        make_pipeline(FunctionTransformer(np.sqrt), PolynomialFeatures(2), Ridge()).fit(d.positive, d.y),
        d.positive,
    ),
    "log target": lambda d: (
        TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp).fit(d.small, d.amount),
        d.small,
    ),
    "log target inside of a pipeline": lambda d: (
        make_pipeline(
            StandardScaler(),
            TransformedTargetRegressor(Ridge(), transformer=FunctionTransformer(np.log, np.exp)),
        ).fit(d.small, d.amount),
        d.small,
    ),
    "scaled target": lambda d: (
        TransformedTargetRegressor(Ridge(), transformer=StandardScaler()).fit(d.small, d.price),
        d.small,
    ),
    "numbers and categories": _of_people(lambda: make_pipeline(mixed(StandardScaler(), encoder()), Ridge())),
    "remainder passthrough": _of_people(
        lambda: make_pipeline(mixed(StandardScaler(), encoder(), remainder="passthrough"), LinearRegression())
    ),
    "remainder scaled, weights": _of_people(
        lambda: make_pipeline(
            mixed("passthrough", encoder(), remainder=MaxAbsScaler(), transformer_weights={"category": 0.5}), Ridge()
        )
    ),
    "drop first": _of_people(lambda: make_pipeline(mixed(MinMaxScaler(), encoder(drop="first")), LinearRegression())),
    "drop if binary": _of_people(
        lambda: make_pipeline(
            make_column_transformer((encoder(drop="if_binary"), ["colour", "smokes"]), (StandardScaler(), ["age"])),
            Ridge(),
        )
    ),
    "boolean categories": _of_people(
        lambda: make_pipeline(make_column_transformer((encoder(), ["smokes"]), ("passthrough", ["age"])), Ridge())
    ),
    "unknown ignored": _of_people(
        lambda: make_pipeline(mixed(RobustScaler(), encoder(handle_unknown="ignore")), Ridge())
    ),
    "infrequent categories": _of_people(
        lambda: make_pipeline(
            mixed(StandardScaler(), encoder(min_frequency=0.08, handle_unknown="infrequent_if_exist")), Ridge()
        )
    ),
    "infrequent categories, drop first": _of_people(
        lambda: make_pipeline(mixed(StandardScaler(), encoder(max_categories=3, drop="first")), Ridge())
    ),
    "categories after scaling, interactions": _of_people(
        lambda: make_pipeline(
            mixed(StandardScaler(), encoder(), sparse_threshold=0), PolynomialFeatures(2), StandardScaler(), Ridge(5.0)
        )
    ),
    "imputed numbers": lambda d: (
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), Ridge()).fit(
            d.gaps[["age", "income", "height"]], d.price
        ),
        d.gaps[["age", "income", "height"]],
    ),
    "imputed after a scaler": lambda d: (
        make_pipeline(StandardScaler(), SimpleImputer(), Ridge()).fit(d.gaps[["age", "income", "height"]], d.price),
        d.gaps[["age", "income", "height"]],
    ),
    "imputed with indicators": lambda d: (
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(), PolynomialFeatures(2), Ridge()).fit(
            d.gaps[["age", "income", "height"]], d.price
        ),
        d.gaps[["age", "income", "height"]],
    ),
    "imputed numbers and categories": _of_gaps(
        lambda: make_pipeline(
            mixed(
                make_pipeline(SimpleImputer(strategy="mean"), StandardScaler()),
                make_pipeline(SimpleImputer(strategy="most_frequent"), encoder(handle_unknown="ignore")),
                remainder="passthrough",
            ),
            Ridge(),
        )
    ),
    "constant imputed": _of_gaps(
        lambda: make_pipeline(
            mixed(
                SimpleImputer(strategy="constant", fill_value=-1.0),
                make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), encoder()),
            ),
            Ridge(),
        )
    ),
    "missing category": _of_gaps(lambda: make_pipeline(mixed(SimpleImputer(), encoder()), Ridge())),
    "missing category ignored": lambda d: (
        make_pipeline(mixed(SimpleImputer(), encoder(handle_unknown="ignore")), Ridge()).fit(d.people, d.price),
        d.gaps,
    ),
    "logistic of numbers and categories": lambda d: (
        make_pipeline(mixed(StandardScaler(), encoder()), LogisticRegression(max_iter=1000)).fit(
            d.people, np.where(d.price > 130, "high", "low")
        ),
        d.people,
    ),
    "numpy arrays": lambda d: (
        make_pipeline(StandardScaler(), Ridge()).fit(d.small.to_numpy(), d.y),
        d.small.to_numpy(),
    ),
    "MultiTaskElasticNet of one target": lambda d: (MultiTaskElasticNet(0.01).fit(d.small, d.y.reshape(-1, 1)), d.small),
    "MultiTaskLasso of one target": lambda d: (MultiTaskLasso(0.01).fit(d.small, d.y.reshape(-1, 1)), d.small),
    "column of a matrix as target": lambda d: (Ridge().fit(d.small, d.y.reshape(-1, 1)), d.small),
    "positions in a ColumnTransformer": lambda d: (
        make_pipeline(
            ColumnTransformer([("last", StandardScaler(), [-1]), ("first", "passthrough", slice(0, 2))]), Ridge()
        ).fit(d.small.to_numpy(), d.y),
        d.small.to_numpy(),
    ),
    "selected by a function": _of_people(
        lambda: make_pipeline(
            ColumnTransformer([("numbers", StandardScaler(), lambda X: ["age", "height"])], remainder="drop"), Ridge()
        )
    ),
    "nested": _of_people(
        lambda: Pipeline(
            [
                ("prepare", Pipeline([("columns", mixed(make_pipeline(StandardScaler(), PCA(2)), encoder()))])),
                ("nothing", "passthrough"),
                ("model", Ridge()),
            ]
        )
    ),
    "FeatureUnion": _of_small(
        lambda: make_pipeline(
            FeatureUnion([("scaled", StandardScaler()), ("raw", "passthrough"), ("pca", PCA(2))]), Ridge(3.0)
        )
    ),
    "GridSearchCV": _of_small(
        lambda: GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1.0]}, cv=3)
    ),
    "large offset": lambda d: (
        make_pipeline(StandardScaler(), LinearRegression()).fit(d.small * 1000 + 1.7e9, d.y),
        d.small * 1000 + 1.7e9,
    ),
    "missing booleans": lambda d: (Ridge().fit(d.people[["smokes", "age"]], d.price), d.people[["smokes", "age"]]),
}


class Own(TransformerMixin, BaseEstimator):
    """A transformer of the user."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.asarray(X) ** 2


# Pipelines that must be refused, and what the message must contain: the step, and what to do.
REFUSED = {
    "RandomForestRegressor": (_of_small(lambda: RandomForestRegressor(5)), "RandomForestRegressor"),
    "RandomForestClassifier": (_of_small(lambda: RandomForestClassifier(5), "species"), "LogisticRegression"),
    "SVC": (_of_small(lambda: SVC(probability=False), "binary"), "SVC"),
    "LinearSVC": (_of_small(lambda: LinearSVC(), "binary"), "CalibratedClassifierCV"),
    "RidgeClassifier": (_of_small(RidgeClassifier, "binary"), "CalibratedClassifierCV"),
    "QuantileTransformer": (
        _of_small(lambda: make_pipeline(QuantileTransformer(n_quantiles=50), Ridge())),
        'step "quantiletransformer" (QuantileTransformer)',
    ),
    "PowerTransformer": (_of_small(lambda: make_pipeline(PowerTransformer(), Ridge())), 'step "powertransformer"'),
    "Normalizer": (_of_small(lambda: make_pipeline(Normalizer(), Ridge())), 'step "normalizer"'),
    "KBinsDiscretizer": (_of_small(lambda: make_pipeline(KBinsDiscretizer(), Ridge())), 'step "kbinsdiscretizer"'),
    "KNNImputer": (
        lambda d: (
            make_pipeline(KNNImputer(), Ridge()).fit(d.gaps[["age", "income"]], d.price),
            d.gaps[["age", "income"]],
        ),
        "SimpleImputer",
    ),
    "OrdinalEncoder": (
        _of_people(lambda: make_pipeline(mixed("passthrough", OrdinalEncoder()), Ridge())),
        'step "columntransformer__category" (OrdinalEncoder)',
    ),
    "own transformer": (_of_small(lambda: make_pipeline(Own(), Ridge())), 'step "own" (Own)'),
    "own function": (
        _of_small(lambda: make_pipeline(FunctionTransformer(lambda X: X**2), Ridge())),
        'step "functiontransformer" (FunctionTransformer)',
    ),
    "MinMaxScaler that clips": (_of_small(lambda: make_pipeline(MinMaxScaler(clip=True), Ridge())), "clip=False"),
    "numbers as categories": (
        lambda d: (
            make_pipeline(make_column_transformer((OneHotEncoder(), ["age"])), Ridge()).fit(d.people, d.price),
            d.people,
        ),
        "astype(str)",
    ),
    "several targets": (lambda d: (Ridge().fit(d.small, np.c_[d.y, d.y]), d.small), "one model for each target"),
    "SGDClassifier, three classes": (
        _of_small(lambda: SGDClassifier(loss="log_loss", random_state=0), "species"),
        "LogisticRegression",
    ),
    "SGDClassifier without probabilities": (_of_small(lambda: SGDClassifier(random_state=0), "binary"), "log_loss"),
    "CalibratedClassifierCV, several sigmoids": (
        _of_small(lambda: CalibratedClassifierCV(LogisticRegression(), cv=3), "binary"),
        "ensemble=False",
    ),
    "CalibratedClassifierCV, isotonic": (
        _of_small(lambda: CalibratedClassifierCV(LogisticRegression(), method="isotonic", ensemble=False), "binary"),
        "sigmoid",
    ),
    "expm1 target": (
        lambda d: (
            TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1).fit(d.small, d.count),
            d.small,
        ),
        "numpy.exp",
    ),
    "imputed by two values": (
        lambda d: (
            make_pipeline(
                FeatureUnion([("mean", SimpleImputer()), ("median", SimpleImputer(strategy="median"))]), Ridge()
            ).fit(d.gaps[["age", "income"]], d.price),
            d.gaps[["age", "income"]],
        ),
        "impute the feature once",
    ),
    "imputed after a projection": (
        _of_small(lambda: make_pipeline(PCA(2), SimpleImputer(), Ridge())),
        'step "simpleimputer" (SimpleImputer)',
    ),
}
if VERSION < (1, 8):
    REFUSED["one against the rest"] = (
        _of_small(lambda: LogisticRegression(multi_class="ovr"), "species"),
        "against the rest",
    )
    CASES["multinomial of two classes"] = _of_small(lambda: LogisticRegression(multi_class="multinomial"), "binary")
