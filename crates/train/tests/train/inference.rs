//! Inference of real training runs, compared with statsmodels 0.15.0 and, where it has fewer digits, mpmath 1.3 (700
//! digits).

use std::fmt::Write as _;

use ordinate_model::identity::ModelName;
use ordinate_table::{Origin, Selection};
use ordinate_train::holdout::Holdout;
use ordinate_train::plan::{ClassPlan, EstimatorKind, PenaltyPlan, PenaltyStrength, Plan};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;
use ordinate_train::summary::{Summary, Term};
use ordinate_train::{TrainError, Trained, train};

/// Numbers that are the same in Python: `i·7919 mod 1000 / 1000` and so on.
fn number(i: u32, factor: u32, modulus: u32) -> f64 {
    f64::from(i * factor % modulus) / f64::from(modulus)
}

pub(super) fn u(i: u32) -> f64 {
    number(i, 7919, 1000)
}

pub(super) fn v(i: u32) -> f64 {
    number(i, 104_729, 997)
}

pub(super) fn e(i: u32) -> f64 {
    number(i, 611_953, 991)
}

fn two(i: u32) -> &'static str {
    if u(i) + 0.5 * v(i) + 1.5 * e(i) > 1.5 { "yes" } else { "no" }
}

fn three(i: u32) -> &'static str {
    let score = 3.0 * (0.35 * u(i) + 0.25 * v(i) + 0.4 * e(i));
    if score < 1.0 {
        "a"
    } else if score < 2.0 {
        "b"
    } else {
        "c"
    }
}

#[derive(Clone, Copy, Default)]
// Independent options of the command line.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Options {
    pub(super) weights: bool,
    pub(super) standard_errors: StandardErrors,
    pub(super) no_intercept: bool,
    pub(super) penalised: bool,
    /// Of a fit with a penalty.
    pub(super) c: Option<PenaltyStrength>,
    pub(super) alpha: Option<PenaltyStrength>,
    pub(super) max_levels: Option<usize>,
    pub(super) estimator: Option<EstimatorKind>,
    pub(super) degree: Option<u32>,
    pub(super) interactions: bool,
    pub(super) report: bool,
    pub(super) held_out: f64,
    pub(super) seed: u64,
}

/// Trains on lines of a CSV file with the target `y`: without a penalty if it has classes.
pub(super) fn trained(text: &str, options: &Options) -> Result<Trained, TrainError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.csv");
    std::fs::write(&path, text).unwrap();
    let target = text.lines().nth(1).and_then(|line| line.split(',').next_back());
    let has_classes = target.is_some_and(|target| target.parse::<f64>().is_err());
    let preparation = Preparation::default();
    train(&Plan {
        origin: Origin { paths: vec![path], ..Origin::default() },
        selection: Selection {
            target: "y".into(),
            weights: options.weights.then(|| "w".into()),
            ..Selection::default()
        },
        preparation: Preparation {
            through_origin: options.no_intercept,
            interactions: options.interactions,
            max_levels: options.max_levels,
            degree: options.degree.unwrap_or(preparation.degree),
            ..preparation
        },
        name: ModelName::try_from("inference".to_owned()).unwrap(),
        estimator: options.estimator,
        penalty: PenaltyPlan {
            c: options.c.or((!options.penalised && has_classes).then_some(PenaltyStrength::Fixed(f64::INFINITY))),
            alpha: options.alpha,
            ..PenaltyPlan::default()
        },
        standard_errors: options.standard_errors,
        classes: ClassPlan::default(),
        calibrate: true,
        test: None,
        test_fraction: options.held_out,
        seed: options.seed,
        report: options.report,
        created: "2026-11-28T00:00:00Z".to_owned(),
    })
}

pub(super) fn table(header: &str, rows: u32, line: impl Fn(u32) -> String) -> String {
    let mut text = format!("{header}\n");
    for i in 0..rows {
        writeln!(text, "{}", line(i)).unwrap();
    }
    text
}

