//! Charts as SVG. They have a few fixed colours, which the style sheet of the page replaces by those of the light or
//! the dark theme.

mod forest;

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::summary::rounded;
pub(super) use forest::{ForestRow, forest};

/// Text, frames.
const INK: RGBColor = RGBColor(0x37, 0x41, 0x51);
/// Grid.
const GRID: RGBColor = RGBColor(0xE5, 0xE7, 0xEB);
/// Reference lines and axes.
const REFERENCE: RGBColor = RGBColor(0x9C, 0xA3, 0xAF);
/// Data, in the order of the series.
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(0x25, 0x63, 0xEB),
    RGBColor(0xD9, 0x77, 0x06),
    RGBColor(0x05, 0x96, 0x69),
    RGBColor(0xDB, 0x27, 0x77),
    RGBColor(0x7C, 0x3A, 0xED),
    RGBColor(0x08, 0x91, 0xB2),
];

// plotters rounds coordinates to whole pixels. A large canvas, displayed at half its size, hides that.
const WIDTH: u32 = 960;
const HEIGHT: u32 = 640;
/// A chart as wide as the page.
pub(super) const WIDE_WIDTH: u32 = 2000;
const WIDE: [u32; 2] = [WIDE_WIDTH, 720];
/// One of many small charts.
const SMALL: [u32; 2] = [400, 400];
const TEXT: i32 = 26;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

/// A chart of numbers against numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Chart<'a> {
    /// The accessible name.
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) layers: Vec<Layer>,
    /// Whether x is the decimal logarithm of the value at the axis.
    pub(super) log_x: bool,
    /// Whether both axes are from 0 to 1.
    pub(super) unit: bool,
    pub(super) size: Size,
}

/// The size of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Size {
    /// Two charts next to each other fill the page.
    #[default]
    Half,
    /// As wide as the page.
    Wide,
    /// One of many, without labels of its axes.
    Small,
}

impl Size {
    fn pixels(self) -> (u32, u32) {
        let [width, height] = match self {
            Self::Half => [WIDTH, HEIGHT],
            Self::Wide => WIDE,
            Self::Small => SMALL,
        };
        (width, height)
    }
}

/// A point with a text that is shown when the pointer is over it.
#[derive(Debug, Clone)]
pub(super) struct Dot {
    pub(super) at: (f64, f64),
    pub(super) tooltip: String,
}

/// A layer of a chart; later layers are drawn over earlier ones.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    /// Dots in the colour of a series, over all other layers.
    Points(usize, Vec<Dot>),
    /// A line through points in the colour of a series.
    Line(usize, Vec<(f64, f64)>),
    /// A dashed reference line through points.
    Reference(Vec<(f64, f64)>),
    /// Dots with error bars.
    Bars(usize, Vec<(f64, f64, f64)>),
    /// A vertical dotted line.
    Mark(f64),
}

