//! `POST …/predict`: predictions with intervals, explanations and probabilities.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::{Serialize, Serializer};
use url::form_urlencoded;

use crate::http::application::App;
use crate::http::decode;
use crate::http::decode::json::{Decoded, Form, Keys, LEVEL};
use crate::http::protocols::model_path::ModelPath;
use crate::http::protocols::output::Output;
use crate::http::protocols::prediction_request::{PredictionRequest, WarningsBody};
use crate::http::server::body::MediaType;
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::query::PARAMETERS;
use ordinate_model::answer::Explanation;
use ordinate_model::answer::IntervalMethod;
use ordinate_model::number::parse_double;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::shorten;
use ordinate_model::{Prediction, Probabilities, Wanted};

/// The keys of a body: `X` and the options.
const KEYS: Keys = Keys { tables: &[("X", Form::Any)], options: &PARAMETERS };

/// The expected value of a switch, for errors.
const SWITCH: &str = "true or false";

/// The options of a prediction.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    /// The level of an interval.
    interval: Option<f64>,
    explain: Option<bool>,
    probabilities: Option<bool>,
}

impl Options {
    fn from_body(decoded: &Decoded<'_, '_>) -> Result<Self, ApiError> {
        let [interval, explain, probabilities] = PARAMETERS;
        Ok(Self {
            interval: decoded.option(interval, LEVEL)?,
            explain: decoded.option(explain, SWITCH)?,
            probabilities: decoded.option(probabilities, SWITCH)?,
        })
    }

    /// The options of the URL, which CSV requests use. Other parameters are ignored.
    fn from_query(query: &str) -> Result<Self, ApiError> {
        let [interval, explain, probabilities] = PARAMETERS;
        let mut options = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if key == interval {
                put(&mut options.interval, &key, parameter(&key, &value, LEVEL, parse_double(&value).ok())?)?;
            } else if key == explain {
                put(&mut options.explain, &key, parameter(&key, &value, SWITCH, value.parse().ok())?)?;
            } else if key == probabilities {
                put(&mut options.probabilities, &key, parameter(&key, &value, SWITCH, value.parse().ok())?)?;
            }
        }
        Ok(options)
    }

    /// The options of the URL and of the body together.
    fn merge(self, other: Self) -> Result<Self, ApiError> {
        let [interval, explain, probabilities] = PARAMETERS;
        Ok(Self {
            interval: either(interval, self.interval, other.interval)?,
            explain: either(explain, self.explain, other.explain)?,
            probabilities: either(probabilities, self.probabilities, other.probabilities)?,
        })
    }
}

/// A parsed parameter of the URL, or an error.
fn parameter<T>(key: &str, text: &str, expected: &str, parsed: Option<T>) -> Result<T, ApiError> {
    parsed.ok_or_else(|| {
        let detail = format!("URL parameter {key:?}: expected {expected}, got {:?}", shorten(text));
        ApiError::new(ErrorCode::InvalidOption, detail)
    })
}

fn put<T>(slot: &mut Option<T>, key: &str, value: T) -> Result<(), ApiError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ApiError::new(ErrorCode::DuplicateKey, format!("URL parameter {key:?}: given more than once"))),
    }
}

fn either<T>(key: &str, in_url: Option<T>, in_body: Option<T>) -> Result<Option<T>, ApiError> {
    if in_url.is_some() && in_body.is_some() {
        let detail = format!("{key:?} is in the URL and in the body; remove one of the two");
        return Err(ApiError::new(ErrorCode::DuplicateKey, detail).of_key(key));
    }
    Ok(in_url.or(in_body))
}

/// The response: `y`, the requested options, and warnings.
#[derive(Serialize)]
struct Predicted<'a> {
    y: &'a Prediction<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<&'a [[f64; 2]]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_interval: Option<&'a [[f64; 2]]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_sets: Option<&'a [Vec<&'a Scalar>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_method: Option<IntervalMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<ByLabel<'a>>,
    #[serde(flatten)]
    warnings: WarningsBody<'a>,
}

/// One object `{label: probability}` per row.
struct ByLabel<'a>(&'a Probabilities<'a>);

impl Serialize for ByLabel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = |row| RowByLabel { classes: self.0.classes, row };
        serializer.collect_seq(self.0.rows().map(row))
    }
}

struct RowByLabel<'a> {
    classes: &'a [Scalar],
    row: &'a [f64],
}

impl Serialize for RowByLabel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.classes.iter().map(ToString::to_string).zip(self.row))
    }
}

/// `POST /predict`, `POST /models/{name}[/versions/{version}]/predict`
pub(crate) async fn predict(State(application): App, path: ModelPath, request: Request) -> Result<Response, ApiError> {
    let media_type = MediaType::from_headers(request.headers(), "application/json or text/csv");
    let in_url = Options::from_query(request.uri().query().unwrap_or_default());
    let mut prediction = PredictionRequest::open(&application, &path, request).await?;
    let (model, body) = (prediction.model.clone(), prediction.body.clone());
    let (frame, in_body) = match media_type?.of(&body) {
        MediaType::Json => {
            let decoded = decode::json::read(&body, &KEYS, prediction.terms(&model))
                .map_err(|error| decode::csv::advise_content_type(error, &body, model.signature()))?;
            let options = Options::from_body(&decoded)?;
            (decoded.frame, options)
        }
        MediaType::Csv(header) => {
            let (frame, _) = decode::csv::read(&body, prediction.terms(&model), header.or_present())?;
            (frame, Options::default())
        }
        MediaType::JsonLines | MediaType::Octets => {
            let detail =
                "this route does not support JSON Lines; send application/json or text/csv, or use /invocations";
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail));
        }
    };
    let options = in_url?.merge(in_body)?;
    let with_place = |error: ApiError, key, in_body: bool| if in_body { error.of_key(key) } else { error };
    prediction.end_stage("decode");
    let wants_probabilities = options.probabilities == Some(true);
    if wants_probabilities && model.classes().is_none() {
        let detail = format!("the model {:?} is a regressor and has no probabilities", model.name());
        let error = ApiError::new(ErrorCode::UnknownOutput, detail);
        return Err(with_place(error, "probabilities", in_body.probabilities.is_some()));
    }
    let mut wanted = Wanted { explanation: options.explain == Some(true), ..Wanted::default() };
    if let Some(level) = options.interval {
        Output::at_level(&model, level).add_to(&mut wanted);
        wanted.mean_interval = wanted.interval.filter(|_| model.has_mean_intervals());
    }
    let answer = prediction.answer(&model, &frame, wanted);
    let answer = answer.map_err(|error| {
        let of_level =
            matches!(error.code, ErrorCode::NoInterval | ErrorCode::InvalidOption | ErrorCode::IntervalOverflow);
        if of_level { with_place(error, "interval", in_body.interval.is_some()) } else { error }
    })?;
    let predicted = Predicted {
        y: &answer.prediction,
        interval: answer.intervals.as_deref(),
        mean_interval: answer.mean_intervals.as_deref(),
        prediction_sets: answer.prediction_sets.as_deref(),
        interval_method: answer.interval_method,
        explanation: answer.explanation.as_ref(),
        probabilities: answer.probabilities.as_ref().filter(|_| wants_probabilities).map(ByLabel),
        warnings: WarningsBody::new(&answer),
    };
    prediction.json(frame.rows(), &predicted)
}
