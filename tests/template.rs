//! `template.yaml` is sound, and grants what it should and nothing else: checked on the `CloudFormation` that SAM makes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use rstest::rstest;
use serde_json::{Value, json};
use std::process::{Command, Output};
use support::{root, tool};

/// Prints the template as the `CloudFormation` that SAM deploys. The code's place is made up: it is not built here.
const TRANSLATE: &str = r#"
import json
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse
template = yaml_parse(open("template.yaml"))
template["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://code/bootstrap.zip"
print(json.dumps(Translator({}, Parser()).translate(template, {})))
"#;

#[test]
fn make_validate_finds_nothing_to_say() {
    let _ = tool("bin/sam");
    printed(Command::new("make").arg("validate"));
}

#[rstest]
#[case::one_object("s3://models/line.json", "arn:aws:s3:::models/line.json")]
#[case::deep_key("s3://my.models/a/b//c.json", "arn:aws:s3:::my.models/a/b//c.json")]
#[case::prefix("s3://models/team/", "arn:aws:s3:::models/team/*")]
#[case::whole_bucket("s3://models/", "arn:aws:s3:::models/*")]
fn a_model_in_s3_is_all_that_the_function_may_read(#[case] uri: &str, #[case] arn: &str) {
    let statements = Stack::with_model(uri).own_statements();
    assert_eq!(statements, [json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": arn})]);
}

#[rstest]
#[case::bundled("")]
#[case::file("file:///opt/model.json")]
#[case::directory("file:///opt/s3/")]
fn without_a_model_in_s3_the_function_may_read_nothing(#[case] uri: &str) {
    assert_eq!(Stack::with_model(uri).own_statements(), Vec::<Value>::new());
}

#[test]
fn beside_that_the_function_may_only_write_its_log() {
    let stack = Stack::with_model("s3://models/line.json");
    let role = &stack.template["Resources"]["FunctionRole"]["Properties"];
    assert_eq!(role["ManagedPolicyArns"], json!(["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]));
    assert!(role["Policies"].is_null());
}

#[rstest]
#[case::any_object("s3://models/*")]
#[case::any_character("s3://models/line.jso?")]
#[case::policy_variable("s3://models/${aws:username}")]
#[case::mark_of_the_end("s3://models/|")]
#[case::no_key("s3://models")]
#[case::no_bucket("s3:///line.json")]
#[case::scheme_twice("s3://models/s3://others/")]
#[case::over_the_network("https://models.example.com/line.json")]
#[case::path("/opt/model.json")]
fn a_uri_that_would_grant_more_or_mean_nothing_is_refused(#[case] uri: &str) {
    assert!(!Stack::accepts("ModelUri", uri));
}

#[rstest]
#[case::none("", true)]
#[case::checksum("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true)]
#[case::upper_case("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", false)]
#[case::short("e3b0c442", false)]
fn a_checksum_is_64_hexadecimal_digits(#[case] checksum: &str, #[case] accepted: bool) {
    assert_eq!(Stack::accepts("ModelSha256", checksum), accepted);
}

#[test]
fn the_function_is_told_where_the_model_is_and_how_to_log() {
    let stack = Stack::with_model("s3://models/line.json");
    let function = stack.resolve(&stack.template["Resources"]["Function"]["Properties"]);
    assert_eq!(function["Runtime"], "provided.al2023");
    assert_eq!(function["Architectures"], json!(["x86_64"]));
    assert_eq!(function["Environment"]["Variables"], json!({"MODEL_URI": "s3://models/line.json", "MODEL_SHA256": ""}));
    // Lambda hands these to the function as AWS_LAMBDA_LOG_FORMAT and AWS_LAMBDA_LOG_LEVEL.
    assert_eq!(function["LoggingConfig"]["LogFormat"], "JSON");
    assert_eq!(function["LoggingConfig"]["ApplicationLogLevel"], "INFO");
}

#[test]
fn the_function_gives_up_before_the_api_does() {
    let stack = Stack::with_model("");
    let function = stack.template["Resources"]["Function"]["Properties"]["Timeout"].as_u64().unwrap();
    let routes = stack.template["Resources"]["Api"]["Properties"]["Body"]["paths"].as_object().unwrap();
    // One route takes every method and path.
    assert_eq!(routes.keys().collect::<Vec<_>>(), ["$default"]);
    let integration = &routes["$default"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"];
    assert!(function * 1000 < integration["timeoutInMillis"].as_u64().unwrap());
    // Events in this format are what `events/v2*.json` hold.
    assert_eq!(integration["payloadFormatVersion"], "2.0");
}

/// The template as `CloudFormation` reads it, with the parameters chosen.
struct Stack {
    template: Value,
    parameters: Value,
}

impl Stack {
    /// All parameters at their defaults but one.
    fn with_model(uri: &str) -> Stack {
        assert!(Stack::accepts("ModelUri", uri), "{uri}");
        let template = translated();
        let mut parameters = json!({"AWS::Partition": "aws"});
        for (name, parameter) in template["Parameters"].as_object().unwrap() {
            parameters[name] = parameter["Default"].clone();
        }
        parameters["ModelUri"] = json!(uri);
        Stack { template, parameters }
    }

    /// Whether a parameter may have this value.
    fn accepts(parameter: &str, value: &str) -> bool {
        let pattern = translated()["Parameters"][parameter]["AllowedPattern"].as_str().unwrap().to_owned();
        let script = "import re, sys; print(re.fullmatch(sys.argv[1], sys.argv[2]) is not None)";
        printed(Command::new(tool("bin/python")).args(["-c", script, &pattern, value])).trim() == "True"
    }

    /// What the policies that are really made say, those that AWS manages aside.
    fn own_statements(&self) -> Vec<Value> {
        let resources = self.template["Resources"].as_object().unwrap().values();
        resources
            .filter(|resource| resource["Type"] == "AWS::IAM::Policy")
            .filter(|resource| resource["Condition"].as_str().is_none_or(|condition| self.holds(condition)))
            .inspect(|policy| assert_eq!(policy["Properties"]["Roles"], json!([{"Ref": "FunctionRole"}])))
            .flat_map(|policy| {
                self.resolve(&policy["Properties"]["PolicyDocument"]["Statement"]).as_array().unwrap().clone()
            })
            .collect()
    }

    fn holds(&self, condition: &str) -> bool {
        let sides = self.resolve(&self.template["Conditions"][condition]["Fn::Equals"]);
        sides[0] == sides[1]
    }

    /// A value with `CloudFormation`'s functions carried out, as far as this template uses them; others stay as they are.
    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|value| self.resolve(value)).collect(),
            Value::Object(fields) => {
                let call = fields.iter().next().filter(|_| fields.len() == 1);
                call.and_then(|(function, argument)| self.call(function, argument))
                    .unwrap_or_else(|| fields.iter().map(|(name, value)| (name.clone(), self.resolve(value))).collect())
            }
            plain => plain.clone(),
        }
    }

    fn call(&self, function: &str, argument: &Value) -> Option<Value> {
        let argument = self.resolve(argument);
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{function} of {value}")).to_owned();
        match function {
            // A reference to a resource, not to a parameter, stays.
            "Ref" => self.parameters.get(text(&argument)).cloned(),
            "Fn::Sub" => {
                let parameters = self.parameters.as_object().unwrap().iter();
                let replaced = parameters.fold(text(&argument), |sum, (name, value)| match value.as_str() {
                    Some(value) => sum.replace(&format!("${{{name}}}"), value),
                    None => sum,
                });
                Some(json!(replaced))
            }
            "Fn::Select" => Some(argument[1][usize::try_from(argument[0].as_u64()?).ok()?].clone()),
            "Fn::Split" => Some(text(&argument[1]).split(&text(&argument[0])).collect()),
            "Fn::Join" => {
                let parts: Vec<String> = argument[1].as_array()?.iter().map(text).collect();
                Some(json!(parts.join(&text(&argument[0]))))
            }
            _ => None,
        }
    }
}

fn translated() -> Value {
    let output = printed(Command::new(tool("bin/python")).args(["-c", TRANSLATE]));
    serde_json::from_str(&output).unwrap()
}

/// What a command prints in the repository's root.
///
/// # Panics
/// When it fails; shows why.
fn printed(command: &mut Command) -> String {
    // The translator wants to know a region, any region.
    let command = command.current_dir(root()).env("AWS_DEFAULT_REGION", "eu-central-1");
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}:\n{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
