//! Figures of the page.

use maud::{Markup, Render, html};

use super::chart::{Chart, WIDE_WIDTH};

/// A chart with a heading and a caption.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) heading: &'static str,
    pub(super) svg: Markup,
    pub(super) caption: Markup,
}

impl Figure {
    /// Whether the chart was drawn as wide as the page.
    fn is_wide(&self) -> bool {
        self.svg.0.contains(&format!("viewBox=\"0 0 {WIDE_WIDTH} "))
    }
}

impl Render for Figure {
    fn render(&self) -> Markup {
        html! {
            figure class=[self.is_wide().then_some("wide")] {
                h3 { (self.heading) }
                div class="plot" role="region" aria-label=(self.heading) tabindex="0" { (self.svg) }
                figcaption { (self.caption) }
            }
        }
    }
}

/// A chart with a caption of text. None when there is nothing to draw.
pub(super) fn figure(heading: &'static str, chart: &Chart<'_>, caption: impl Into<String>) -> Option<Figure> {
    let caption = caption.into();
    Some(Figure { heading, svg: chart.svg()?, caption: html! { (caption) } })
}

/// Figures side by side.
pub(super) fn figures(figures: &[Figure]) -> Option<Markup> {
    (!figures.is_empty()).then(|| {
        html! {
            div class="figures" {
                @for figure in figures { (figure) }
            }
        }
    })
}