fn summary(text: &str, options: &Options) -> Summary {
    let trained = trained(text, options).unwrap();
    trained.summary.unwrap_or_else(|| panic!("no summary: {:?}", trained.notes))
}

fn assert_close(name: &str, got: impl IntoIterator<Item = Option<f64>>, expected: &[f64], tolerance: f64) {
    let got: Vec<f64> = got.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    assert_eq!(got.len(), expected.len(), "{name}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance * expected.abs(), "{name}: {got:?} is not {expected:?}");
    }
}

fn estimates(summary: &Summary) -> impl Iterator<Item = Option<f64>> + '_ {
    summary.all_terms().map(|term| Some(term.estimate))
}

fn errors(summary: &Summary) -> impl Iterator<Item = Option<f64>> + '_ {
    summary.all_terms().map(|term| term.standard_error)
}

/// `r = Logit(y, add_constant(X)).fit(method="newton", tol=1e-14)` for three columns of the bundled data, then
/// `r.params`, `r.bse`, `r.tvalues`, `r.pvalues`, `r.conf_int()`, `r.llf`, `r.aic`, `r.bic`. What follows from the null
/// log-likelihood is by mpmath: `r.llnull` is the end of an iteration and has 10 correct digits.
#[test]
fn two_classes_agree_with_logit() {
    let text = include_str!("../../../../model/breast-cancer.csv");
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        format!("{},{}\n", fields[..3].join(","), fields[30])
    };
    let data = "a,b,c,y\n".to_owned() + &text.lines().skip(1).map(line).collect::<String>();
    let summary = summary(&data, &Options::default());
    assert_eq!((summary.target.as_str(), summary.reference.as_ref()), ("log-odds of malignant", None));
    let ends = |term: &Term| term.interval.unwrap();
    for (name, got, expected) in [
        (
            "estimates",
            estimates(&summary).collect::<Vec<_>>(),
            [-18.325523542740093, -6.026230939350912, 0.24276577853182418, 1.067517884947238],
        ),
        (
            "standard errors",
            errors(&summary).collect(),
            [1.9606382923312398, 0.9963817061845415, 0.04544756575973274, 0.15496764936877228],
        ),
        (
            "z",
            summary.all_terms().map(|term| term.statistic.value()).collect(),
            [-9.346713065034889, -6.048114795711418, 5.341667358275072, 6.888649916905527],
        ),
        (
            "p",
            summary.all_terms().map(|term| term.p).collect(),
            [9.041381629444926e-21, 1.4655052389030745e-09, 9.209553567699446e-08, 5.632435701996387e-12],
        ),
        (
            "low",
            summary.all_terms().map(|term| Some(ends(term)[0])).collect(),
            [-22.168303982419438, -7.9791031983271825, 0.15369018645773228, 0.763786873415613],
        ),
        (
            "high",
            summary.all_terms().map(|term| Some(ends(term)[1])).collect(),
            [-14.482743103060749, -4.073358680374641, 0.3318413706059161, 1.371248896478863],
        ),
    ] {
        assert_close(name, got, &expected, 1e-9);
    }
    assert_likelihood(&summary);
    let ratio = summary.terms[1].ratio.unwrap().value();
    assert_close("odds ratio", [ratio.estimate], &[0.24276577853182418_f64.exp()], 1e-12);
}

/// The statistics of the fit of `two_classes_agree_with_logit`.
fn assert_likelihood(summary: &Summary) {
    let whole = summary.likelihood().unwrap();
    let got = [
        whole.log_likelihood,
        whole.null_log_likelihood,
        whole.likelihood_ratio,
        whole.likelihood_ratio_p,
        whole.mcfadden_r2,
        whole.aic,
        whole.bic,
        whole.deviance,
        whole.null_deviance,
        Some(summary.degrees_of_freedom),
    ];
    let expected = [
        -109.44873049463459,
        -375.7200026920845,
        532.5425443948998,
        4.224606256716277e-115,
        0.7086960244053559,
        226.89746098926918,
        244.2729827257745,
        218.89746098926918,
        751.440005384169,
        565.0,
    ];
    assert_close("statistics", got, &expected, 1e-9);
}

