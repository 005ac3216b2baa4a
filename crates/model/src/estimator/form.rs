//! smartcore's serialised form of an estimator, in as much memory as its numbers take.

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// A value that smartcore deserializes.
#[derive(Debug)]
pub(super) enum Form {
    Null,
    Flag(bool),
    Count(usize),
    Number(f64),
    Numbers(Vec<f64>),
    Counts(Vec<u32>),
    Object(Vec<(&'static str, Form)>),
}

impl Form {
    /// A matrix, from its values column by column.
    pub(super) fn matrix(rows: usize, values: Vec<f64>) -> Self {
        let columns = values.len().checked_div(rows).unwrap_or(0);
        Self::Object(vec![
            ("ncols", Self::Count(columns)),
            ("nrows", Self::Count(rows)),
            ("values", Self::Numbers(values)),
            ("column_major", Self::Flag(true)),
        ])
    }

    /// The estimator of this form.
    pub(super) fn build<E: DeserializeOwned>(self) -> Result<E, String> {
        E::deserialize(self).map_err(|error| format!("smartcore rejected the coefficients: {error}"))
    }
}

impl IntoDeserializer<'_, Error> for Form {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Form {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Flag(flag) => visitor.visit_bool(flag),
            Self::Count(count) => visitor.visit_u64(u64::try_from(count).unwrap_or(u64::MAX)),
            Self::Number(number) => visitor.visit_f64(number),
            Self::Numbers(numbers) => visitor.visit_seq(SeqDeserializer::new(numbers.into_iter())),
            Self::Counts(counts) => visitor.visit_seq(SeqDeserializer::new(counts.into_iter())),
            Self::Object(members) => visitor.visit_map(MapDeserializer::new(members.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
