//! Forest plots: values with their intervals, one below the other.

use maud::Markup;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Area, Extent, Failure, GRID, INK, REFERENCE, TEXT, WIDE, accessible, colour};
use crate::report::value_axis::ValueAxis;

/// One row of a forest plot: a name, a value and its interval.
#[derive(Debug, Clone)]
pub(in crate::report) struct ForestRow {
    pub(in crate::report) name: String,
    pub(in crate::report) value: f64,
    pub(in crate::report) interval: Option<[f64; 2]>,
    pub(in crate::report) series: usize,
    /// The position, in lines from the top.
    pub(in crate::report) line: f64,
}

/// A forest plot as wide as the page: values with their intervals, one below the other.
pub(in crate::report) fn forest(title: &str, x: &str, forest_rows: &[ForestRow], axis: ValueAxis) -> Option<Markup> {
    const LINE: u32 = 44;
    let [width, _] = WIDE;
    let mut extent = Extent::default();
    extent.include(0.0);
    for row in forest_rows {
        extent.include(row.value);
        row.interval.into_iter().flatten().for_each(|end| extent.include(end));
    }
    let [left, right] = extent.padded()?;
    let last = forest_rows.last()?.line;
    // A few thousand pixels at most.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let height = (f64::from(LINE) * (last + 1.0)) as u32 + 110;
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
        draw(&root, x, forest_rows, ([left, right], axis)).ok()?;
        root.present().ok()?;
    }
    Some(accessible(&text, "", title, None))
}

/// Draws the axes, and each row with its name. `axis`: its ends, and the labels of its values.
fn draw(
    root: &Area<'_>,
    x: &str,
    forest_rows: &[ForestRow],
    ([left, right], axis): ([f64; 2], ValueAxis),
) -> Result<(), Failure> {
    let last = forest_rows.last().map_or(0.0, |row| row.line);
    let longest = forest_rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let (width, height) = root.dim_in_pixel();
    let mut chart = ChartBuilder::on(root)
        .margin(12)
        .margin_right(28)
        .x_label_area_size(78)
        .y_label_area_size(u32::try_from(longest * 14 + 24)?)
        .build_cartesian_2d(axis.coordinate([left, right]), -0.7..last + 0.7)?;
    chart
        .configure_mesh()
        .x_labels(12)
        .y_labels(0)
        .disable_y_axis()
        .max_light_lines(0)
        .disable_y_mesh()
        .bold_line_style(GRID.stroke_width(2))
        .axis_style(REFERENCE.stroke_width(2))
        .label_style(("sans-serif", TEXT, &INK))
        .axis_desc_style(("sans-serif", TEXT, &INK))
        .x_label_formatter(&|position| axis.label(*position))
        .draw()?;
    // plotters would centre the title below the plotting area, and cut off a long one.
    let centred = ("sans-serif", TEXT).into_font().color(&INK).pos(Pos::new(HPos::Center, VPos::Bottom));
    root.draw(&Text::new(x, (width.cast_signed() / 2, height.cast_signed() - 12), centred))?;
    let zero = [(0.0, -0.7), (0.0, last + 0.7)];
    chart.draw_series([PathElement::new(zero, REFERENCE.stroke_width(3))])?;
    let right_aligned = ("sans-serif", TEXT).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
    for row in forest_rows {
        let y = last - row.line;
        let colour = colour(row.series);
        let [from, to] = row.interval.unwrap_or([0.0, row.value]);
        let stroke = colour.mix(0.45).stroke_width(if row.interval.is_some() { 8 } else { 16 });
        chart.draw_series([PathElement::new([(from, y), (to, y)], stroke)])?;
        chart.draw_series([Circle::new((row.value, y), 9, colour.filled())])?;
        // plotters cannot label an axis with names.
        let (edge, middle) = chart.backend_coord(&(left, y));
        root.draw(&Text::new(row.name.as_str(), (edge - 16, middle), right_aligned.clone()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_at_zero_is_zero() {
        let row = |value| ForestRow { name: "x".to_owned(), value, interval: None, series: 0, line: value };
        let svg = forest("title", "x", &[row(-1.0), row(1.0)], ValueAxis::Linear).unwrap().into_string();
        assert!(!svg.contains("e-1") && svg.contains("\n0\n"), "{svg}");
    }

    #[test]
    fn a_value_without_an_interval_is_a_bar_from_zero() {
        let row = |value, interval, line| ForestRow { name: "x".to_owned(), value, interval, series: 0, line };
        let rows = [row(-1.0, None, 0.0), row(2.0, Some([1.5, 2.5]), 1.0)];
        let svg = forest("title", "x", &rows, ValueAxis::Linear).unwrap().into_string();
        let ends = |width: &str| -> Vec<f64> {
            let line = svg.split("<polyline").find(|line| line.contains(width)).unwrap();
            let points = line.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
            points.split_whitespace().map(|point| point.split(',').next().unwrap().parse().unwrap()).collect()
        };
        let (axis, bar, interval) =
            (ends("stroke-width=\"3\""), ends("stroke-width=\"16\""), ends("stroke-width=\"8\""));
        let starts_there = (bar[0] - axis[0]).abs() < 1e-9;
        assert!(starts_there && bar[1] < bar[0] && interval[0] > axis[0] && interval[1] > interval[0], "{svg}");
    }

    #[test]
    fn the_title_of_an_axis_is_centred_however_long_the_names_are() {
        let row = ForestRow { name: "n".repeat(24), value: 1.0, interval: None, series: 0, line: 0.0 };
        let svg = forest(
            "title",
            "change of ln(a target with a long name) per standard deviation",
            &[row],
            ValueAxis::Linear,
        )
        .unwrap()
        .into_string();
        let title = svg.split("<text").find(|text| text.contains("change of")).unwrap();
        assert!(title.contains("x=\"1000\"") && title.contains("text-anchor=\"middle\""), "{title}");
    }
}
