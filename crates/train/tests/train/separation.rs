//! Notes on separable classes: only where a proof shows that the likelihood has no maximum.

use std::fmt::Write as _;

use super::inference::{Options, e, table, trained, u, v};
use ordinate_train::holdout::Holdout;
use ordinate_train::plan::PenaltyStrength;

/// A hump of years, whose square is so far from zero that the standardised coefficients of both are in the hundreds.
fn years() -> String {
    table("year,y", 600, |i| {
        let year = f64::from(1990 + i * 7 % 31);
        let score = 0.08 * (year - 2005.0) - 0.01 * (year - 2005.0).powi(2) + 0.5;
        let chance = f64::from(i) * 0.6180339887 % 1.0;
        format!("{year},{}", if chance < 1.0 / (1.0 + (-score).exp()) { "yes" } else { "no" })
    })
}

/// Temperatures around 20, and a code for a missing one.
fn temperatures() -> String {
    table("temp,y", 300, |i| {
        let temperature = 15.0 + 10.0 * u(i);
        match i {
            10 => "-9999,no".to_owned(),
            _ => format!("{temperature},{}", if e(i) < 0.1 + 0.8 * u(i) { "yes" } else { "no" }),
        }
    })
}

/// Two columns that are nearly the same.
fn nearly_dependent() -> String {
    table("a,b,y", 400, |i| {
        let (a, noise) = (u(i), v(i) - 0.5);
        format!("{a},{},{}", a + 1e-3 * noise, if e(i) < 0.2 + 0.5 * a { "yes" } else { "no" })
    })
}

fn notes(data: &str, options: &Options) -> Vec<String> {
    let notes = trained(data, options).unwrap().notes;
    notes.into_iter().filter(|note| note.contains("separa") && !note.contains("hardly")).collect()
}

fn penalised_note(what: &str) -> String {
    format!("only the penalty keeps some coefficients finite (separation), and a larger C makes them larger: {what}")
}

/// The columns that separate the classes, without a penalty and with this `C`: from the error, and from the note.
fn separations(data: &str, c: f64) -> [Option<String>; 2] {
    let error = trained(data, &Options::default()).err().map(|error| error.to_string());
    let what = error.map(|error| {
        let (_, what) = error.split_once("no finite estimates: ").expect(&error);
        what.split_once("\nhelp: ").unwrap().0.to_owned()
    });
    let options = Options { c: Some(PenaltyStrength::Fixed(c)), ..Options::default() };
    let notes = notes(data, &options);
    let found = notes.iter().filter_map(|note| note.split_once("makes them larger: "));
    [what, found.map(|(_, what)| what.to_owned()).next()]
}

#[test]
fn large_coefficients_of_classes_that_overlap_are_no_separation() {
    for (data, degree) in [(years(), Some(2)), (temperatures(), None), (nearly_dependent(), None)] {
        let fixed = [f64::INFINITY, 1e4, 1e6].map(PenaltyStrength::Fixed);
        for c in fixed.into_iter().chain([PenaltyStrength::Auto]) {
            let options = Options { c: Some(c), degree, held_out: 0.25, ..Options::default() };
            assert_eq!(notes(&data, &options), [""; 0], "{c:?}");
        }
    }
}

/// Both columns are needed: rows of the class `yes` are where their sum is 2, and some where it is 1.
#[test]
fn columns_that_together_separate_some_rows_are_named_whatever_the_penalty() {
    let data = table("x,g,h,y", 240, |i| {
        let (g, h) = (i % 2, i / 2 % 2);
        let class = if g + h == 2 || (g + h == 1 && e(i) > 0.5) { "yes" } else { "no" };
        format!("{},{g},{h},{class}", u(i))
    });
    for c in [1.0, 1e9, 1e12, 1e15] {
        let options = Options { c: Some(PenaltyStrength::Fixed(c)), ..Options::default() };
        let what = "a combination of the columns \"g\", \"h\" separates some rows of a class from the others";
        assert_eq!(notes(&data, &options), [penalised_note(what)], "{c:e}");
    }
}

