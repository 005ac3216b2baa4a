//! `template.yaml`: its validity, and the permissions in the `CloudFormation` template that SAM translates it to.

use rstest::rstest;
use serde_json::{Value, json};
use std::process::{Command, Output};
use std::sync::LazyLock;

use ordinate_test_support::{root, tool};

/// Prints the `CloudFormation` template that SAM deploys, with a made-up location of the code.
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
fn make_validate_succeeds() {
    let _ = tool("bin/sam");
    printed(Command::new("make").arg("validate"));
}

#[rstest]
#[case::one_object("s3://models/line.json", "arn:aws:s3:::models/line.json")]
#[case::deep_key("s3://my.models/a/b//c.json", "arn:aws:s3:::my.models/a/b//c.json")]
#[case::prefix("s3://models/team/", "arn:aws:s3:::models/team/*")]
#[case::whole_bucket("s3://models/", "arn:aws:s3:::models/*")]
fn the_function_may_read_its_model_in_s3_and_nothing_else(#[case] uri: &str, #[case] arn: &str) {
    let statements = Stack::with_model(uri).own_statements();
    assert_eq!(statements, [json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": arn})]);
}

#[rstest]
#[case::bundled("")]
#[case::file("file:///opt/model.json")]
#[case::directory("file:///opt/s3/")]
fn without_a_model_in_s3_the_function_may_not_read_from_s3(#[case] uri: &str) {
    assert_eq!(Stack::with_model(uri).own_statements(), Vec::<Value>::new());
}

#[test]
fn the_only_other_permission_is_to_write_logs() {
    let stack = Stack::with_model("s3://models/line.json");
    let role = &stack.template["Resources"]["FunctionRole"]["Properties"];
    assert_eq!(role["ManagedPolicyArns"], json!(["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]));
    assert!(role["Policies"].is_null());
}

#[rstest]
#[case::any_object("s3://models/*")]
#[case::any_character("s3://models/line.jso?")]
#[case::policy_variable("s3://models/${aws:username}")]
#[case::separator_of_the_template("s3://models/|")]
#[case::no_key("s3://models")]
#[case::no_bucket("s3:///line.json")]
#[case::scheme_twice("s3://models/s3://others/")]
#[case::over_the_network("https://models.example.com/line.json")]
#[case::path("/opt/model.json")]
fn a_uri_that_is_invalid_or_would_grant_more_is_rejected(#[case] uri: &str) {
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
fn the_function_has_the_settings_of_model_and_log() {
    let stack = Stack::with_model("s3://models/line.json");
    let function = stack.resolve(&stack.template["Resources"]["Function"]["Properties"]);
    assert_eq!(function["Runtime"], "provided.al2023");
    assert_eq!(function["Architectures"], json!(["x86_64"]));
    assert_eq!(function["Environment"]["Variables"], json!({"MODEL_URI": "s3://models/line.json", "MODEL_SHA256": ""}));
    // Lambda sets AWS_LAMBDA_LOG_FORMAT and AWS_LAMBDA_LOG_LEVEL to these values.
    assert_eq!(function["LoggingConfig"]["LogFormat"], "JSON");
    assert_eq!(function["LoggingConfig"]["ApplicationLogLevel"], "INFO");
}

#[test]
fn the_timeout_of_the_function_is_shorter_than_that_of_the_api() {
    let stack = Stack::with_model("");
    let function = stack.template["Resources"]["Function"]["Properties"]["Timeout"].as_u64().unwrap();
    let routes = stack.template["Resources"]["Api"]["Properties"]["Body"]["paths"].as_object().unwrap();
    // One route for all methods and paths.
    assert_eq!(routes.keys().collect::<Vec<_>>(), ["$default"]);
    let integration = &routes["$default"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"];
    assert!(function * 1000 < integration["timeoutInMillis"].as_u64().unwrap());
    // The format of `events/v2*.json`.
    assert_eq!(integration["payloadFormatVersion"], "2.0");
}

/// The translated template with values of its parameters.
struct Stack {
    template: &'static Value,
    parameters: Value,
}

impl Stack {
    /// The default values of all parameters except for `ModelUri`.
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

    /// Whether a parameter accepts this value.
    fn accepts(parameter: &str, value: &str) -> bool {
        let pattern = translated()["Parameters"][parameter]["AllowedPattern"].as_str().unwrap().to_owned();
        let script = "import re, sys; print(re.fullmatch(sys.argv[1], sys.argv[2]) is not None)";
        printed(Command::new(tool("bin/python")).args(["-c", script, &pattern, value])).trim() == "True"
    }

    /// The statements of the policies whose condition is true, without those that AWS manages.
    fn own_statements(&self) -> Vec<Value> {
        let resources = self.template["Resources"].as_object().unwrap().values();
        resources
            .filter(|resource| resource["Type"] == "AWS::IAM::Policy")
            .filter(|resource| resource["Condition"].as_str().is_none_or(|condition| self.is_true(condition)))
            .inspect(|policy| assert_eq!(policy["Properties"]["Roles"], json!([{"Ref": "FunctionRole"}])))
            .flat_map(|policy| {
                self.resolve(&policy["Properties"]["PolicyDocument"]["Statement"]).as_array().unwrap().clone()
            })
            .collect()
    }

    fn is_true(&self, condition: &str) -> bool {
        let sides = self.resolve(&self.template["Conditions"][condition]["Fn::Equals"]);
        sides[0] == sides[1]
    }

    /// A value after evaluation of the `CloudFormation` functions that this template uses; others are not evaluated.
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
            // A reference to a resource is not evaluated.
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

/// The translated template. The translation takes a second, so it runs once.
fn translated() -> &'static Value {
    static TRANSLATED: LazyLock<Value> = LazyLock::new(|| {
        let output = printed(Command::new(tool("bin/python")).args(["-c", TRANSLATE]));
        serde_json::from_str(&output).unwrap()
    });
    &TRANSLATED
}

/// The standard output of a command in the root of the repository.
///
/// # Panics
/// If it fails, with its output.
fn printed(command: &mut Command) -> String {
    // The translator needs a region.
    let command = command.current_dir(root()).env("AWS_DEFAULT_REGION", "eu-central-1");
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}:\n{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