/// `GLM(y, X, family=Binomial(), freq_weights=w).fit(tol=1e-15)`; coefficients and errors by mpmath.
#[test]
fn weights_count_as_frequencies() {
    let data = table("u,v,w,y", 240, |i| format!("{},{},{},{}", u(i), v(i), 1 + i % 3, two(i)));
    let summary = summary(&data, &Options { weights: true, ..Options::default() });
    assert_close(
        "estimates",
        estimates(&summary),
        &[-1.9682636459392273, 2.598560633508581, 1.3312335786268386],
        1e-12,
    );
    assert_close("errors", errors(&summary), &[0.277082496605094, 0.3600367351650461, 0.3489206154369591], 1e-12);
    let whole = summary.likelihood().unwrap();
    assert_close("log-likelihood", [whole.log_likelihood, whole.weight], &[-295.8647214690268, 480.0], 1e-13);
    assert_eq!((summary.rows, summary.degrees_of_freedom.to_bits()), (240, 477.0_f64.to_bits()));
    // Rows of weight zero count for nothing.
    let with_zero = data + "5,-3,0,no\n-7,1,0,yes\n";
    let other = self::summary(&with_zero, &Options { weights: true, ..Options::default() });
    assert_close("errors", errors(&other), &errors(&summary).map(Option::unwrap).collect::<Vec<_>>(), 1e-12);
    assert_eq!(other.rows, 240);
}

/// `MNLogit(y, add_constant(X)).fit(method="newton", tol=1e-15)`; the null log-likelihood and what follows from it by
/// mpmath.
#[test]
fn three_classes_agree_with_mnlogit() {
    let data = table("u,v,y", 240, |i| format!("{},{},{}", u(i), v(i), three(i)));
    let trained = trained(&data, &Options::default()).unwrap();
    let summary = trained.summary.as_ref().unwrap();
    assert_eq!(summary.reference.as_deref(), Some("a"));
    let classes: Vec<&str> = summary.all_terms().map(|term| term.class.as_deref().unwrap()).collect();
    assert_eq!(classes, ["b", "b", "b", "c", "c", "c"]);
    let expected = [
        -1.8663539286883692,
        4.76456658079677,
        3.549689490980822,
        -9.419005792847692,
        10.634144650267816,
        7.5283971679127895,
    ];
    assert_close("estimates", estimates(summary), &expected, 1e-11);
    let expected = [
        0.5069812920653867,
        0.9205611493044459,
        0.8296821812676014,
        1.2711403790210343,
        1.4679908438664202,
        1.2077086050302575,
    ];
    assert_close("errors", errors(summary), &expected, 1e-10);
    let whole = summary.likelihood().unwrap();
    let got = [
        whole.log_likelihood,
        whole.null_log_likelihood,
        whole.likelihood_ratio,
        whole.likelihood_ratio_p,
        whole.mcfadden_r2,
        whole.aic,
        whole.bic,
    ];
    let expected = [
        -147.90947005802417,
        -212.13950207093385,
        128.46006402581935,
        8.311877155451363e-27,
        0.3027726160657851,
        307.81894011604834,
        328.7027736561003,
    ];
    assert_close("statistics", got, &expected, 1e-10);
    // The scores of the model file sum to zero.
    let stored: Vec<f64> = trained.document.estimator.get("u").unwrap().to_vec();
    assert!(stored.iter().sum::<f64>().abs() < 1e-12, "{stored:?}");
    assert_eq!(trained.document.training.parameters["c"], "inf");
}