impl Chart<'_> {
    /// The SVG element; none when there is nothing to draw.
    pub(super) fn svg(&self) -> Option<Markup> {
        let mut text = String::new();
        let dots;
        {
            let root = SVGBackend::with_string(&mut text, self.size.pixels()).into_drawing_area();
            dots = self.draw(&root).ok()?;
            root.present().ok()?;
        }
        Some(accessible(&text, &dots, self.title, None))
    }

    /// Draws all layers but the points, and returns the points as SVG: plotters has no tooltips.
    fn draw(&self, root: &Area<'_>) -> Result<String, Failure> {
        let ([left, right], [low, high]) = self.extent().ok_or("nothing to draw")?;
        let is_small = self.size == Size::Small;
        let mut builder = ChartBuilder::on(root);
        builder.margin(12).margin_right(28);
        if !is_small {
            builder.x_label_area_size(78).y_label_area_size(120);
        }
        let mut chart = builder.build_cartesian_2d(left..right, low..high)?;
        let across_label = |value: &f64| rounded(without_rounding(*value, right - left), 5);
        let label = |value: &f64| rounded(without_rounding(*value, high - low), 5);
        let power = |value: &f64| rounded(10_f64.powf(*value), 2);
        let (across, down) = match self.size {
            Size::Half => (6, 6),
            Size::Wide => (12, 6),
            Size::Small => (2, 2),
        };
        chart
            .configure_mesh()
            .x_labels(across)
            .y_labels(down)
            .max_light_lines(0)
            .bold_line_style(GRID.stroke_width(2))
            .axis_style(REFERENCE.stroke_width(2))
            .label_style(("sans-serif", TEXT, &INK))
            .axis_desc_style(("sans-serif", TEXT, &INK))
            .x_label_formatter(if self.log_x { &power } else { &across_label })
            .y_label_formatter(&label)
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()?;
        let mut dots = String::new();
        for layer in &self.layers {
            match layer {
                Layer::Points(series, points) => {
                    let place = |dot: &Dot| chart.backend_coord(&dot.at);
                    dots.push_str(&circles(*series, points, place));
                }
                Layer::Line(series, points) => {
                    chart.draw_series(LineSeries::new(points.iter().copied(), colour(*series).stroke_width(4)))?;
                }
                Layer::Reference(points) => {
                    let line = DashedLineSeries::new(points.iter().copied(), 14, 10, REFERENCE.stroke_width(3));
                    chart.draw_series(line)?;
                }
                Layer::Bars(series, points) => {
                    let colour = colour(*series);
                    chart.draw_series(points.iter().map(|(x, y, error)| {
                        PathElement::new([(*x, y - error), (*x, y + error)], colour.mix(0.5).stroke_width(3))
                    }))?;
                    chart.draw_series(points.iter().map(|(x, y, _)| Circle::new((*x, *y), 7, colour.filled())))?;
                }
                Layer::Mark(x) => {
                    let line = DashedLineSeries::new([(*x, low), (*x, high)], 8, 8, INK.stroke_width(3));
                    chart.draw_series(line)?;
                }
            }
        }
        Ok(dots)
    }

    /// The ranges of x and y of all layers, with padding.
    fn extent(&self) -> Option<([f64; 2], [f64; 2])> {
        if self.unit {
            return Some(([0.0, 1.0], [0.0, 1.0]));
        }
        let (mut x, mut y) = (Extent::default(), Extent::default());
        for layer in &self.layers {
            match layer {
                // plotters moves points outside the range to the edge, which would bend a line.
                Layer::Points(_, points) => points.iter().for_each(|Dot { at: (px, py), .. }| {
                    x.include(*px);
                    y.include(*py);
                }),
                Layer::Line(_, points) | Layer::Reference(points) => {
                    for (px, py) in points {
                        x.include(*px);
                        y.include(*py);
                    }
                }
                Layer::Bars(_, points) => points.iter().for_each(|(px, py, error)| {
                    x.include(*px);
                    y.include(py - error);
                    y.include(py + error);
                }),
                Layer::Mark(at) => x.include(*at),
            }
        }
        Some((x.padded()?, y.padded()?))
    }
}

/// 0 instead of the rounding error of the label at 0 on an axis of this length.
fn without_rounding(value: f64, length: f64) -> f64 {
    if value.abs() < length * 1e-9 { 0.0 } else { value }
}

/// Circles with tooltips.
fn circles(series: usize, dots: &[Dot], place: impl Fn(&Dot) -> (i32, i32)) -> String {
    let RGBColor(red, green, blue) = colour(series);
    html! {
        g fill=(format!("#{red:02X}{green:02X}{blue:02X}")) fill-opacity="0.55" {
            @for dot in dots {
                @let (x, y) = place(dot);
                circle cx=(x) cy=(y) r="6" { title { (dot.tooltip) } }
            }
        }
    }
    .into_string()
}

/// The names of series, next to their colours.
pub(super) fn legend(names: &[(usize, &str)]) -> Markup {
    html! {
        span class="legend" {
            @for (series, name) in names {
                span { span style={ "color:var(--series-" (series % SERIES.len() + 1) ")" } aria-hidden="true" { "●" } " " (name) }
            }
        }
    }
}

