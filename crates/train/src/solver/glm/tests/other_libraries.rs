use super::*;
use crate::summary::Summary;

/// statsmodels 0.15.0, `GLM(y, X, family, offset, freq_weights).fit(tol=1e-15)`: estimates with the intercept first,
/// their standard errors, then deviance, null deviance, Pearson's χ², log-likelihood, null log-likelihood and AIC.
struct Recorded {
    estimates: [f64; 3],
    errors: [f64; 3],
    statistics: [f64; 6],
}

fn assert_agrees(family: Family, with_offset: bool, weighted: bool, recorded: &Recorded) {
    let rows = rows(family, with_offset, weighted);
    let fit = rows.fit(&GlmSettings::new(family));
    assert!(fit.converged && fit.iterations < 12, "{fit:?}");
    let summary = Summary::from_glm(&fit, &rows.names()[..2], "y", 0.95).unwrap();
    let terms: Vec<_> = summary.all_terms().collect();
    let close = |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 1e-9, "{got} {expected}");
    for (term, (estimate, error)) in terms.iter().zip(recorded.estimates.iter().zip(&recorded.errors)) {
        close(term.estimate, *estimate);
        close(term.standard_error.unwrap(), *error);
    }
    let (of_fit, statistics) = (summary.likelihood().unwrap(), fit.statistics.as_ref().unwrap());
    let got = [
        statistics.deviance,
        statistics.null_deviance,
        statistics.pearson,
        of_fit.log_likelihood.unwrap(),
        of_fit.null_log_likelihood.unwrap(),
        of_fit.aic.unwrap(),
    ];
    got.iter().zip(&recorded.statistics).for_each(|(got, expected)| close(*got, *expected));
}

#[test]
fn poisson_regression_agrees_with_statsmodels() {
    assert_agrees(
        Family::Poisson,
        false,
        false,
        &Recorded {
            estimates: [21.649_670_603_710_305, 1.797_189_425_907_373_3, -0.002_149_949_525_263_830_7],
            errors: [5.468_729_794_316_411_5, 0.169_357_277_883_482_23, 0.000_539_290_990_037_795_9],
            statistics: [
                88.025_744_865_226_8,
                229.408_206_097_805_5,
                77.041_001_256_990_85,
                -297.202_342_467_400_4,
                -367.893_573_083_689_8,
                600.404_684_934_800_8,
            ],
        },
    );
}

#[test]
fn poisson_regression_with_offset_and_frequency_weights_agrees_with_statsmodels() {
    assert_agrees(
        Family::Poisson,
        true,
        true,
        &Recorded {
            estimates: [23.444_408_834_165_134, 1.462_988_855_478_678_3, -0.002_324_656_823_820_706_6],
            errors: [2.733_801_475_868_4, 0.084_506_434_776_512_18, 0.000_269_448_161_258_562_53],
            statistics: [
                311.442_694_175_651_35,
                734.528_074_640_539,
                272.689_039_562_925_9,
                -1_175.696_324_275_984_8,
                -1_387.239_014_508_428_7,
                2_357.392_648_551_969_6,
            ],
        },
    );
}

#[test]
fn gamma_regression_agrees_with_statsmodels() {
    assert_agrees(
        Family::Gamma,
        false,
        false,
        &Recorded {
            estimates: [18.044_144_753_172_667, 1.540_342_956_243_185_8, -0.001_795_337_220_807_421_5],
            errors: [3.696_008_960_751_536, 0.107_365_444_854_370_97, 0.000_364_179_613_729_010_2],
            statistics: [
                44.905_414_497_528_994,
                88.748_632_789_021_54,
                38.442_976_044_499_865,
                -234.670_576_075_304_75,
                -347.007_274_376_374_5,
                475.341_152_150_609_5,
            ],
        },
    );
}

#[test]
fn gamma_regression_with_offset_and_frequency_weights_agrees_with_statsmodels() {
    assert_agrees(
        Family::Gamma,
        true,
        true,
        &Recorded {
            estimates: [20.187_550_795_237_2, 1.211_526_961_603_882, -0.002_004_328_545_254_839],
            errors: [1.708_623_691_728_161_4, 0.049_568_974_406_371_49, 0.000_168_244_899_770_340_57],
            statistics: [
                156.926_261_479_120_23,
                282.474_032_489_511_8,
                131.822_768_669_712_02,
                -898.827_335_276_567_2,
                -1_277.881_829_173_260_7,
                1_803.654_670_553_134_3,
            ],
        },
    );
}

/// scikit-learn 1.9.1, `PoissonRegressor(alpha=0.1, solver="newton-cholesky", tol=1e-12)` and `GammaRegressor` of the
/// columns of `StandardScaler`: coefficients, then the intercept.
#[test]
fn penalised_fits_agree_with_scikit_learn() {
    let recorded = [
        (Family::Poisson, false, [0.499_191_148_025_220_74, -0.177_841_458_630_721_82, 0.740_050_271_359_788_1]),
        (Family::Poisson, true, [0.489_202_275_155_581_4, -0.200_516_575_609_673_34, 0.749_545_515_737_459_3]),
        (Family::Gamma, false, [0.406_828_367_743_930_5, -0.139_958_404_240_465_46, 0.593_097_702_364_449_9]),
        (Family::Gamma, true, [0.398_343_219_244_959_25, -0.163_383_857_024_011_3, 0.605_350_353_497_087]),
    ];
    for (family, weighted, expected) in recorded {
        // The targets have the offset, the fit has not.
        let fit = rows(family, false, weighted).fit(&GlmSettings { alpha: 0.1, ..GlmSettings::new(family) });
        for (got, expected) in fit.coefficients.iter().chain([&fit.intercept]).zip(expected) {
            assert!((got / expected - 1.0).abs() < 1e-9, "{got} {expected}");
        }
    }
}