/// By mpmath. The units 10⁻¹⁵⁰ and the distance from zero are those that a program that does not centre and scale
/// cannot fit.
#[test]
fn offsets_and_units_keep_the_digits() {
    let far = |i: u32| 1.7e12 + f64::from(i * 7919 % 1000);
    let data = table("a,b,y", 240, |i| format!("{},{:e},{}", far(i), 1e-150 * (1.0 + v(i)), two(i)));
    let summary = summary(&data, &Options::default());
    let expected = [-5063599895.052669, 0.0029785881712444864, 1.6215337928323218e150];
    assert_close("estimates", estimates(&summary), &expected, 1e-9);
    let expected = [898543672.3890638, 0.0005285551011900425, 5.089116265376178e149];
    assert_close("errors", errors(&summary), &expected, 1e-9);
}

/// By mpmath: `b = a + v/1024`. statsmodels has 8 digits of these standard errors.
#[test]
fn nearly_dependent_columns_keep_nine_digits() {
    let data = table("a,b,y", 240, |i| format!("{},{},{}", u(i), u(i) + v(i) / 1024.0, two(i)));
    let summary = summary(&data, &Options::default());
    let expected = [-2.315508574274456, -1657.4720156891424, 1660.4506038603868];
    assert_close("estimates", estimates(&summary), &expected, 1e-9);
    assert_close("errors", errors(&summary), &[0.4126006382490324, 521.0570913813978, 521.1255055745202], 1e-9);
}

#[test]
fn dependent_columns_are_left_out() {
    let data = table("a,b,c,d,y", 240, |i| format!("{},{},{},7,{}", u(i), v(i), u(i) + 2.0 * v(i), two(i)));
    let trained = trained(&data, &Options::default()).unwrap();
    let names: Vec<&str> = trained.summary.as_ref().unwrap().terms.iter().map(|term| term.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(trained.notes.iter().any(|note| note.contains("linear combination") && note.ends_with(": c")));
}

#[test]
fn separation_is_an_error_that_names_the_columns() {
    let message = |header: &str, line: &dyn Fn(u32) -> String| {
        let error = trained(&table(header, 240, line), &Options::default()).unwrap_err();
        error.to_string().split_once("estimates: ").unwrap().1.to_owned()
    };
    let got = message("x,cabin,y", &|i| {
        let (cabin, class) = if i % 24 == 0 { ("T", "yes") } else { (["A", "B", "C"][i as usize % 3], two(i)) };
        format!("{},{cabin},{class}", u(i))
    });
    assert_eq!(
        got,
        "\"cabin=T\" is 0 in every row of the class \"no\"\n\
         help: fit with a penalty: --c 1, or leave the column out with --exclude cabin=T"
    );
    let got = message("x,z,y", &|i| format!("{},{},{}", u(i), v(i), if u(i) > 0.5 { "yes" } else { "no" }));
    assert_eq!(
        got,
        "\"x\" is at most 0.498 in the class \"no\" and at least 0.501 in the class \"yes\"\n\
         help: fit with a penalty: --c 1, or leave the column out with --exclude x"
    );
    // Complete separation by a combination.
    let got = message("x,z,y", &|i| format!("{},{},{}", u(i), v(i), if u(i) + v(i) > 1.0 { "yes" } else { "no" }));
    assert!(got.starts_with("a combination of the columns \"x\", \"z\" separates the classes"), "{got}");
    // Quasi-complete separation by a combination of two columns of 0 and 1.
    let got = message("x,g,h,y", &|i| {
        let (g, h) = (i % 2, i / 2 % 2);
        let class = if g + h == 2 || (g + h == 1 && e(i) > 0.5) { "yes" } else { "no" };
        format!("{},{g},{h},{class}", u(i))
    });
    assert!(got.starts_with("a combination of the columns \"g\", \"h\""), "{got}");
    assert!(got.contains("separates some rows of a class from the others"), "{got}");
    // The first of three classes, as the sepals of irises: statsmodels 0.15.0 reports standard errors of 70,824 here.
    let iris = include_str!("../../../../model/iris.csv");
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        format!("{},{},{}\n", fields[0], fields[1], fields[4])
    };
    let data = "a,b,y\n".to_owned() + &iris.lines().skip(1).map(line).collect::<String>();
    let error = trained(&data, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("a combination of the columns \"a\", \"b\" separates some rows"), "{error}");
}