fn colour(series: usize) -> RGBColor {
    SERIES.get(series % SERIES.len()).copied().unwrap_or(INK)
}

#[derive(Debug, Default)]
struct Extent(Option<[f64; 2]>);

impl Extent {
    fn include(&mut self, value: f64) {
        if value.is_finite() {
            let [low, high] = self.0.unwrap_or([value, value]);
            self.0 = Some([low.min(value), high.max(value)]);
        }
    }

    fn padded(&self) -> Option<[f64; 2]> {
        let [low, high] = self.0?;
        let padding = (high - low) * 0.04;
        let is_visible = padding > low.abs().max(high.abs()) * 1e-9;
        let padding = if is_visible { padding } else { low.abs().max(1e-9) * 0.5 };
        Some([low - padding, high + padding]).filter(|ends| ends.iter().all(|end| end.is_finite()))
    }
}

/// A name, cut if it is too long for a chart.
pub(super) fn shortened(name: &str) -> String {
    const LONGEST: usize = 24;
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST - 1).collect::<String>() + "…"
    }
}

/// A small histogram for the cell of a table.
pub(super) fn histogram(title: &str, counts: &[u64]) -> Option<Markup> {
    const WIDE: u32 = 192;
    const TALL: i32 = 36;
    let largest = counts.iter().copied().max().filter(|largest| *largest > 0)?;
    let bars = u32::try_from(counts.len()).ok()?;
    let bar = (WIDE / bars).max(1);
    let mut text = String::new();
    let draw = |root: &Area<'_>| -> Result<(), Failure> {
        for (i, count) in counts.iter().enumerate() {
            let x = i32::try_from(i)? * bar.cast_signed();
            // Between 0 and the height.
            #[allow(clippy::cast_possible_truncation)]
            let tall = (*count as f64 / largest as f64 * f64::from(TALL)).ceil() as i32;
            let corners = [(x, TALL - tall), (x + (bar / 8 * 7).max(1).cast_signed(), TALL)];
            root.draw(&Rectangle::new(corners, colour(0).filled()))?;
        }
        Ok(())
    };
    {
        let size = (bar * bars, TALL.cast_unsigned());
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&root).ok()?;
        root.present().ok()?;
    }
    Some(accessible(&text, "", title, Some("spark")))
}

/// The content of an SVG document, then `more` elements, as an image with an accessible name and without a fixed size.
fn accessible(svg: &str, more: &str, title: &str, class: Option<&str>) -> Markup {
    let (opening, content) = svg.split_once('>').unwrap_or_default();
    let view_box = opening.split_once("viewBox=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(b, _)| b);
    let content = content.trim().trim_end_matches("</svg>");
    html! {
        svg class=[class] role="img" viewBox=(view_box) {
            title { (title) }
            (PreEscaped(content))
            (PreEscaped(more))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_includes_the_ends_of_a_reference_line() {
        let layers = vec![
            Layer::Points(0, [(-1.0, -0.1), (1.0, 0.2)].map(|at| Dot { at, tooltip: String::new() }).to_vec()),
            Layer::Reference(vec![(-2.0, -2.0), (2.0, 2.0)]),
        ];
        let ([left, right], [low, high]) = Chart { layers, ..Chart::default() }.extent().unwrap();
        assert!(left < -2.0 && right > 2.0 && low < -2.0 && high > 2.0);
    }

    #[test]
    fn a_point_has_a_tooltip() {
        let dot = Dot { at: (0.5, 0.5), tooltip: "row 3 <b>".to_owned() };
        let chart = Chart { title: "t", layers: vec![Layer::Points(0, vec![dot])], unit: true, ..Chart::default() };
        let svg = chart.svg().unwrap().into_string();
        assert!(
            svg.contains("<g fill=\"#2563EB\"") && svg.contains("<title>row 3 &lt;b&gt;</title></circle>"),
            "{svg}"
        );
    }
}
