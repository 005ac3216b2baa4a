//! Compares summaries of least-squares fits with statsmodels and exact solutions.

use crate::nist::LONGLEY;
use crate::{names, refined};
use ordinate_train::summary::{Estimate, LikelihoodFit, Ratio, Residuals, ScoreEstimates, Statistic, Summary, Term};
use serde_json::Value;

/// The values of another program: the intercept, then the columns.
struct Recorded<'a> {
    estimates: &'a [f64],
    standard_errors: &'a [f64],
    t: &'a [f64],
    p: &'a [f64],
    low: &'a [f64],
    high: &'a [f64],
    vif: &'a [f64],
    /// R², adjusted R², residual standard deviation, F, its p, log-likelihood, AIC, BIC, Durbin–Watson, condition
    /// number.
    whole: [f64; 10],
}

fn summarise(rows: &[Vec<f64>], level: f64) -> Summary {
    summarise_weighted(rows, None, level)
}

fn summarise_weighted(rows: &[Vec<f64>], weights: Option<&[f64]>, level: f64) -> Summary {
    let fit = refined(rows, weights, false);
    let mut residuals = Residuals::default();
    for (number, row) in rows.iter().enumerate() {
        let (target, features) = row.split_last().unwrap();
        let terms = fit.coefficients.iter().zip(features.iter().zip(&fit.means));
        let predicted = fit.intercept + terms.map(|(c, (x, mean))| c * (x - mean)).sum::<f64>();
        residuals.push(target - predicted, weights.map_or(1.0, |weights| weights[number]));
    }
    Summary::from_least_squares(&fit, &names(rows[0].len())[..rows[0].len() - 1], "y", level, Some(&residuals), None)
}

fn assert_close(name: &str, got: Option<f64>, expected: f64, tolerance: f64) {
    let got = got.unwrap_or_else(|| panic!("{name} is absent"));
    assert!((got - expected).abs() <= tolerance * expected.abs(), "{name}: {got} is not {expected}");
}

fn assert_recorded(summary: &Summary, recorded: &Recorded<'_>, tolerance: f64) {
    let terms: Vec<&Term> = summary.intercepts.iter().chain(&summary.terms).collect();
    assert_eq!(terms.len(), recorded.estimates.len());
    for (i, term) in terms.iter().enumerate() {
        assert_close("estimate", Some(term.estimate), recorded.estimates[i], tolerance);
        assert_close("standard error", term.standard_error, recorded.standard_errors[i], tolerance);
        assert_close("t", term.statistic.value(), recorded.t[i], tolerance);
        assert_close("p", term.p, recorded.p[i], tolerance);
        assert_close("low", term.interval.map(|[low, _]| low), recorded.low[i], tolerance);
        assert_close("high", term.interval.map(|[_, high]| high), recorded.high[i], tolerance);
        if let Some(vif) = i.checked_sub(1).map(|column| recorded.vif[column]) {
            assert_close("VIF", term.vif, vif, tolerance);
        }
    }
    let statistics = summary.least_squares().unwrap();
    let whole = [
        ("R²", statistics.r2),
        ("adjusted R²", statistics.adjusted_r2),
        ("residual standard deviation", statistics.residual_standard_deviation),
        ("F", statistics.f),
        ("p of F", statistics.f_p),
        ("log-likelihood", statistics.log_likelihood),
        ("AIC", statistics.aic),
        ("BIC", statistics.bic),
        ("Durbin–Watson", statistics.durbin_watson),
        ("condition number", statistics.condition_number),
    ];
    for ((name, got), expected) in whole.into_iter().zip(recorded.whole) {
        assert_close(name, got, expected, tolerance);
    }
}

fn diabetes() -> Summary {
    let text = include_str!("../../../../model/diabetes.csv");
    let row = |line: &str| line.split(',').map(|field| field.trim().parse().unwrap()).collect();
    summarise(&text.lines().skip(1).map(row).collect::<Vec<_>>(), 0.95)
}

