"""Results of statsmodels with a formula."""

import numpy as np
import ordinate
import pandas as pd
import pytest

formulas = pytest.importorskip("statsmodels.formula.api")
families = pytest.importorskip("statsmodels.api").families


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(5)
    rows = 300
    table = pd.DataFrame({"a": random.uniform(1, 5, rows), "b": random.normal(size=rows)})
    table["city"] = random.choice(["Bonn", "Köln", "Ulm"], rows)
    table["s"] = random.random(rows) < 0.5
    table["y"] = 2 * table["a"] + table["b"] ** 2 + (table["city"] == "Ulm") + random.normal(0, 0.1, rows)
    table["count"] = random.poisson(table["a"])
    table["amount"] = random.gamma(2.0, table["a"])
    table["z"] = (table["b"] + random.normal(size=rows) > 0).astype(int)
    return table


OLS = [
    "y ~ a",
    "y ~ a + b*city + np.log(a) + I(b**2) + s",
    "y ~ C(city, Treatment('Ulm')) + a:b - 1",
    "y ~ a:city + np.sqrt(a):s + np.log1p(a)",
    "np.log(y + 10) ~ a + b",
]


@pytest.mark.parametrize("formula", OLS)
def test_least_squares(data, formula):
    results = formulas.ols(formula, data).fit()
    model = ordinate.from_statsmodels(results, data)
    np.testing.assert_allclose(model.predict(data), results.predict(data), rtol=1e-12, atol=1e-12)
    assert model.metadata["training"]["parameters"]["imported_from"].startswith("statsmodels ")


def test_weighted_least_squares(data):
    results = formulas.wls("y ~ a + city", data, weights=data["a"]).fit()
    np.testing.assert_allclose(
        ordinate.from_statsmodels(results, data).predict(data), results.predict(data), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("count ~ a + city", families.Poisson()),
        ("amount ~ a", families.Gamma(families.links.Log())),
        ("y ~ a", families.Gaussian(families.links.Log())),
    ],
)
def test_generalised_linear_models_with_a_log_link(data, formula, family):
    results = formulas.glm(formula, data.assign(y=data["y"].abs() + 0.1), family=family).fit()
    np.testing.assert_allclose(
        ordinate.from_statsmodels(results, data).predict(data), results.predict(data), rtol=1e-12
    )


def test_logistic_regression(data):
    for results in [
        formulas.logit("z ~ a + b + city", data).fit(disp=0),
        formulas.glm("z ~ a + b + city", data, family=families.Binomial()).fit(),
    ]:
        model = ordinate.from_statsmodels(results, data)
        np.testing.assert_allclose(model.predict_proba(data)[:, 1], results.predict(data), rtol=1e-12)
        assert model.classes.tolist() == [0, 1]


def test_other_results_are_refused_by_name(data):
    def refused(results):
        with pytest.raises(ordinate.NotExportableError) as refusal:
            ordinate.from_statsmodels(results, data)
        assert "\nhelp: " in str(refusal.value)
        return str(refusal.value)

    assert 'term "np.exp(b)"' in refused(formulas.ols("y ~ np.exp(b)", data).fit())
    assert 'term "C(count)[T.1]"' in refused(formulas.ols("y ~ C(count)", data).fit())
    assert "C(city, Sum)" in refused(formulas.ols("y ~ C(city, Sum)", data).fit())
    assert "QuantReg" in refused(formulas.quantreg("y ~ a", data).fit())
    assert "family Binomial" in refused(
        formulas.glm("z ~ b", data, family=families.Binomial(families.links.Probit())).fit()
    )
    with_exposure = formulas.glm("count ~ b", data, family=families.Poisson(), exposure=data["a"]).fit()
    assert "exposure" in refused(with_exposure)
