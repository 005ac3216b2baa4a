#![allow(clippy::cast_possible_truncation)]

use super::*;

#[track_caller]
fn assert_close(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance * expected.abs(), "{got:e} is not {expected:e}");
}

/// Of scipy 1.17.1, by tests/reference.py: `entropy` in both directions with half a row in each bin, `ks_2samp`,
/// `kolmogorov`, `chi2_contingency`.
#[test]
fn distances_are_those_of_scipy() {
    let uniform = [100.0; 10];
    let near = [95.0, 102.0, 110.0, 99.0, 91.0, 105.0, 98.0, 100.0, 97.0, 103.0];
    for (expected, actual, [psi, d, smirnov, chi, p]) in [
        (
            &[120.0, 80.0, 60.0, 0.0, 40.0][..],
            &[30.0, 25.0, 40.0, 5.0, 10.0][..],
            [
                0.323_955_422_884_364_46,
                0.166_666_666_666_666_63,
                0.022_859_259_178_712_72,
                27.711_976_911_976_91,
                1.426_665_717_998_887_6e-5,
            ],
        ),
        (
            &uniform[..],
            &near[..],
            [0.002_546_906_016_848_891_5, 0.007, 1.0, 1.285_479_974_126_763_5, 0.998_447_450_754_982_5],
        ),
        (
            &[442.0, 1.0][..],
            &[100.0, 30.0][..],
            [
                1.031_255_435_008_864_5,
                0.228_511_894_426_115_64,
                5.527_191_765_627_358e-5,
                102.555_354_842_347_44,
                4.194_810_943_559_352e-24,
            ],
        ),
    ] {
        assert_close(population_stability_index(expected, actual), psi, 1e-12);
        assert_close(kolmogorov_smirnov(expected, actual), d, 1e-12);
        assert_close(smirnov_upper(d, expected.iter().sum(), actual.iter().sum()), smirnov, 1e-12);
        let test = chi_squared(expected, actual).unwrap();
        assert_close(test.value, chi, 1e-12);
        assert_close(test.p, p, 1e-9);
    }
}

/// By tests/reference.py: twice the smaller tail of `hypergeom` of scipy 1.17.1, and exact fractions.
#[test]
fn tails_are_those_of_scipy() {
    for (expected, actual, p) in [
        ([1000.0, 10.0], [200.0, 9.0], 0.003_339_147_014_846_235),
        ([1000.0, 0.0], [50.0, 1.0], 0.095_238_095_238_095_23),
        ([100_000.0, 2000.0], [5000.0, 60.0], 2.739_144_873_383_127_8e-5),
        ([300.0, 30.0], [200.0, 20.0], 1.0),
        ([1000.0, 500.0], [1000.0, 500.0], 1.0),
    ] {
        assert_close(fisher(expected, actual), p, 1e-9);
    }
    for (k, n, a, b, p) in [
        (1.0, 50.0, 2.0, 9999.0, 0.009_925_989_517_038_155),
        (10.0, 1000.0, 1.0, 1000.0, 9.547_325_826_708_075e-4),
        (30.0, 1000.0, 2.0, 999.0, 1.211_992_093_224_899_8e-8),
        (200.0, 1000.0, 101.0, 900.0, 2.073_115_311_218_195_3e-10),
        (540.0, 1000.0, 101.0, 100.0, 0.169_147_449_576_652_7),
        (480.0, 1000.0, 101.0, 100.0, 0.723_893_328_384_252_4),
    ] {
        assert_close(beta_binomial_upper(k, n, a, b), p, 1e-8);
    }
    // No row at all, and a first term that a double cannot represent.
    for k in [0.0, 1.0] {
        assert_close(beta_binomial_upper(k, 20_000.0, 3000.0, 3000.0), 1.0, 1e-15);
    }
}

#[test]
fn the_index_of_noise_is_the_mean_index_of_samples_of_one_distribution() {
    let mut state = 1_u64;
    let mut sample = || {
        let mut counts = [0.0; 10];
        for _ in 0..500 {
            state = ordinate_model::random::mix(state);
            counts[(state % 10) as usize] += 1.0;
        }
        counts
    };
    let mean = (0..400).map(|_| population_stability_index(&sample(), &sample())).sum::<f64>() / 400.0;
    assert_close(mean, index_of_noise(&[50.0; 10], &[50.0; 10]), 0.1);
}

#[test]
fn equal_counts_are_certain() {
    assert_eq!(chi_squared(&[10.0, 5.0], &[10.0, 5.0]).unwrap(), ChiSquared { value: 0.0, freedom: 1.0, p: 1.0 });
}

#[test]
fn one_bin_has_no_chi_squared() {
    assert_eq!(chi_squared(&[10.0, 0.0], &[5.0, 0.0]), None);
}
