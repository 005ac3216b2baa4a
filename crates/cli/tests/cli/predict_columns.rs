//! The columns that options of `ordinate predict` add: probabilities, intervals, contributions, warnings.

use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::{Model, Wanted};

use crate::support::{SALES_ROWS, SIDES_ROWS, complained, folder_with, pipe, rows, run, said, sales, sides};

#[test]
fn probabilities_have_one_column_per_class() {
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", SIDES_ROWS)]);
    assert!(
        complained(&run(&folder, "predict sides.json rows.csv --interval 0.9"))
            .contains("sides has no prediction sets")
    );
    let output = run(&folder, "predict sides.json rows.csv --probabilities --column fruit");
    let table = rows(said(&output));
    let header = ["side", "length", "fruit", "probability_apple, green", "probability_pear", "probability_plum"];
    assert_eq!(table[0], header);

    let model = Model::from_json(sides().as_bytes()).unwrap();
    let mut frame = RowsBuilder::new(model.signature(), 5);
    for row in &table[1..] {
        frame.start_row().unwrap();
        frame.push(Cell::Field(&row[1]));
        frame.push(Cell::Field(&row[0]));
        frame.end_positional_row();
    }
    let frame = frame.finish().unwrap();
    let expected = model.answer(&frame, &Wanted::default()).unwrap().probabilities.unwrap();
    for (row, expected) in table[1..].iter().zip(expected.rows()) {
        let got: Vec<f64> = row[3..].iter().map(|field| field.parse().unwrap()).collect();
        assert_eq!(got, expected);
    }
}

/// statsmodels 0.15.0: `OLS(y, add_constant(X)).fit().get_prediction(X[:3]).conf_int(obs=True, alpha=0.2)`.
#[test]
fn intervals_are_those_of_statsmodels() {
    let output = pipe("predict diabetes - --interval 0.8", include_str!("../../../../model/diabetes.csv"));
    let table = rows(said(&output));
    assert_eq!(table[0][11..], ["prediction", "prediction_low", "prediction_high"]);
    let expected = [
        [135.998_199_557_805_1, 276.235_154_932_404_67],
        [-2.209_132_833_551_791_5, 138.351_198_779_688],
        [106.561_236_931_222_65, 247.204_343_770_881_96],
    ];
    for (row, expected) in table[1..].iter().zip(expected) {
        for (field, expected) in row[12..].iter().zip(expected) {
            assert!((field.parse::<f64>().unwrap() - expected).abs() < 1e-9, "{field} is not {expected}");
        }
    }
}

#[test]
fn intervals_of_the_mean_lie_within_those_of_the_answer() {
    let output =
        pipe("predict diabetes - --interval 0.9 --mean-interval 0.9", include_str!("../../../../model/diabetes.csv"));
    let table = rows(said(&output));
    let names = ["prediction", "prediction_low", "prediction_high", "prediction_mean_low", "prediction_mean_high"];
    assert_eq!(table[0][11..], names);
    for row in &table[1..] {
        let numbers: Vec<f64> = row[11..].iter().map(|field| field.parse().unwrap()).collect();
        let [answer, low, high, mean_low, mean_high] = numbers[..] else { panic!("{row:?}") };
        assert!(low < mean_low && mean_low < answer && answer < mean_high && mean_high < high);
    }
    let output = pipe("predict iris - --mean-interval 0.9", include_str!("../../../../model/iris.csv"));
    assert!(complained(&output).contains("--mean-interval needs a regression model, and iris predicts classes"));
}

#[test]
fn prediction_sets_cover_the_requested_fraction_of_rows() {
    let output = pipe("predict iris - --interval 0.95", include_str!("../../../../model/iris.csv"));
    let table = rows(said(&output));
    assert_eq!(table[0][4..], ["species", "prediction", "prediction_set"]);
    let sets = || table[1..].iter().map(|row| (row, row[6].split('|').collect::<Vec<_>>()));
    assert!(sets().all(|(row, set)| set.contains(&row[5].as_str())));
    let held = sets().filter(|(row, set)| set.contains(&row[4].as_str())).count();
    assert!(held >= 143, "{held} of 150");
    assert!(complained(&pipe("predict iris -", "sepal_length\n")).contains("sepal_width"));
    let rows = include_str!("../../../../model/iris.csv");
    assert!(
        complained(&pipe("predict iris - --interval 0.99", rows))
            .contains("needs at least 99 held-out rows, the model has 33")
    );
}

