//! Charts as SVG. The plotting area has no fixed width: positions are percentages, so that lines and text have the same
//! size in every chart and on every screen. The style sheet of the page has the colours.

mod forest;

use maud::{Markup, html};

use super::value_axis::{Tick, ValueAxis};
pub(super) use forest::{ForestLine, ForestRow, forest};

/// The number of colours of series.
pub(super) const COLOURS: usize = 6;

/// A chart of numbers against numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Chart<'a> {
    /// The accessible name.
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) layers: Vec<Layer>,
    pub(super) x_axis: ValueAxis,
    /// Whether both axes are from 0 to 1.
    pub(super) unit: bool,
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
    /// Dots in the colour of a series.
    Points(usize, Vec<Dot>),
    /// A line through points in the colour of a series.
    Line(usize, Vec<(f64, f64)>),
    /// A dashed reference line between two points.
    Reference([(f64, f64); 2]),
    /// Dots with error bars.
    Bars(usize, Vec<(f64, f64, f64)>),
    /// A vertical dotted line.
    Mark(f64),
}

impl Chart<'_> {
    /// The chart between the titles of its axes; none when there is nothing to draw.
    pub(super) fn markup(&self) -> Option<Markup> {
        let area = self.area()?;
        let (across, up) = (self.x_axis.across(area.x), ValueAxis::Linear.up(area.y));
        let longest = up.iter().map(|tick| tick.label.chars().count()).max().unwrap_or_default();
        Some(html! {
            div class="chart" {
                p { (self.y) }
                svg role="img" style={ "--labels:" (longest) "ch" } {
                    title { (self.title) }
                    @for Tick { position, label, class } in &across {
                        @let x = percent(area.across(*position));
                        g class=[class] {
                            line class="grid" x1=(x) x2=(x) y2="100%" {}
                            text x=(x) y="100%" dy="1.4em" { (label) }
                        }
                    }
                    g class="up" {
                        @for Tick { position, label, .. } in &up {
                            @let y = percent(area.down(*position));
                            line class="grid" x2="100%" y1=(y) y2=(y) {}
                            text x="-8" y=(y) dy="0.35em" { (label) }
                        }
                    }
                    @for layer in &self.layers { (area.layer(layer)) }
                }
                p class="x" { (self.x) }
            }
        })
    }

    /// The plotting area alone, for one of many small charts.
    pub(super) fn small(&self) -> Option<Markup> {
        let area = self.area()?;
        Some(html! {
            svg role="img" {
                title { (self.title) }
                @for layer in &self.layers { (area.layer(layer)) }
            }
        })
    }

    /// The ranges of x and y of all layers, with padding.
    fn area(&self) -> Option<Area> {
        if self.unit {
            return Some(Area { x: [0.0, 1.0], y: [0.0, 1.0] });
        }
        let (mut x, mut y) = (Extent::default(), Extent::default());
        let mut include = |(px, py): (f64, f64)| {
            x.include(px);
            y.include(py);
        };
        for layer in &self.layers {
            match layer {
                Layer::Points(_, points) => points.iter().for_each(|dot| include(dot.at)),
                Layer::Line(_, points) => points.iter().for_each(|point| include(*point)),
                Layer::Reference(ends) => ends.iter().for_each(|end| include(*end)),
                Layer::Bars(_, points) => points.iter().for_each(|(x, y, error)| {
                    include((*x, y - error));
                    include((*x, y + error));
                }),
                Layer::Mark(at) => include((*at, f64::NAN)),
            }
        }
        Some(Area { x: x.padded()?, y: y.padded()? })
    }
}

/// The ends of both axes.
#[derive(Debug, Clone, Copy)]
struct Area {
    x: [f64; 2],
    y: [f64; 2],
}

impl Area {
    /// A position as a fraction of the width.
    fn across(&self, x: f64) -> f64 {
        let [left, right] = self.x;
        (x - left) / (right - left)
    }

    /// A position as a fraction of the height, from the top.
    fn down(&self, y: f64) -> f64 {
        let [low, high] = self.y;
        (high - y) / (high - low)
    }

    fn layer(&self, layer: &Layer) -> Markup {
        let is_finite = |(x, y): (f64, f64)| x.is_finite() && y.is_finite();
        let place = |(x, y): (f64, f64)| (percent(self.across(x)), percent(self.down(y)));
        html! {
            @match layer {
                Layer::Points(series, dots) => g class={ "dots " (series_class(*series)) } {
                    @for dot in dots.iter().filter(|dot| is_finite(dot.at)) {
                        @let (x, y) = place(dot.at);
                        circle cx=(x) cy=(y) r="3" { title { (dot.tooltip) } }
                    }
                },
                // The points of a line cannot be percentages: it is drawn in a square that is stretched.
                Layer::Line(series, points) => svg viewBox={ "0 0 " (STRETCHED) " " (STRETCHED) } preserveAspectRatio="none" {
                    polyline class=(series_class(*series)) points=(self.stretched(points)) {}
                },
                Layer::Reference([from, to]) => {
                    @let ((x1, y1), (x2, y2)) = (place(*from), place(*to));
                    line class="reference" x1=(x1) y1=(y1) x2=(x2) y2=(y2) {}
                }
                Layer::Bars(series, points) => g class=(series_class(*series)) {
                    @for (x, y, error) in points.iter().filter(|(x, y, error)| is_finite((*x, y + error))) {
                        @let ((cx, cy), (_, y1), (_, y2)) = (place((*x, *y)), place((*x, y - error)), place((*x, y + error)));
                        @if *error > 0.0 { line class="interval" x1=(cx) x2=(cx) y1=(y1) y2=(y2) {} }
                        circle cx=(cx) cy=(cy) r="4" {}
                    }
                },
                Layer::Mark(x) => {
                    @let x = percent(self.across(*x));
                    line class="mark" x1=(x) x2=(x) y2="100%" {}
                }
            }
        }
    }

