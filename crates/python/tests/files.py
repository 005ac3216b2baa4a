"""Files of a fitted estimator in all formats that `ordinate import` reads.

Run as a program, it writes the corpus of the crate `ordinate-import`: `python files.py ../../import/tests/files`, with each
supported version of scikit-learn. Each pipeline of `make_states.py` is one file, and the formats take turns.
"""

from __future__ import annotations

import io
import pathlib
import pickle
import re
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import joblib
import skops.io


def _pickle(protocol: int) -> Callable[[Any], bytes]:
    return lambda fitted: pickle.dumps(fitted, protocol=protocol)


def _joblib(**options: Any) -> Callable[[Any], bytes]:
    def write(fitted: Any) -> bytes:
        file = io.BytesIO()
        joblib.dump(fitted, file, **options)
        return file.getvalue()

    return write


# The content of a file in each format, by the ending of its name.
WRITERS: dict[str, Callable[[Any], bytes]] = {
    **{f"{protocol}.pkl": _pickle(protocol) for protocol in range(2, 6)},
    **{f"{protocol}.joblib": _joblib(protocol=protocol) for protocol in range(2, 6)},
    "zlib.joblib": _joblib(compress=3),
    "gzip.joblib": _joblib(compress=("gzip", 3)),
    "skops": skops.io.dumps,
    "deflated.skops": lambda fitted: skops.io.dumps(fitted, compression=zipfile.ZIP_DEFLATED),
}

# Too large for the repository.
_NOT_IN_CORPUS = {"skops"}


def slug(name: str) -> str:
    """The name of a file for a pipeline."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def main(folder: str) -> None:
    import sklearn
    from make_states import NAMES, REFUSED_NAMES
    from pipelines import CASES, REFUSED, Data

    target = pathlib.Path(folder, sklearn.__version__)
    target.mkdir(parents=True, exist_ok=True)
    data = Data()
    endings = [ending for ending in WRITERS if ending not in _NOT_IN_CORPUS]
    # A version begins with another format than the one before.
    start = 3 * int(sklearn.__version__.split(".")[1])
    for position, name in enumerate(name for name in [*NAMES, *REFUSED_NAMES] if name != "own function"):
        fitted, _ = (REFUSED[name][0] if name in REFUSED else CASES[name])(data)
        ending = endings[(start + position) % len(endings)]
        (target / f"{slug(name)}.{ending}").write_bytes(WRITERS[ending](fitted))


if __name__ == "__main__":
    main(sys.argv[1])