/// As above, where the classes are separable only without the held-out rows, by two columns together.
#[test]
fn columns_that_together_separate_the_kept_rows_have_a_note() {
    // Rows 30 and 31 alone keep the classes from being separable. The first seed that holds them out:
    let holds_out = |seed: u64| [30, 31].iter().all(|row| Holdout::new(0.5, seed).unwrap().holds_out(*row));
    let seed = (0..100).find(|seed| holds_out(*seed)).unwrap();
    let data = table("a,b,y", 200, |i| {
        let is_above = u(i) + v(i) > 1.0;
        format!("{},{},{}", u(i), v(i), if is_above == [30, 31].contains(&i) { "no" } else { "yes" })
    });
    let notes = notes(&data, &Options { held_out: 0.5, seed, ..Options::default() });
    let note = "without the held-out rows, the coefficients have no finite estimates (separation)";
    assert!(notes.len() == 1 && notes[0].starts_with(note), "{notes:?}");
}

/// A category and a number, or two categories, in three or four classes. The numbers are the same in Python.
fn random_table(seed: usize) -> String {
    let mut state = (seed * 2_654_435_761 + 12345) % (1 << 31);
    let mut below = |end: usize| {
        state = (state * 1_103_515_245 + 12345) % (1 << 31);
        (state >> 16) % end
    };
    let (classes, rows, levels, kind) = (3 + below(2), 20 + below(40), 3 + below(2), below(4));
    let mut text = "f,g,y\n".to_owned();
    for _ in 0..rows {
        let level = ["k", "l", "m", "p"][below(levels)];
        let number = below(if kind < 2 { 10 } else { 2 });
        let class = ["a", "b", "c", "d"][below(classes)];
        let class = if level == "k" && class == "b" && kind == 0 { "a" } else { class };
        writeln!(text, "{level},{number},{class}").unwrap();
    }
    text
}

/// Whether each of these tables is separable, by the linear program of Konis (2007) in `SciPy` 1.17: a direction in which
/// no row loses, and some row wins.
const IS_SEPARABLE: &str =
    "001110111001100111111111111001011011011000110001100111111111010001000100001000111011010111111111";

#[test]
fn tables_are_separable_where_a_linear_program_says_so() {
    for (seed, expected) in (0..).zip(IS_SEPARABLE.chars()) {
        let expected = expected == '1';
        let found = separations(&random_table(seed), 1.0).map(|what| what.is_some());
        assert_eq!(found, [expected; 2], "{seed}");
    }
}

/// The level `k` has no row of the class `b`, but rows of two others, so that no class is alone where it separates.
#[test]
fn a_level_without_one_of_three_classes_separates_them() {
    let data = "f,y\nk,a\nk,c\nm,a\nm,b\nm,c\nn,a\nn,b\nn,c\nm,a\nn,c\n";
    for c in [0.01, 1.0, 1e6] {
        assert_eq!(separations(data, c), [0; 2].map(|_| Some("\"f=k\" is 0 in every row of the class \"b\"".into())));
    }
    let error = trained(data, &Options::default()).unwrap_err().to_string();
    let help = "help: fit with a penalty: --c 1, or merge the level with another one, for example --reference f=m --exclude \
                f=k";
    assert!(error.ends_with(help), "{error}");
}

#[test]
fn one_column_that_separates_the_classes_is_named_whatever_the_penalty() {
    let data = table("x,z,y", 60, |i| format!("{i},{},{}", u(i), if i < 30 { "no" } else { "yes" }));
    for c in [0.01, 1.0, 10.0, 1e9] {
        let what = "\"x\" is at most 29 in the class \"no\" and at least 30 in the class \"yes\"";
        assert_eq!(separations(&data, c), [0; 2].map(|_| Some(what.to_owned())), "{c}");
    }
}