/// statsmodels 0.15.0: `r = OLS(y, add_constant(X)).fit(method='qr')`, then `r.params`, `r.bse`, `r.tvalues`,
/// `r.pvalues`, `r.conf_int(0.05)`, `variance_inflation_factor`, `r.rsquared`, `r.rsquared_adj`, `r.mse_resid ** 0.5`,
/// `r.fvalue`, `r.f_pvalue`, `r.llf`, `r.aic`, `r.bic`, `durbin_watson(r.resid)`, `r.condition_number`
static DIABETES_SUMMARY: Recorded<'static> = Recorded {
    estimates: &[
        -334.5671385187857,
        -0.03636122422362509,
        -22.859648090498432,
        5.602962091923699,
        1.1168079933181918,
        -1.089996334063225,
        0.7464504555142129,
        0.3720047150891352,
        6.533831935990293,
        68.48312496478785,
        0.2801169893215056,
    ],
    standard_errors: &[
        67.45462110434337,
        0.21704143540876228,
        5.835821285014857,
        0.7171055005609109,
        0.22523816918826875,
        0.5733318585500724,
        0.5308343897660223,
        0.7824638456267399,
        5.958637837216408,
        15.669719238707614,
        0.2733139503593627,
    ],
    t: &[
        -4.959884631199019,
        -0.16753125574913671,
        -3.9171261377035527,
        7.813302348874931,
        4.958342528457914,
        -1.9011612869722105,
        1.4061833029379058,
        0.47542735318481827,
        1.096531139244836,
        4.37041174264435,
        1.0248909320332826,
    ],
    p: &[
        1.0166172920047016e-06,
        0.8670306337000853,
        0.00010416711927692672,
        4.296391419519e-14,
        1.0242783922113125e-06,
        0.05794760536920588,
        0.16039024001497093,
        0.6347232557752308,
        0.2734586936606886,
        1.555899086540317e-05,
        0.3059895261964141,
    ],
    low: &[
        -467.14807117920986,
        -0.46295254534214314,
        -34.32985748667878,
        4.193503191647346,
        0.6741061286747885,
        -2.2168705390627776,
        -0.29689568343363004,
        -1.1659149222591139,
        -5.17777134500384,
        37.68455316670125,
        -0.25707702132598637,
    ],
    high: &[
        -201.9862058583616,
        0.39023009689489296,
        -11.389438694318082,
        7.0124209922000516,
        1.5595098579615951,
        0.03687787093632733,
        1.7897965944620557,
        1.9099243524373843,
        18.245435216984426,
        99.28169676287445,
        0.8173109999689976,
    ],
    vif: &[
        1.2173065138070076,
        1.2780710154103616,
        1.5094373738445483,
        1.4594277776838307,
        59.202510134318615,
        39.1933699727707,
        15.402156007513453,
        8.890986360329643,
        10.075967132038336,
        1.4846226073834823,
    ],
    whole: [
        0.5177484222203499,
        0.5065592904853231,
        54.15423932805568,
        46.272439585243234,
        3.828649038185337e-62,
        -2385.9928621235194,
        4793.985724247039,
        4838.990132949893,
        2.028543219254427,
        7236.389798581466,
    ],
};

#[test]
#[allow(clippy::too_many_lines)] // Numbers.
fn the_summary_of_diabetes_agrees_with_statsmodels() {
    assert_recorded(&diabetes(), &DIABETES_SUMMARY, 1e-9);
}

/// The exact solution (mpmath, 60 digits); t and F tails and the quantile by scipy. statsmodels 0.15.0 has 12 correct
/// digits of the estimates and 7 of the standard errors.
static LONGLEY_SUMMARY: Recorded<'static> = Recorded {
    estimates: &[
        -3482258.6345958184,
        15.061872271373325,
        -0.03581917929259102,
        -2.020229803816825,
        -1.033226867173592,
        -0.05110410565358071,
        1829.151464613552,
    ],
    standard_errors: &[
        890420.3836073726,
        84.91492577476696,
        0.03349100777224318,
        0.4883996816516994,
        0.21427416316167525,
        0.2260732000693702,
        455.478499142212,
    ],
    t: &[
        -3.9108029181543382,
        0.1773760282299989,
        -1.069516317221048,
        -4.136427355940714,
        -4.821985310445461,
        -0.22605114466420387,
        4.015889812709785,
    ],
    p: &[
        0.003560403663726237,
        0.8631408328092143,
        0.3126810610927108,
        0.0025350917341112745,
        0.0009443667641617938,
        0.8262117957636469,
        0.0030368033416302872,
    ],
    low: &[
        -6375978.444201153,
        -260.89767152312163,
        -0.14465944667456504,
        -3.6074484477507975,
        -1.7295826582613145,
        -0.7858048262404874,
        348.92124967015275,
    ],
    high: &[
        -588538.8249904839,
        291.02141606586827,
        0.07302108808938299,
        -0.43301115988285277,
        -0.33687107608586964,
        0.683596614933326,
        3309.381679556951,
    ],
    vif: &[
        135.53243828000325,
        1788.5134827181769,
        33.61889059604987,
        3.588930193445543,
        399.15102231263904,
        758.9805974068945,
    ],
    whole: [
        0.9954790045772955,
        0.992465007628826,
        304.8540735619648,
        330.2853392345883,
        4.984030528724787e-10,
        -109.61743480848055,
        233.2348696169611,
        238.6429906726396,
        2.559487689281534,
        4859257015.455027,
    ],
};

