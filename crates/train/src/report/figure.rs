//! Figures of the page.

use maud::{Markup, Render, html};

/// A chart with a heading and a caption.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    pub(super) heading: &'static str,
    pub(super) svg: Markup,
    pub(super) caption: Markup,
}

impl Render for Figure {
    fn render(&self) -> Markup {
        html! {
            figure {
                h3 { (self.heading) }
                (self.svg)
                figcaption { (self.caption) }
            }
        }
    }
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
