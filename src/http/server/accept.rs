//! Content negotiation: the media types that a client accepts (RFC 9110 §12.5.1).

use http::{HeaderMap, header};

use super::body::essence;

/// The media ranges of `Accept`, each with its weight, in their order.
#[derive(Debug)]
pub(crate) struct Accept(Vec<(String, f32)>);

/// How well a media type is accepted, the better the greater.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Rank {
    /// The weight, from 0 (not accepted) to 1.
    weight: f32,
    /// How specific the range is that gives the weight: 0 for `*/*`, 1 for `text/*`, 2 for `text/csv`.
    specificity: u8,
}

impl Accept {
    /// Reads the header; without it, every type is accepted. Parts that cannot be read are skipped.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges = values.flat_map(|value| value.split(',')).filter_map(|range| {
            let name = essence(range).to_ascii_lowercase();
            name.contains('/').then(|| (name, weight(range)))
        });
        Self(ranges.collect())
    }

    /// The weight of a media type that the header names, and not only by a range such as `*/*`.
    fn names(&self, media_type: &str) -> Option<f32> {
        self.0.iter().find(|(range, _)| range == media_type).map(|(_, weight)| *weight)
    }

    /// The rank of a media type, by the most specific range that it matches.
    fn rank(&self, media_type: &str) -> Rank {
        if self.0.is_empty() {
            return Rank { weight: 1.0, specificity: 0 };
        }
        let family = media_type.split('/').next().unwrap_or_default();
        let ranges = [(2, media_type.to_owned()), (1, format!("{family}/*")), (0, "*/*".to_owned())];
        let mut found = ranges
            .iter()
            .filter_map(|(specificity, range)| Some(Rank { weight: self.names(range)?, specificity: *specificity }));
        found.next().unwrap_or(Rank { weight: 0.0, specificity: 0 })
    }

    /// The offer that the client prefers: the one with the largest weight, then the one that is named most specifically,
    /// then the first. `None` if it accepts none of them.
    pub(crate) fn preferred<T: Copy>(&self, offers: &[(&str, T)]) -> Option<T> {
        let mut best: Option<(Rank, T)> = None;
        for (media_type, offer) in offers {
            let rank = self.rank(media_type);
            if rank.weight > 0.0 && best.is_none_or(|(most, _)| rank > most) {
                best = Some((rank, *offer));
            }
        }
        best.map(|(_, offer)| offer)
    }

    /// Whether the client is a browser that shows a page: it names HTML, and does not prefer JSON. Other clients accept
    /// anything.
    pub(crate) fn prefers_html(&self) -> bool {
        let html = self.names("text/html").unwrap_or(0.0);
        html > 0.0 && html >= self.rank("application/json").weight
    }
}

/// The weight of a media range; 0 if it cannot be read.
fn weight(range: &str) -> f32 {
    let mut parameters = range.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let weight = parameters.find(|(name, _)| name.eq_ignore_ascii_case("q")).map_or("1", |(_, value)| value.trim());
    weight.parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    fn accept(value: &str) -> Accept {
        let value = HeaderValue::from_str(value).unwrap();
        Accept::from_headers(&HeaderMap::from_iter([(header::ACCEPT, value)]))
    }

    const OFFERS: [(&str, &str); 3] = [("application/json", "json"), ("text/csv", "csv"), ("text/html", "html")];

    #[rstest]
    #[case::no_ranges("", Some("json"))]
    #[case::any("*/*", Some("json"))]
    #[case::named("text/csv", Some("csv"))]
    #[case::case("Text/CSV", Some("csv"))]
    #[case::parameters("text/csv; header=absent", Some("csv"))]
    #[case::the_larger_weight("application/json;q=0.5, text/csv;q=0.9", Some("csv"))]
    #[case::without_a_weight_it_is_1("application/json;q=0.9, text/csv", Some("csv"))]
    #[case::of_equal_weight_the_named_one("*/*, text/csv", Some("csv"))]
    #[case::of_equal_weight_the_first("text/csv, application/json", Some("json"))]
    #[case::family("text/*", Some("csv"))]
    #[case::the_most_specific_range_decides("text/*;q=0.9, text/csv;q=0.1, */*;q=0.5", Some("html"))]
    #[case::excluded("*/*, application/json;q=0", Some("csv"))]
    #[case::excluded_family("application/*;q=0, */*;Q=0.1", Some("csv"))]
    #[case::nothing_offered("image/png", None)]
    #[case::all_excluded("*/*;q=0", None)]
    #[case::unreadable_weight("text/csv;q=high", None)]
    #[case::weight_above_1("text/csv;q=2, text/html;q=0.1", Some("html"))]
    fn the_preferred_offer_follows_rfc_9110(#[case] header: &str, #[case] expected: Option<&str>) {
        assert_eq!(accept(header).preferred(&OFFERS), expected, "{header}");
    }

    #[rstest]
    #[case("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    #[case("application/json, text/html", true)]
    #[case("application/json, text/html;q=0.9", false)]
    #[case("text/html;q=0", false)]
    #[case("text/*", false)]
    #[case("*/*", false)]
    #[case("", false)]
    fn only_a_client_that_names_html_is_shown_a_page(#[case] header: &str, #[case] expected: bool) {
        assert_eq!(accept(header).prefers_html(), expected, "{header}");
    }
}
