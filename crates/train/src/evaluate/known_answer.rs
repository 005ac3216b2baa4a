//! Known answers of rows, read from their cells.

use ordinate_model::Model;
use ordinate_model::cell::Cell;
use ordinate_model::family::Family;
use ordinate_model::reading::Reading;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_model::wording::shorten;

/// Reads the known answers of a model's rows.
#[derive(Debug, Clone)]
pub struct KnownAnswers<'m> {
    classes: Option<&'m [Scalar]>,
    family: Option<Family>,
    /// Any number is accepted, whatever its type was at training.
    number: Feature,
}

impl<'m> KnownAnswers<'m> {
    /// The answers of rows of this model.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        let target = model.signature().target();
        let number = Feature { reading: target.reading.clone(), ..Feature::new(&*target.name, FeatureType::Double) };
        Self { classes: model.classes(), family: model.document().estimator.glm_family(), number }
    }

    /// The value, or the position of the class; `None` for a missing answer.
    ///
    /// # Errors
    /// A message with the expected answer, if the cell is not an answer of this model.
    pub fn read(&self, cell: Cell<'_>) -> Result<Option<f64>, String> {
        if let Some(classes) = self.classes {
            return match class(cell, classes, &self.number.reading) {
                // A position among at most a hundred classes.
                #[allow(clippy::cast_precision_loss)]
                Ok(class) => Ok(Some(class as f64)),
                Err(_) if self.number.is_missing(cell) => Ok(None),
                Err(detail) => Err(detail),
            };
        }
        match self.number.accept(cell) {
            Ok(value) => match self.family.filter(|family| !family.has(value)) {
                Some(family) => Err(format!("expected {}, got {value}", family.targets())),
                None => Ok(Some(value)),
            },
            Err(CellError::Missing) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The position of the class in a cell, read by the conventions of the target. As in training, text is not a number,
/// and spaces are part of a class.
///
/// # Errors
/// A message with the expected classes, if the cell is not one of them.
pub fn class(cell: Cell<'_>, classes: &[Scalar], reading: &Reading) -> Result<usize, String> {
    let read = |kind| Feature { reading: reading.clone(), ..Feature::new("", kind) }.accept(cell).ok();
    let (number, boolean) = (read(FeatureType::Double), read(FeatureType::Boolean));
    // Classes are exact doubles.
    #[allow(clippy::cast_precision_loss)]
    let is = |class: &Scalar| match class {
        Scalar::Integer(value) => number == Some(*value as f64),
        Scalar::Number(value) => number == Some(*value),
        Scalar::Boolean(value) => boolean == Some(f64::from(u8::from(*value))),
        other => matches!(cell, Cell::Text(text) | Cell::Field(text) if other.to_string() == text),
    };
    classes.iter().position(is).ok_or_else(|| {
        const LISTED: usize = 8;
        let listed: Vec<String> = classes.iter().take(LISTED).map(|class| shorten(&class.label())).collect();
        let more = if classes.len() > LISTED { ", …" } else { "" };
        format!("expected one of the classes {}{more}, got {cell}", listed.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_as_it_is_in_the_data() {
        let class = |cell: Cell<'_>, classes: &[Scalar]| class(cell, classes, &Reading::default());
        let text = |text: &str| Scalar::Text(text.into());
        let integers = [Scalar::Integer(0), Scalar::Integer(1)];
        assert_eq!(class(Cell::Field("b"), &[text("a"), text("b")]), Ok(1));
        assert_eq!(class(Cell::Field("1.0"), &integers), Ok(1));
        assert_eq!(class(Cell::Integer(1), &integers), Ok(1));
        assert_eq!(class(Cell::Field("true"), &[Scalar::Boolean(false), Scalar::Boolean(true)]), Ok(1));
        assert_eq!(class(Cell::Boolean(true), &[Scalar::Boolean(false), Scalar::Boolean(true)]), Ok(1));
        assert_eq!(
            class(Cell::Field("B"), &[text("a"), text("b")]).unwrap_err(),
            "expected one of the classes a, b, got \"B\""
        );
        for cell in [Cell::Field(""), Cell::Text("1"), Cell::Missing] {
            assert!(class(cell, &integers).is_err(), "{cell:?}");
        }
    }
}
