//! Figures of the page.

use maud::{Markup, Render, html};

use super::chart::Chart;

/// A chart with a heading and a caption.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) heading: &'static str,
    pub(super) chart: Markup,
    pub(super) caption: Markup,
}

impl Render for Figure {
    fn render(&self) -> Markup {
        html! {
            figure {
                h3 { (self.heading) }
                (self.chart)
                figcaption { (self.caption) }
            }
        }
    }
}

/// A chart with a caption of text. None when there is nothing to draw.
pub(super) fn figure(heading: &'static str, chart: &Chart<'_>, caption: impl Into<String>) -> Option<Figure> {
    let caption = caption.into();
    Some(Figure { heading, chart: chart.markup()?, caption: html! { (caption) } })
}

/// Figures side by side; the last of an odd number is as wide as the page.
pub(super) fn figures(figures: &[Figure]) -> Option<Markup> {
    (!figures.is_empty()).then(|| {
        html! {
            div class="figures" {
                @for figure in figures { (figure) }
            }
        }
    })
}
