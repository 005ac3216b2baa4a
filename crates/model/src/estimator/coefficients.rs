//! Reading coefficients, in as much memory as they take: what serde derives for an enum with a tag reads all members into
//! a general form first, which takes four times as much.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Coefficients, LinearCoefficients, LogisticCoefficients};
use crate::scalar::Scalar;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Family {
    Linear,
    Ridge,
    Lasso,
    ElasticNet,
    Logistic,
    Poisson,
    Gamma,
}

/// The members of all families.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Members {
    family: Family,
    #[serde(default)]
    intercept: Option<f64>,
    #[serde(default)]
    classes: Option<Vec<Scalar>>,
    #[serde(default)]
    intercepts: Option<Vec<f64>>,
    coefficients: Named,
}

/// Coefficients by unique names: numbers or lists, of which one is empty.
#[derive(Default)]
struct Named {
    numbers: IndexMap<String, f64>,
    lists: IndexMap<String, Vec<f64>>,
}

/// A coefficient of a regressor, or those of a classifier.
enum Coefficient {
    Number(f64),
    List(Vec<f64>),
}

impl<'de> Deserialize<'de> for Coefficients {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Members::deserialize(deserializer)?;
        let regressor: fn(LinearCoefficients) -> Self = match members.family {
            Family::Logistic => return members.classifier().map(Self::Logistic),
            Family::Linear => Self::Linear,
            Family::Ridge => Self::Ridge,
            Family::Lasso => Self::Lasso,
            Family::ElasticNet => Self::ElasticNet,
            Family::Poisson => Self::Poisson,
            Family::Gamma => Self::Gamma,
        };
        members.regressor().map(regressor)
    }
}

impl Members {
    fn regressor<E: Error>(self) -> Result<LinearCoefficients, E> {
        let Named { numbers, lists } = self.coefficients;
        let intercept = self.intercept.ok_or_else(|| E::missing_field("intercept"))?;
        if self.classes.is_some() || self.intercepts.is_some() || !lists.is_empty() {
            return Err(E::custom("expected one intercept and one number a column for a regressor, got lists"));
        }
        Ok(LinearCoefficients { intercept, coefficients: numbers })
    }

    fn classifier<E: Error>(self) -> Result<LogisticCoefficients, E> {
        let Named { numbers, lists } = self.coefficients;
        let classes = self.classes.ok_or_else(|| E::missing_field("classes"))?;
        let intercepts = self.intercepts.ok_or_else(|| E::missing_field("intercepts"))?;
        if self.intercept.is_some() || !numbers.is_empty() {
            return Err(E::custom("expected intercepts and one list of numbers a column for a classifier"));
        }
        Ok(LogisticCoefficients { classes, intercepts, coefficients: lists })
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueNames;

        impl<'de> Visitor<'de> for UniqueNames {
            type Value = Named;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object with unique names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
                let Named { mut numbers, mut lists } = Named::default();
                let mut length = 0;
                while let Some(name) = map.next_key::<String>()? {
                    let value = map.next_value_seed(NumberOrList { length })?;
                    // serde would silently keep the last of several.
                    if numbers.contains_key(&name) || lists.contains_key(&name) {
                        return Err(Error::custom(format!("the name {name:?} appears twice")));
                    }
                    match value {
                        Coefficient::Number(number) => drop(numbers.insert(name, number)),
                        Coefficient::List(list) => {
                            length = list.len();
                            lists.insert(name, list);
                        }
                    }
                }
                Ok(Named { numbers, lists })
            }
        }

        deserializer.deserialize_map(UniqueNames)
    }
}

/// Reads a coefficient. All lists have the length of the first, for which there is room from the start: room that grows
/// leaves unused memory behind.
struct NumberOrList {
    length: usize,
}

impl<'de> DeserializeSeed<'de> for NumberOrList {
    type Value = Coefficient;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Coefficient, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NumberOrList {
    type Value = Coefficient;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number or a list of numbers")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Coefficient, E> {
        Ok(Coefficient::Number(number))
    }

    // Whole numbers of JSON; digits beyond 2⁵³ are rounded as in any other number.
    #[expect(clippy::cast_precision_loss)]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Coefficient, E> {
        Ok(Coefficient::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss)]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Coefficient, E> {
        Ok(Coefficient::Number(number as f64))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Coefficient, A::Error> {
        let mut list = Vec::with_capacity(self.length);
        while let Some(number) = numbers.next_element()? {
            list.push(number);
        }
        list.shrink_to_fit();
        Ok(Coefficient::List(list))
    }
}