#[test]
fn contributions_and_base_add_up_to_the_answer() {
    let table = rows(said(&pipe("predict diabetes - --explain", include_str!("../../../../model/diabetes.csv"))));
    assert_eq!(table[0][11..14], ["prediction", "base", "contribution_age"]);
    for row in &table[1..] {
        let numbers: Vec<f64> = row[11..].iter().map(|field| field.parse().unwrap()).collect();
        assert!((numbers[1..].iter().sum::<f64>() - numbers[0]).abs() < 1e-9, "{row:?}");
    }
    // With more than two classes, each has its own.
    let output = pipe("predict iris - --explain --probabilities", include_str!("../../../../model/iris.csv"));
    let table = rows(said(&output));
    assert_eq!(table[0][9..11], ["base_setosa", "contribution_setosa_sepal_length"]);
    for row in &table[1..] {
        let numbers: Vec<f64> = row[6..].iter().map(|field| field.parse().unwrap()).collect();
        let (probabilities, terms) = numbers.split_at(3);
        let odds: Vec<f64> = terms.chunks(5).map(|score| score.iter().sum::<f64>().exp()).collect();
        for (odds_of, p) in odds.iter().zip(probabilities) {
            assert!((odds_of / odds.iter().sum::<f64>() - p).abs() < 1e-12, "{row:?}");
        }
    }
    assert!(
        complained(&pipe("predict line - --explain", "x,base\n1,2\n"))
            .ends_with("a column \"base\" exists already\nhelp: rename it\n")
    );
}

#[test]
fn warnings_are_text_for_every_row() {
    let data = "x\n".to_owned() + &"9.5\n2\n".repeat(700);
    let output = pipe("predict line - --warnings", &data);
    let table = rows(said(&output));
    assert_eq!(table[0], ["x", "prediction", "warnings"]);
    for pair in table[1..].chunks(2) {
        assert_eq!([&pair[0][2], &pair[1][2]], ["x: 9.5 is outside the training range, 1 to 4", ""]);
    }
    // Each value is usual, the combination is not.
    let output =
        pipe("predict iris - --warnings", "sepal_length,sepal_width,petal_length,petal_width\n4.3,2,6.9,0.1\n");
    assert_eq!(
        rows(said(&output))[1][5],
        "high leverage: the values are unusual together (leverage 1.89, usual up to 0.1)"
    );
}

#[test]
fn extra_columns_are_written_to_parquet_too() {
    let folder = folder_with(&[("rows.csv", include_str!("../../../../model/iris.csv"))]);
    let options = "--interval 0.9 --explain --warnings --probabilities";
    let mut expected = rows(said(&run(&folder, &format!("predict iris rows.csv {options}"))));
    said(&run(&folder, &format!("predict iris rows.csv --out rows.parquet {options} --quiet")));
    // Read back and predicted once more.
    let read = rows(said(&run(&folder, "predict iris rows.parquet --column again")));
    for (row, read) in expected.iter_mut().zip(&read) {
        row.push(if row[0] == "sepal_length" { "again".to_owned() } else { row[5].clone() });
        assert_eq!(row, read);
    }
    assert_eq!(read.len(), 151);
}

#[test]
fn decisions_of_training_have_warnings() {
    let folder = folder_with(&[("sales.json", &sales()), ("rows.csv", SALES_ROWS)]);
    let output = run(&folder, "predict sales.json rows.csv --warnings");
    let lines: Vec<&str> = said(&output).lines().collect();
    assert_eq!(
        lines,
        [
            "size;sold;deck;note;price;prediction;warnings",
            "1.234,5;11.1.2024;A;x;1244,5;1244.5;",
            "?;2024-01-02;;;1050,5;1051.0;\"size: missing, replaced by 50; deck: missing, replaced by (missing)\"",
            "20;02.01.2025;Z;;?;387.0;\"sold: 2025-01-02 is outside the training range, 2024-01-01 to 2024-12-31; \
             deck: \"\"Z\"\" was not in the training data\"",
        ]
    );
}
