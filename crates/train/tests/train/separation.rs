//! Notes on separable classes: only where a proof shows that the likelihood has no maximum.

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
    for c in [1e9, 1e12, 1e15] {
        let options = Options { c: Some(PenaltyStrength::Fixed(c)), ..Options::default() };
        let notes = notes(&data, &options);
        let note = "only the penalty keeps some coefficients finite (quasi-complete separation), and a larger C makes \
                    them larger: g, h";
        assert_eq!(notes, [note], "{c:e}");
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
