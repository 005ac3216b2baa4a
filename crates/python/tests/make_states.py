"""Writes the objects of a few pipelines, with facts and golden rows, for the tests of the crate `ordinate-import`.

Run it with each supported version of scikit-learn: `python make_states.py ../../import/tests/states`.
"""

import json
import pathlib
import sys
from unittest import mock

import sklearn
from pipelines import CASES, REFUSED, Data

from ordinate import NotExportableError, _core, _sklearn

NAMES = [
    "Lasso",
    "RANSACRegressor",
    "TweedieRegressor, compound",
    "LinearDiscriminantAnalysis",
    "CalibratedClassifierCV of LinearSVC",
    "polynomial between scalers",
    "PCA, whitened",
    "SelectKBest",
    "log1p, scaled",
    "log target inside of a pipeline",
    "drop if binary",
    "infrequent categories",
    "imputed with indicators",
    "imputed numbers and categories",
    "missing category",
    "GridSearchCV",
]
REFUSED_NAMES = [
    "QuantileTransformer",
    "numbers as categories",
    "own function",
    "CalibratedClassifierCV, several sigmoids",
]


def main(folder: str) -> None:
    data, cases = Data(), []
    for name in [*NAMES, *REFUSED_NAMES]:
        is_refused = name in REFUSED
        fitted, X = (REFUSED[name][0] if is_refused else CASES[name])(data)
        arguments = []
        keep = lambda *texts: arguments.extend(map(json.loads, texts)) or _from_sklearn(*texts)  # noqa: E731
        with mock.patch.object(_core, "from_sklearn", keep):
            try:
                _sklearn.from_sklearn(fitted, X)
            except NotExportableError:
                assert is_refused
        estimator, facts, golden = arguments
        error = REFUSED[name][1] if is_refused else None
        cases.append({"name": name, "estimator": estimator, "facts": facts, "golden": golden, "error": error})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    pathlib.Path(folder, f"{sklearn.__version__}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


_from_sklearn = _core.from_sklearn
if __name__ == "__main__":
    main(sys.argv[1])
