//! `POST …/predict`: predictions with intervals, explanations and probabilities.

use axum::extract::{Request, State};
use axum::response::Response;
use url::form_urlencoded;

use crate::http::application::App;
use crate::http::decode;
use crate::http::decode::json::{Form, Keys, LEVEL};
use crate::http::protocols::model_path::ModelPath;
use crate::http::protocols::predicted::{Options, Predicted, SWITCH};
use crate::http::protocols::prediction_request::PredictionRequest;
use crate::http::server::body::MediaType;
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::query::{self, PARAMETERS, put};
use ordinate_model::number::parse_double;
use ordinate_model::wording::shorten;

/// The keys of a body: `X` and the options.
const KEYS: Keys = Keys::new(&[("X", Form::Any)], &PARAMETERS);

impl Options {
    /// The options of the URL, which CSV requests use.
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
            } else {
                return Err(query::unknown(&key, PARAMETERS));
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

fn either<T>(key: &str, in_url: Option<T>, in_body: Option<T>) -> Result<Option<T>, ApiError> {
    if in_url.is_some() && in_body.is_some() {
        let detail = format!("{key:?} is in the URL and in the body; remove one of the two");
        return Err(ApiError::new(ErrorCode::DuplicateKey, detail).of_key(key));
    }
    Ok(in_url.or(in_body))
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
        other => {
            let what = if other == MediaType::Npy { "arrays of numpy" } else { "JSON Lines" };
            let detail =
                format!("this route does not support {what}; send application/json or text/csv, or use /invocations");
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail));
        }
    };
    let options = in_url?.merge(in_body)?;
    let with_place = |error: ApiError, key, in_body: bool| if in_body { error.of_key(key) } else { error };
    prediction.end_stage("decode");
    let wanted =
        options.wanted(&model).map_err(|error| with_place(error, "probabilities", in_body.probabilities.is_some()))?;
    let answer = prediction.answer(&model, &frame, wanted);
    let answer = answer.map_err(|error| {
        let of_level =
            matches!(error.code, ErrorCode::NoInterval | ErrorCode::InvalidOption | ErrorCode::IntervalOverflow);
        if of_level { with_place(error, "interval", in_body.interval.is_some()) } else { error }
    })?;
    prediction.json(frame.rows(), &Predicted::new(&answer, options))
}