#[test]
fn the_summary_of_longley_has_nine_digits() {
    assert_recorded(&summarise(&LONGLEY.map(Vec::from), 0.99), &LONGLEY_SUMMARY, 1e-9);
}

/// `r = WLS([2, 3, 5, 4, 8], add_constant([1, 2, 3, 4, 6]), weights=[1, 2, 0.5, 3, 1]).fit()`,
/// `durbin_watson(r.wresid)`
#[test]
fn a_weighted_summary_agrees_with_statsmodels() {
    let rows = [[1.0, 2.0], [2.0, 3.0], [3.0, 5.0], [4.0, 4.0], [6.0, 8.0]].map(Vec::from);
    let summary = summarise_weighted(&rows, Some(&[1.0, 2.0, 0.5, 3.0, 1.0]), 0.95);
    let statistics = summary.least_squares().unwrap();
    let intercept = &summary.intercepts[0];
    assert_close("intercept.estimate", Some(intercept.estimate), 0.7251908396946565, 1e-12);
    assert_close("intercept.standard_error", intercept.standard_error, 1.0196627569874746, 1e-12);
    assert_close("terms[0].estimate", Some(summary.terms[0].estimate), 1.022900763358779, 1e-12);
    assert_close("terms[0].standard_error", summary.terms[0].standard_error, 0.2828035656922551, 1e-12);
    assert_close("r2", statistics.r2, 0.8134641085464471, 1e-12);
    assert_close("log_likelihood", statistics.log_likelihood, -6.104044536375006, 1e-12);
    assert_close("durbin_watson", statistics.durbin_watson, 2.8491372625889557, 1e-12);
}