#[test]
fn without_an_intercept_the_null_model_has_equal_probabilities() {
    let data = table("u,v,y", 240, |i| format!("{},{},{}", u(i) - 0.5, v(i) - 0.5, two(i)));
    let summary = summary(&data, &Options { no_intercept: true, ..Options::default() });
    assert!(summary.intercepts.is_empty());
    assert_close("null", [summary.likelihood().unwrap().null_log_likelihood], &[-240.0 * 2.0_f64.ln()], 1e-14);
}

#[test]
fn few_rows_and_many_classes_end_with_a_result_or_an_error() {
    let separated = trained("x,y\n1,a\n2,b\n", &Options::default()).unwrap_err().to_string();
    assert!(separated.contains("is 1 in every row of the class \"a\""), "{separated}");
    assert!(trained("x,y\n1,a\n2,a\n", &Options::default()).is_err());
    let data = table("u,v,y", 3000, |i| format!("{},{},c{:02}", u(i), v(i), i * 7 % 30));
    let summary = summary(&data, &Options::default());
    assert_eq!((summary.terms.len(), summary.intercepts.len()), (58, 29));
    assert!(errors(&summary).all(|error| error.is_some_and(|error| error > 0.0 && error < 10.0)));
    assert!(trained(&data, &Options { penalised: true, ..Options::default() }).unwrap().summary.is_none());
}

#[test]
fn the_fit_without_held_out_rows_may_be_separable() {
    // Row 30 alone keeps the classes from being separable. The first seed that holds it out:
    let seed = (0..100).find(|seed| Holdout::new(0.5, *seed).unwrap().holds_out(30)).unwrap();
    let data = table("x,y", 40, |i| format!("{},{}", i, if i == 30 || i < 20 { "no" } else { "yes" }));
    let trained = trained(&data, &Options { held_out: 0.5, seed, ..Options::default() }).unwrap();
    let notes = trained.notes.iter().filter(|note| note.contains("without the held-out rows"));
    let notes: Vec<&String> = notes.collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].starts_with("without the held-out rows, the coefficients have no finite estimates (separation)"));
    assert!(trained.test.unwrap().values.values().all(|value| value.is_finite()));
}

/// One value of 10⁸ leaves the other rows few digits. By mpmath, the estimate is finite: the column does not separate
/// the classes.
#[test]
fn a_value_far_from_all_others_does_not_separate_classes() {
    let data = table("x,y", 60, |i| {
        if i == 7 {
            "1e8,yes".to_owned()
        } else {
            format!("{},{}", u(i), if e(i) < 0.4 + 0.3 * u(i) { "yes" } else { "no" })
        }
    });
    let trained = trained(&data, &Options::default()).unwrap();
    let about = |note: &&String| note.contains("values of \"x\" far from all others");
    assert!(trained.summary.is_none() && trained.notes.iter().any(|note| about(&note)), "{:?}", trained.notes);
}

/// Too many coefficients for an information matrix, and few enough rows that each is on its side.
#[test]
fn separable_classes_are_an_error_without_an_information_matrix() {
    let names: Vec<String> = (0..68).map(|j| format!("x{j}")).collect();
    let data = table(&format!("{},y", names.join(",")), 90, |i| {
        let values: Vec<String> =
            (0..68).map(|j| number((i * 68 + j) * (i * 68 + j) % 9973, 7919, 9973).to_string()).collect();
        format!("{},c{:02}", values.join(","), i % 30)
    });
    let error = trained(&data, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("a combination of the columns") && error.contains("separates the classes"), "{error}");
}

