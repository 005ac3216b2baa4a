from typing import Any

__version__: str

Column = tuple[str, str, Any]

class Model:
    def __new__(cls, text: bytes) -> Model: ...
    @staticmethod
    def load(place: str) -> Model: ...
    def to_json(self) -> str: ...
    def answer(
        self,
        columns: list[Column],
        *,
        interval: float | None = None,
        mean_interval: float | None = None,
        prediction_sets: float | None = None,
        explain: bool = False,
        warnings: bool = False,
    ) -> dict[str, Any]: ...

def from_sklearn(estimator: str, facts: str, golden: str) -> str: ...
def from_statsmodels(results: str, facts: str, golden: str) -> str: ...
def main(arguments: list[str]) -> int: ...