#[test]
fn the_table_is_aligned_and_names_the_statistics() {
    insta::assert_snapshot!(diabetes().to_string(), @r"
                   estimate  std. error      t        p  95 % from         to    VIF
    (intercept)    -334.567     67.4546  -4.96   1.0e-6   -467.148   -201.986
    x1           -0.0363612    0.217041  -0.17   0.8670  -0.462953    0.39023  1.217
    x2             -22.8596     5.83582  -3.92   0.0001   -34.3299   -11.3894  1.278
    x3              5.60296    0.717106   7.81  4.3e-14     4.1935    7.01242  1.509
    x4              1.11681    0.225238   4.96   1.0e-6   0.674106    1.55951  1.459
    x5                -1.09    0.573332  -1.90   0.0579   -2.21687  0.0368779   59.2
    x6              0.74645    0.530834   1.41   0.1604  -0.296896     1.7898  39.19
    x7             0.372005    0.782464   0.48   0.6347   -1.16591    1.90992   15.4
    x8              6.53383     5.95864   1.10   0.2735   -5.17777    18.2454  8.891
    x9              68.4831     15.6697   4.37   1.6e-5    37.6846    99.2817  10.08
    x10            0.280117    0.273314   1.02   0.3060  -0.257077   0.817311  1.485

    rows                          442
    R²                            0.517748
    adjusted R²                   0.506559
    residual standard deviation   54.1542
    F                             46.2724 on 10 and 431 degrees of freedom, p < 1e-16
    log-likelihood                -2385.99
    AIC                           4793.99
    BIC                           4838.99
    Durbin–Watson                 2.02854
    condition number              7236.39
    ");
}

#[test]
fn undefined_statistics_of_an_exact_fit_are_absent() {
    let rows = [[1.0, 3.0], [2.0, 5.0], [3.0, 7.0], [4.0, 9.0]].map(Vec::from);
    let summary = summarise(&rows, 0.95);
    assert_eq!((summary.intercepts[0].estimate, summary.terms[0].estimate), (1.0, 2.0));
    let whole = summary.least_squares().unwrap();
    assert_eq!((whole.r2, whole.f, whole.aic, whole.durbin_watson), (Some(1.0), None, None, None));
    assert_eq!((summary.terms[0].statistic.value(), summary.terms[0].interval), (None, Some([2.0, 2.0])));
    let text = summary.to_string() + &serde_json::to_string(&summary).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    let two_rows = summarise(&[vec![1.0, 3.0], vec![2.0, 5.0]], 0.95);
    let whole = two_rows.least_squares().unwrap();
    assert_eq!((two_rows.terms[0].standard_error, whole.adjusted_r2), (None, None));
    assert_eq!((whole.f, whole.durbin_watson), (None, None));
    assert!(text.contains("∞ on 1 and 2 degrees of freedom"), "{text}");
}

/// The residuals are rounding errors of decimals: Durbin–Watson would be meaningless.
#[test]
fn a_fit_that_is_exact_except_for_rounding_errors_is_exact() {
    let rows: Vec<Vec<f64>> = (0..40_i32).map(|i| vec![f64::from(i) / 10.0, f64::from(3 * i + 7) / 10.0]).collect();
    let summary = summarise(&rows, 0.95);
    assert!(summary.least_squares().unwrap().residual_standard_deviation.unwrap() > 0.0);
    assert_eq!(summary.least_squares().unwrap().durbin_watson, None);
    assert_eq!(summary.least_squares().unwrap().f, None);
    assert!(summary.to_string().contains("∞ on 1 and 38 degrees of freedom"), "{summary}");
    let noisy: Vec<Vec<f64>> = rows.iter().map(|row| vec![row[0], row[1] + 1e-12 * (row[0] * 1e3).sin()]).collect();
    let noisy = summarise(&noisy, 0.95);
    assert!(noisy.least_squares().unwrap().durbin_watson.is_some() && noisy.least_squares().unwrap().f.is_some());
}

#[test]
fn a_large_t_is_short() {
    let rows: Vec<Vec<f64>> =
        (0..40_i32).map(|i| vec![f64::from(i), f64::from(i) + 1e-9 * f64::from(i * i % 7)]).collect();
    let text = summarise(&rows, 0.95).to_string();
    assert!(text.lines().all(|line| line.chars().count() < 100), "{text}");
}

/// The expected values by hand: `2·ln(L/L₀) = 10` on 3 − 2 = 1 degree of freedom, `scipy.stats.chi2.sf(10, 1)`,
/// `2·scipy.stats.norm.sf(4)`, `scipy.stats.norm.ppf(0.975)`.
#[test]
fn the_summary_of_a_fit_by_maximum_likelihood_has_ratios_and_likelihood_statistics() {
    let estimate = |value, standard_error| Estimate { value, standard_error: Some(standard_error) };
    let fit = LikelihoodFit {
        target: "log-odds of yes".to_owned(),
        reference: None,
        names: &["x".to_owned()],
        rows: 40,
        weight: 50.0,
        scores: vec![ScoreEstimates {
            class: None,
            intercept: Some(estimate(-1.0, 0.5)),
            coefficients: vec![estimate(2.0, 0.5)],
        }],
        ratio: Some(Ratio::OddsRatio),
        log_likelihood: -15.0,
        null_log_likelihood: -20.0,
        deviance: 30.0,
        null_deviance: 40.0,
        dispersion: None,
    };
    let summary = Summary::from_likelihood(fit, 0.95);
    let margin = 1.959_963_984_540_054 * 0.5;
    let term = &summary.terms[0];
    assert_eq!(term.statistic, Statistic::Z(Some(4.0)));
    assert_close("p", term.p, 6.334_248_366_623_993e-5, 1e-14);
    assert_close("low", term.interval.map(|[low, _]| low), 2.0 - margin, 1e-14);
    let ratio = term.ratio.unwrap().value();
    assert_close("odds ratio", ratio.estimate, 2.0_f64.exp(), 1e-14);
    assert_close("high", ratio.interval.map(|[_, high]| high), (2.0 + margin).exp(), 1e-14);
    let whole = summary.likelihood().unwrap();
    assert_close("p of the likelihood ratio", whole.likelihood_ratio_p, 1.565_402_258_002_55e-3, 1e-13);
    assert_eq!((whole.likelihood_ratio, whole.mcfadden_r2, whole.aic), (Some(10.0), Some(0.25), Some(34.0)));
    assert_close("BIC", whole.bic, 2.0 * 50.0_f64.ln() + 30.0, 1e-15);
    insta::assert_snapshot!(summary.to_string(), @r"
                 estimate  std. error      z       p  95 % from         to  odds ratio  95 % from       to
    (intercept)        -1         0.5  -2.00  0.0455   -1.97998  -0.020018
    x                   2         0.5   4.00  6.3e-5    1.02002    2.97998     7.38906    2.77324  19.6875

    rows                          40
    sum of weights                50
    residual degrees of freedom   48
    log-likelihood                -15
    null log-likelihood           -20
    likelihood ratio (chi²)       10 on 1 degree of freedom, p = 0.0016
    deviance                      30
    null deviance                 40
    McFadden's R²                 0.25
    AIC                           34
    BIC                           37.824
    ");
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["degrees_of_freedom"], 48);
    assert_eq!(json["intercept"]["z"], -2.0);
    assert_eq!(json["terms"][0]["odds_ratio"]["estimate"], ratio.estimate.unwrap());
    assert_eq!((&json["terms"][0]["t"], &json["terms"][0]["vif"]), (&Value::Null, &Value::Null));
}