/// `OLS(y, X).fit(cov_type="HC3", use_t=True, method="qr")` and `WLS`.
#[test]
fn robust_standard_errors_agree_with_statsmodels() {
    use StandardErrors::{Hc0, Hc1, Hc2, Hc3};
    let y = |i: u32| 1.0 + 2.0 * u(i) - v(i) + (0.2 + u(i)) * (e(i) - 0.5);
    let data = table("u,v,w,y", 60, |i| format!("{},{},{},{}", u(i), v(i), 1 + i % 3, y(i)));
    let unweighted = table("u,v,y", 60, |i| format!("{},{},{}", u(i), v(i), y(i)));
    for (standard_errors, expected, weighted) in [
        (
            Hc0,
            [0.05121372434859405, 0.09252269020201533, 0.09425504115033985],
            [0.06287635109741761, 0.09849524404472068, 0.10765414502534205],
        ),
        (
            Hc1,
            [0.05254417251131386, 0.09492627722394892, 0.09670363179514407],
            [0.0645097750840561, 0.10105398817322761, 0.11045082230823663],
        ),
        (
            Hc2,
            [0.0527042977277607, 0.09548996451836386, 0.09728226386890948],
            [0.06564184901938046, 0.10254289526624624, 0.11218736086239632],
        ),
        (
            Hc3,
            [0.05424797659424467, 0.09856875985947364, 0.10042237639073483],
            [0.0685716497178224, 0.10679706548229968, 0.11695335590426467],
        ),
    ] {
        let summary = summary(&unweighted, &Options { standard_errors, ..Options::default() });
        assert_close("errors", errors(&summary), &expected, 1e-11);
        let with_weights = self::summary(&data, &Options { standard_errors, weights: true, ..Options::default() });
        assert_close("weighted errors", errors(&with_weights), &weighted, 1e-11);
    }
    let options = Options { standard_errors: Hc3, ..Options::default() };
    let trained = trained(&unweighted, &options).unwrap();
    let summary = trained.summary.unwrap();
    let t = summary.all_terms().map(|term| term.statistic.value());
    assert_close("t", t, &[17.137903638060948, 19.978446338200015, -8.58469910125463], 1e-10);
    let p = summary.all_terms().map(|term| term.p);
    assert_close("p", p, &[3.7212285391174076e-24, 2.0333908354570053e-27, 7.410363831984502e-12], 1e-9);
    let low = summary.all_terms().map(|term| term.interval.map(|[low, _]| low));
    assert_close("low", low, &[0.821066896065549, 1.771870142491672, -1.0631882244097626], 1e-10);
    let whole = summary.least_squares().unwrap();
    assert_close("F", [whole.f, whole.f_p], &[213.48174454529146, 3.351770799509106e-27], 1e-9);
    assert_eq!(trained.document.training.parameters["standard_errors"], "hc3");
    let text = summary.to_string();
    assert!(text.contains("standard errors               HC3"), "{text}");
    let origin = self::summary(&unweighted, &Options { no_intercept: true, ..options });
    assert_close("errors", errors(&origin), &[0.10858988757065186, 0.10819018890805573], 1e-11);
    assert_close("F", [origin.least_squares().unwrap().f], &[658.9376384318463], 1e-10);
}

#[test]
fn a_row_of_leverage_one_has_no_hc3() {
    let y = |i: u32| 1.0 + 2.0 * u(i) + (e(i) - 0.5);
    let data = table("u,alone,y", 60, |i| format!("{},{},{}", u(i), u8::from(i == 17), y(i)));
    let trained = trained(&data, &Options { standard_errors: StandardErrors::Hc3, ..Options::default() }).unwrap();
    assert_eq!(trained.summary.unwrap().standard_errors, StandardErrors::Classical);
    let alone = "row 18 of the data alone determines a coefficient, and has no residual, so that";
    let note = |notes: &[String], kind: &str| notes.iter().find(|note| note.contains(kind)).cloned().unwrap();
    assert_eq!(note(&trained.notes, "hc3"), format!("{alone} hc3 is not defined: standard errors are classical"));
    let hc1 = self::trained(&data, &Options { standard_errors: StandardErrors::Hc1, ..Options::default() }).unwrap();
    assert!(errors(&hc1.summary.unwrap()).all(|error| error.is_some()));
    assert_eq!(note(&hc1.notes, "hc1"), format!("{alone} hc1 is too small for it"));
}