    /// The points of a line in the units of a stretched square.
    fn stretched(&self, points: &[(f64, f64)]) -> String {
        let unit = |fraction: f64| (fraction * STRETCHED).round();
        let points = points.iter().map(|(x, y)| (unit(self.across(*x)), unit(self.down(*y))));
        let points = points.filter(|(x, y)| x.is_finite() && y.is_finite());
        points.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
    }
}

/// The length of the sides of a stretched square: a tenth of a pixel or less on every screen.
const STRETCHED: f64 = 10_000.0;

/// A fraction in percent, to a tenth of a pixel.
fn percent(fraction: f64) -> String {
    format!("{}%", (fraction * 1e4).round() / 100.0)
}

/// The class of the colour of a series in the style sheet.
fn series_class(series: usize) -> String {
    format!("series-{}", series % COLOURS + 1)
}

/// The names of all series, next to their colours.
pub(super) fn legend(names: &[&str]) -> Markup {
    html! {
        span class="legend" {
            @for (series, name) in names.iter().enumerate() {
                span { span class=(series_class(series)) aria-hidden="true" { "●" } " " (name) }
            }
        }
    }
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

/// Names, without their middles if they are too long for a chart: names with the same beginning often differ at their
/// ends. Those that would then be alike are whole.
pub(super) fn shortened(names: &[&str], longest: usize) -> Vec<String> {
    let short: Vec<String> = names.iter().map(|name| without_middle(name, longest)).collect();
    let is_unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    let is_kept = |name: &str, short: &String| short == name || is_unique(short);
    let either = |(name, short): (&&str, &String)| if is_kept(name, short) { short } else { *name }.to_owned();
    names.iter().zip(&short).map(either).collect()
}

fn without_middle(name: &str, longest: usize) -> String {
    let count = name.chars().count();
    if count <= longest {
        return name.to_owned();
    }
    let end = longest / 2;
    let beginning = name.chars().take(longest - 1 - end);
    beginning.chain(['…']).chain(name.chars().skip(count - end)).collect()
}

/// A small histogram for the cell of a table.
pub(super) fn histogram(title: &str, counts: &[u64]) -> Option<Markup> {
    const HEIGHT: f64 = 36.0;
    const BAR: usize = 8;
    let largest = counts.iter().copied().max().filter(|largest| *largest > 0)?;
    let bar = |(i, count): (usize, &u64)| {
        let height = (*count as f64 / largest as f64 * HEIGHT).ceil();
        format!("M{} {HEIGHT}v-{height}h{}v{height}", i * BAR, BAR - 1)
    };
    let bars: String = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect();
    Some(html! {
        svg class="spark" role="img" viewBox={ "0 0 " (counts.len() * BAR) " " (HEIGHT) } preserveAspectRatio="none" {
            title { (title) }
            path class="series-1" d=(bars) {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_includes_the_ends_of_a_reference_line() {
        let dots = [(-1.0, -0.1), (1.0, 0.2)].map(|at| Dot { at, tooltip: String::new() }).to_vec();
        let layers = vec![Layer::Points(0, dots), Layer::Reference([(-2.0, -2.0), (2.0, 2.0)])];
        let area = Chart { layers, ..Chart::default() }.area().unwrap();
        assert!(area.x[0] < -2.0 && area.x[1] > 2.0 && area.y[0] < -2.0 && area.y[1] > 2.0);
    }

    #[test]
    fn a_point_has_a_place_and_a_tooltip_and_one_that_is_not_finite_is_left_out() {
        let dot = |x| Dot { at: (x, 0.25), tooltip: "row 3 <b>".to_owned() };
        let layers = vec![Layer::Points(0, vec![dot(0.5), dot(f64::NAN)])];
        let svg = Chart { title: "t", layers, unit: true, ..Chart::default() }.markup().unwrap().into_string();
        let circle = r#"<circle cx="50%" cy="75%" r="3"><title>row 3 &lt;b&gt;</title></circle>"#;
        assert!(svg.contains(circle) && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn the_label_at_zero_is_zero() {
        let layers = vec![Layer::Line(0, vec![(-1.0, -1.0), (1.0, 1.0)])];
        let svg = Chart { layers, ..Chart::default() }.markup().unwrap().into_string();
        assert!(!svg.contains("e-1") && svg.matches(">0</text>").count() == 2, "{svg}");
    }

    #[test]
    fn long_names_keep_their_beginning_and_their_end() {
        let names = ["office of Aachen", "the office of Aachen", "number of 1 in all rows", "number of 2 in all rows"];
        let expected = ["office of Aachen", "the off…f Aachen", "number of 1 in all rows", "number of 2 in all rows"];
        assert_eq!(shortened(&names, 16), expected);
    }
}
