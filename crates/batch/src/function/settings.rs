//! The settings of the batch function.

use ordinate::config::{ConfigError, Environment};
use ordinate::source::{ModelUri, ObjectLocation};
use ordinate_table::{Encoding, FileOptions};

use crate::columns::{Columns, PREDICTION};
use crate::run::BEGINNING;

/// The bytes of a part of a large object, and of Parquet in temporary storage, unless the environment says others.
const PART_BYTES: u64 = 128 << 20;
const SPOOL_BYTES: u64 = 400 << 20;

/// The environment of the function, apart from the model and the log.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// The prefix of outputs.
    pub output: ObjectLocation,
    /// The columns that are added.
    pub columns: Columns,
    /// How text files are read.
    pub options: FileOptions,
    /// The bytes of a part of a large object.
    pub part_bytes: u64,
    /// The most bytes of a Parquet object.
    pub spool_bytes: u64,
    /// The threads that predict.
    pub threads: usize,
    /// The prefix of captured requests, with a folder for each day.
    pub captured: Option<ObjectLocation>,
    /// The name of the function, and the least severity of its log, for metrics.
    pub service: String,
    /// See [`service`](Self::service).
    pub log_level: String,
}

/// The memory in megabytes for which Lambda gives one processor.
const MEGABYTES_OF_PROCESSOR: usize = 1769;

impl BatchSettings {
    /// Reads the variables `BATCH_…`.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn read<F: Fn(&str) -> Option<String>>(environment: &Environment<F>) -> Result<Self, ConfigError> {
        let output = |value: &str| match value.parse() {
            Ok(ModelUri::S3Folder(location)) => Ok(location),
            _ => Err("expected s3://bucket/prefix/, with a slash at the end".to_owned()),
        };
        let text = |variable, default: &str| {
            Ok(environment.parse(variable, |value| Ok(value.to_owned()))?.unwrap_or_else(|| default.to_owned()))
        };
        let missing = || ConfigError {
            variable: "BATCH_OUTPUT_URI",
            value: String::new(),
            problem: "expected the prefix of outputs, such as s3://bucket/predictions/".to_owned(),
        };
        let bytes = |variable, least: u64, default| {
            let parse = |value: &str| match value.parse::<u64>() {
                Ok(bytes) if bytes >= least => Ok(bytes),
                _ => Err(format!("expected a whole number of bytes of at least {least}")),
            };
            Ok(environment.parse(variable, parse)?.unwrap_or(default))
        };
        Ok(Self {
            output: environment.parse("BATCH_OUTPUT_URI", output)?.ok_or_else(missing)?,
            columns: columns(environment)?,
            options: FileOptions {
                encoding: environment.parse("BATCH_ENCODING", Encoding::parse)?,
                ..FileOptions::default()
            },
            part_bytes: bytes("BATCH_PART_BYTES", BEGINNING, PART_BYTES)?,
            spool_bytes: bytes("BATCH_SPOOL_BYTES", 1, SPOOL_BYTES)?,
            captured: environment.parse("BATCH_CAPTURED_URI", output)?,
            service: text("AWS_LAMBDA_FUNCTION_NAME", "batch")?,
            // Trace and debug lines are not written for others.
            log_level: text("AWS_LAMBDA_LOG_LEVEL", "INFO")?,
            threads: threads(environment)?,
        })
    }
}

/// The columns that are added.
fn columns<F: Fn(&str) -> Option<String>>(environment: &Environment<F>) -> Result<Columns, ConfigError> {
    let level = |variable| {
        environment.parse(variable, |value: &str| match value.parse::<f64>() {
            Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
            _ => Err("expected a level between 0 and 1, such as 0.95".to_owned()),
        })
    };
    let flag = |variable| {
        let parse = |value: &str| match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("expected true or false".to_owned()),
        };
        Ok(environment.parse(variable, parse)?.unwrap_or(false))
    };
    Ok(Columns {
        prediction: environment
            .parse("BATCH_COLUMN", |name| Ok(name.to_owned()))?
            .unwrap_or_else(|| PREDICTION.to_owned()),
        interval: level("BATCH_INTERVAL")?,
        mean_interval: level("BATCH_MEAN_INTERVAL")?,
        probabilities: flag("BATCH_PROBABILITIES")?,
        explain: flag("BATCH_EXPLAIN")?,
        warnings: flag("BATCH_WARNINGS")?,
    })
}

/// One thread for each processor that the memory of the function includes.
fn threads<F: Fn(&str) -> Option<String>>(environment: &Environment<F>) -> Result<usize, ConfigError> {
    let parse = |megabytes: &str| megabytes.parse::<usize>().map_err(|_| "expected a number of megabytes".to_owned());
    let megabytes = environment.parse("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", parse)?;
    Ok(megabytes.map_or(1, |megabytes| (megabytes / MEGABYTES_OF_PROCESSOR).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<BatchSettings, String> {
        let find =
            |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned());
        BatchSettings::read(&Environment(find)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_columns_and_limits_are_settings() {
        let output = ("BATCH_OUTPUT_URI", "s3://out/predictions/");
        let defaults = read(&[output]).unwrap();
        assert_eq!((defaults.columns, defaults.part_bytes), (Columns::default(), PART_BYTES));
        let all =
            read(&[output, ("BATCH_INTERVAL", "0.9"), ("BATCH_WARNINGS", "true"), ("BATCH_PART_BYTES", "5000000")]);
        let all = all.unwrap();
        assert_eq!((all.columns.interval, all.columns.warnings, all.part_bytes), (Some(0.9), true, 5_000_000));
    }

    #[test]
    fn a_wrong_value_is_one_line_with_its_variable() {
        let output = ("BATCH_OUTPUT_URI", "s3://out/");
        for (variables, expected) in [
            (vec![], "BATCH_OUTPUT_URI: expected the prefix of outputs"),
            (vec![("BATCH_OUTPUT_URI", "s3://out/x")], "BATCH_OUTPUT_URI: expected s3://bucket/prefix/"),
            (vec![output, ("BATCH_INTERVAL", "95")], "BATCH_INTERVAL: expected a level between 0 and 1"),
            (vec![output, ("BATCH_EXPLAIN", "yes")], "BATCH_EXPLAIN: expected true or false, got \"yes\""),
            (vec![output, ("BATCH_PART_BYTES", "5")], "BATCH_PART_BYTES: expected a whole number of bytes of at least"),
        ] {
            let message = read(&variables).unwrap_err();
            assert!(message.starts_with(expected) && !message.contains('\n'), "{message}");
        }
    }
}
