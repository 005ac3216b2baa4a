"""The templates as SAM translates them: permissions, routes, alarms, metrics, settings. `make validate` runs this."""

import io
import json
import os
import re
import sys
import unittest
from unittest import mock

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # the translator needs a region

from cloudformation import EVERYTHING, ROOT, Stack, accepts, as_list, everything, source, statements, translated

TEMPLATES = ["template.yaml", "rest-api.yaml", "managed-instances.json", "batch.yaml"]

# Settings of the function that Lambda or a platform sets, and the level and format of the log, which are properties.
NOT_PARAMETERS = re.compile(r"AWS_\w+|AIP_\w+|RUST_LOG")

# Another stack or AWS has these.
WITHOUT_DEFAULT = {"FunctionAlias", "CapacityProviderArn", "SourceBucket", ("batch.yaml", "ModelUri")}

# Policies of AWS: the role of CodeDeploy that SAM creates, and the role of API Gateway for access logs.
MANAGED_POLICIES = {
    "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda",
    "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
}

def own_reads(stack):
    return [statement for role, statement in statements(stack)
            if role == "FunctionRole" and as_list(statement["Action"])[0].startswith("s3:")]


class Permissions(unittest.TestCase):
    def test_roles_have_no_other_managed_policies(self):
        for name in TEMPLATES:
            for role in everything(name).resources("AWS::IAM::Role").values():
                self.assertLessEqual(set(role.get("ManagedPolicyArns", [])), MANAGED_POLICIES)
            for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::User"):
                self.assertEqual(everything(name).resources(kind), {})

    def test_the_function_may_read_its_model_in_s3_and_nothing_else(self):
        for path in ["models/line.json", "my.models/a//c.json"]:
            expected = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{path}"}]
            self.assertEqual(own_reads(Stack(ModelUri=f"s3://{path}")), expected)
        read_path = own_reads(Stack(ModelUri="s3://models/a.json", ModelReadPath="models/team/*"))
        self.assertEqual([statement["Resource"] for statement in read_path], ["arn:aws:s3:::models/team/*"])
        # Instances of the version before still read there.
        bundled = own_reads(Stack(ModelReadPath="models/team/*"))
        self.assertEqual(bundled, read_path)

    def test_the_models_of_a_catalog_may_be_listed_and_read(self):
        for uri, arn in [("s3://models/team/", "models/team/*"), ("s3://models/", "models/*")]:
            get, listing = own_reads(Stack(ModelUri=uri))
            self.assertEqual(get, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{arn}"})
            folder = uri.split("/")[3]
            self.assertEqual(listing, {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::models",
                                       "Condition": {"StringLikeIfExists": {"s3:prefix": f"{folder}*"}}})

    def test_without_a_model_in_s3_the_function_may_not_read_from_s3(self):
        for uri in ["", "file:///opt/model.json", "file:///opt/s3/"]:
            self.assertEqual(own_reads(Stack(ModelUri=uri)), [])

    def test_the_own_bucket_may_be_read_also_if_another_model_is_served(self):
        statements = own_reads(Stack(CreateModelBucket="true", ModelUri="s3://models/a.json"))
        self.assertEqual([statement["Resource"] for statement in statements],
                         ["arn:aws:s3:::models/a.json", "<ModelBucket.Arn>/models/*", "<ModelBucket.Arn>"])

    def test_the_own_bucket_is_served_and_its_catalog_may_be_read(self):
        stack = Stack(CreateModelBucket="true")
        self.assertEqual([statement["Resource"] for statement in own_reads(stack)],
                         ["<ModelBucket.Arn>/models/*", "<ModelBucket.Arn>"])
        self.assertEqual(stack.resources()["Function"]["Environment"]["Variables"]["MODEL_URI"],
                         "s3://<ModelBucket>/models/")
        self.assertEqual(stack.outputs()["Catalog"], "s3://<ModelBucket>/models/")

    def test_buckets_are_private_encrypted_versioned_and_kept(self):
        buckets = [(template, *bucket) for template in ["template.yaml", "batch.yaml"]
                   for bucket in everything(template).resources("AWS::S3::Bucket").items()]
        self.assertEqual([name for _, name, _ in buckets], ["ModelBucket", "ModelBucketLogs", "CaptureBucket", "Results"])
        for template, name, bucket in buckets:
            self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True})
            self.assertEqual(bucket["VersioningConfiguration"]["Status"], "Enabled")
            self.assertEqual(bucket["OwnershipControls"]["Rules"], [{"ObjectOwnership": "BucketOwnerEnforced"}])
            self.assertIn("BucketEncryption", bucket)
            resource = translated(template)["Resources"][name]
            self.assertEqual((resource["DeletionPolicy"], resource["UpdateReplacePolicy"]),
                             ("RetainExceptOnCreate", "Retain"))

    def test_nothing_of_captured_requests_is_created_by_default(self):
        self.assertEqual([name for name in Stack().resources() if name.startswith("Capture")], [])
        self.assertNotIn("Captured", Stack().outputs())

    def test_captured_lines_are_delivered_to_a_bucket_that_forgets_them(self):
        stack = Stack(CaptureFraction="0.1", CaptureRedact="name,age", CaptureRetentionDays="30")
        variables = stack.resources()["Function"]["Environment"]["Variables"]
        self.assertEqual((variables["CAPTURE_FRACTION"], variables["CAPTURE_REDACT"]), ("0.1", "name,age"))
        (subscription,) = stack.resources("AWS::Logs::SubscriptionFilter").values()
        self.assertEqual(subscription["FilterPattern"], '{ $.message = "captured" }')
        self.assertEqual((subscription["LogGroupName"], subscription["DestinationArn"]), ("<Logs>", "<CaptureStream.Arn>"))
        (stream,) = stack.resources("AWS::KinesisFirehose::DeliveryStream").values()
        destination = stream["ExtendedS3DestinationConfiguration"]
        self.assertEqual(destination["BucketARN"], "<CaptureBucket.Arn>")
        self.assertEqual(stack.outputs()["Captured"], "s3://<CaptureBucket>/captured/")
        (rule,) = stack.resources()["CaptureBucket"]["LifecycleConfiguration"]["Rules"]
        self.assertEqual(rule["ExpirationInDays"], "30")
        granted = {(role, action): as_list(statement["Resource"]) for role, statement in statements(stack)
                   for action in as_list(statement["Action"])}
        self.assertEqual(granted["CaptureSubscriptionRole", "firehose:PutRecord"], ["<CaptureStream.Arn>"])
        self.assertEqual(granted["CaptureStreamRole", "s3:PutObject"],
                         ["<CaptureBucket.Arn>/captured/*", "<CaptureBucket.Arn>/failed/*"])
        logs = "arn:aws:logs:eu-central-1:123456789012:log-group:<CaptureLogs>:log-stream:<CaptureLogStream>"
        self.assertEqual(granted["CaptureStreamRole", "logs:PutLogEvents"], [logs])
        self.assertNotIn(("FunctionRole", "s3:PutObject"), granted)


class Routes(unittest.TestCase):
    def test_no_route_is_open_unless_chosen_except_for_preflight_requests(self):
        for authorization in ["AWS_IAM", "JWT"]:
            stack = Stack(Authorization=authorization, JwtIssuer="https://issuer", CorsAllowOrigins="*",
                          FunctionUrl="AWS_IAM")
            routes = stack.resources("AWS::ApiGatewayV2::Route")
            open_routes = [route["RouteKey"] for route in routes.values() if route["AuthorizationType"] == "NONE"]
            self.assertEqual(open_routes, ["OPTIONS /{proxy+}"])
            self.assertEqual(routes["AnyRequest"]["AuthorizationType"], authorization)
            self.assertEqual(stack.resources("AWS::Lambda::Url")["Url"]["AuthType"], "AWS_IAM")
            self.assertNotIn("*", [grant["Principal"] for grant in stack.resources("AWS::Lambda::Permission").values()])

    def test_the_default_needs_a_signature_and_has_no_function_url(self):
        stack = Stack()
        routes = stack.resources("AWS::ApiGatewayV2::Route")
        authorizations = {name: route["AuthorizationType"] for name, route in routes.items()}
        self.assertEqual(authorizations, {"AnyRequest": "AWS_IAM"})
        self.assertEqual(stack.resources("AWS::Lambda::Url"), {})

    def test_an_open_api_is_a_choice(self):
        stack = Stack(Authorization="NONE", FunctionUrl="NONE")
        self.assertEqual(stack.resources("AWS::ApiGatewayV2::Route")["AnyRequest"]["AuthorizationType"], "NONE")
        self.assertEqual(stack.resources("AWS::Lambda::Url")["Url"]["AuthType"], "NONE")
        self.assertIn("Call", stack.outputs())

    def test_methods_of_the_rest_api_need_a_key_except_for_preflight_requests(self):
        stack = Stack("rest-api.yaml", FunctionAlias=ALIAS)
        paths = stack.resources("AWS::ApiGateway::RestApi")["Api"]["Body"]["paths"]
        without = [(path, method) for path, methods in paths.items() for method, operation in methods.items()
                   if operation.get("security") != [{"api_key": []}]]
        self.assertEqual(without, [("/{proxy+}", "options")])

    def test_the_time_limit_of_the_function_is_below_that_of_the_apis(self):
        resources = Stack().resources()
        self.assertLess(resources["Function"]["Timeout"] * 1000, resources["Integration"]["TimeoutInMillis"])
        self.assertEqual(resources["Integration"]["PayloadFormatVersion"], "2.0")
        body = Stack("rest-api.yaml", FunctionAlias=ALIAS).resources("AWS::ApiGateway::RestApi")["Api"]["Body"]
        integration = body["paths"]["/"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
        self.assertLess(resources["Function"]["Timeout"] * 1000, integration["timeoutInMillis"])

    def test_callers_reach_the_alias_and_so_do_permissions(self):
        resources = Stack().resources()
        self.assertEqual(resources["Integration"]["IntegrationUri"], "<FunctionAliaslive>")
        self.assertEqual(resources["ApiPermission"]["FunctionName"], "<FunctionAliaslive>")


class Settings(unittest.TestCase):
    def test_each_setting_of_the_function_has_a_parameter(self):
        """The settings are the variables in the table at the top of src/config.rs."""
        table = re.findall(r"^//! \| (`[A-Z].*?) \|", (ROOT / "src/config.rs").read_text(), re.MULTILINE)
        settings = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
        settings = {name for name in settings if not NOT_PARAMETERS.fullmatch(name)}
        variables = source("template.yaml")["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
        self.assertEqual(set(variables), settings)
        for name, value in variables.items():
            self.assertRegex(json.dumps(value), r'"Ref": "[\w:]+"', name)

    def test_all_parameters_have_a_description_a_default_and_a_group(self):
        for name in TEMPLATES:
            template = source(name)
            groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
            grouped = [parameter for group in groups for parameter in group["Parameters"]]
            self.assertEqual(sorted(grouped), sorted(template["Parameters"]))
            for parameter, declared in template["Parameters"].items():
                self.assertTrue(declared["Description"].endswith("."), parameter)
                without = {parameter, (name, parameter)} & WITHOUT_DEFAULT
                self.assertTrue(without or accepts(declared, declared["Default"]), parameter)

    def test_a_uri_that_is_invalid_or_would_grant_more_is_rejected(self):
        parameter = source("template.yaml")["Parameters"]["ModelUri"]
        for uri in ["s3://models/*", "s3://models/line.jso?", "s3://models/${aws:username}", "s3://models/|",
                    "s3://models", "s3:///line.json", "s3://models/s3://others/",
                    "https://models.example.com/line.json", "/opt/model.json"]:
            self.assertFalse(accepts(parameter, uri), uri)

    def test_a_checksum_is_64_hexadecimal_digits(self):
        parameter = source("template.yaml")["Parameters"]["ModelSha256"]
        digits = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        self.assertEqual([accepts(parameter, text) for text in ["", digits, digits.upper(), "e3b0c442"]],
                         [True, True, False, False])

    def test_lambda_writes_json_logs_of_the_chosen_level(self):
        logging = Stack(LogLevel="WARN").resources()["Function"]["LoggingConfig"]
        self.assertEqual((logging["LogFormat"], logging["ApplicationLogLevel"]), ("JSON", "WARN"))


class Alarms(unittest.TestCase):
    """The metrics of the function are those of src/emf.rs."""

    names = set(re.findall(r'(?:count|milliseconds)\("(\w+)"\)|name: "(\w+)"', (ROOT / "src/emf.rs").read_text()))
    names = {name for pair in names for name in pair if name}

    def test_the_metrics_of_alarms_are_written_by_the_function_with_these_dimensions(self):
        seen = set()
        for alarm in Stack().resources("AWS::CloudWatch::Alarm").values():
            queries = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
            for metric in queries or [alarm]:
                if metric["Namespace"] == "Ordinate":
                    self.assertIn(metric["MetricName"], self.names)
                    dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
                    self.assertEqual(dimensions, {"service": "stack", "stage": "production"})
                    seen.add(metric["MetricName"])
        self.assertEqual(seen, {"ServerErrors", "ModelLoadErrors", "ModelRefreshErrors", "Warnings", "Rows"})

    def test_the_function_has_the_dimensions_of_the_alarms(self):
        variables = Stack().resources()["Function"]["Environment"]["Variables"]
        self.assertEqual((variables["POWERTOOLS_SERVICE_NAME"], variables["STAGE"]), ("stack", "production"))

    def test_alarms_do_not_fire_without_data_and_are_sent_to_the_topic(self):
        topic = "arn:aws:sns:eu-central-1:123456789012:alarms"
        for name in TEMPLATES:
            for parameters, actions in [({"AlarmEmail": ""}, None), ({"AlarmTopicArn": topic}, [topic])]:
                for alarm in everything(name, **parameters).resources("AWS::CloudWatch::Alarm").values():
                    self.assertEqual(alarm["TreatMissingData"], "notBreaching")
                    self.assertEqual(alarm.get("AlarmActions"), actions)
                    self.assertTrue(alarm["AlarmDescription"].endswith("."))
        own = Stack(AlarmEmail="a@example.com")
        for alarm in own.resources("AWS::CloudWatch::Alarm").values():
            self.assertEqual(alarm["AlarmActions"], ["<AlarmTopic>"])
        self.assertIn("KmsMasterKeyId", own.resources("AWS::SNS::Topic")["AlarmTopic"])

    def test_the_dashboard_shows_every_metric_of_the_function(self):
        body = Stack().resources("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]
        widgets = json.loads(body)["widgets"]
        rows = [row for widget in widgets for row in widget["properties"].get("metrics", [])]
        shown = {row[1] for row in rows if row[0] == "Ordinate"} | set(re.findall(r'MetricName=\\?"(\w+)', str(rows)))
        self.assertEqual(shown, self.names)

    def test_each_alarm_is_explained(self):
        operations = (ROOT / "docs/OPERATIONS.md").read_text()
        for name in TEMPLATES:
            for alarm in everything(name).resources("AWS::CloudWatch::Alarm"):
                self.assertTrue(f"\n| `{alarm}` |" in operations, alarm)


class Releases(unittest.TestCase):
    def test_a_new_release_sha_publishes_a_version(self):
        versions = [resource for resource in translated("template.yaml")["Resources"].values()
                    if resource["Type"] == "AWS::Lambda::Version"]
        self.assertEqual(len(versions), 1)
        properties = source("template.yaml")["Resources"]["Function"]["Properties"]
        self.assertEqual(properties["AutoPublishCodeSha256"], {"Ref": "ReleaseSha"})

    def test_a_new_release_sha_changes_the_function(self):
        """Lambda publishes no version of a function that is as before: a change of an alarm alone would fail."""
        descriptions = {translated("template.yaml", release_sha=digit * 64)["Resources"]["Function"]["Properties"]
                        ["Description"] for digit in "01"}
        self.assertEqual(len(descriptions), 2)

    def test_a_repair_can_be_deployed_while_alarms_fire(self):
        groups = [Stack(**parameters).resources("AWS::CodeDeploy::DeploymentGroup")["FunctionDeploymentGroup"]
                  for parameters in ({}, {"StopOnAlarm": "false"})]
        alarms = [{"Name": f"<{name}>"} for name in ("FunctionErrors", "ServerErrors", "ModelLoadErrors")]
        self.assertEqual([group["AlarmConfiguration"] for group in groups], [{"Enabled": True, "Alarms": alarms}, {}])

    def test_tokens_need_an_issuer_and_an_audience(self):
        assertions = source("template.yaml")["Rules"]["JwtNeedsItsIssuer"]["Assertions"]
        self.assertEqual([assertion["AssertDescription"].split()[-1] for assertion in assertions],
                         ["JwtIssuer.", "JwtAudience."])

    def test_a_deployment_stops_at_the_alarms_about_the_function(self):
        alias = translated("template.yaml")["Resources"]["FunctionAliaslive"]
        self.assertIn("CodeDeployLambdaAliasUpdate", alias["UpdatePolicy"])
        self.assertIn("BeforeAllowTrafficHook", alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"])

    def test_managed_instances_replace_concurrency_of_lambda(self):
        provider = f"arn:aws:lambda:eu-central-1:{'1' * 12}:capacity-provider:p"
        stack = Stack("managed-instances.json", CapacityProviderArn=provider, ConcurrencyPerEnvironment="32")
        function = stack.resources()["Function"]
        self.assertEqual(function["CapacityProviderConfig"]["LambdaManagedInstancesCapacityProviderConfig"],
                         {"CapacityProviderArn": provider, "PerExecutionEnvironmentMaxConcurrency": "32"})
        self.assertNotIn("ReservedConcurrentExecutions", function)
        self.assertNotIn("ProvisionedConcurrencyConfig", stack.resources()["FunctionAliaslive"])
        self.assertEqual(function["MemorySize"], "2048")
        self.assertEqual(set(source("managed-instances.json")["Resources"]), set(source("template.yaml")["Resources"]))


class ReleaseTest(unittest.TestCase):
    """The program that tests a new version, against answers of a function."""

    code = source("template.yaml")["Resources"]["ReleaseTest"]["Properties"]["InlineCode"]
    working = {"examples": [[1.0], [2.0]]}
    unreleased = (404, {"code": "model_not_found"})

    def works(self, models, answers, ready=200, default="", no_default=False, default_model="", may_be_empty=False):
        """Whether a version works, whose models have these answers to GET /models/NAME and to their predictions."""
        def invoke(FunctionName, Payload):  # noqa: N803, the names of boto3
            event = json.loads(Payload)
            path = event["rawPath"]
            if path == "/models":
                answer = 200, {"models": [{"name": name, "default": name == default} for name in models]}
            elif path == "/health/ready":
                answer = ready, {}
            elif path == "/predict" and no_default:
                answer = 404, {"code": "no_default_model"}
            elif path.endswith("/predict"):
                rows = json.loads(event["body"])["X"]
                name = default if path == "/predict" else path.split("/")[2]
                answer = (200, {"y": [0.0] * len(rows)}) if answers[name] != "broken" else (503, {"code": "failed"})
            else:
                found = answers[path.split("/")[2]]
                answer = found if isinstance(found, tuple) else (200, self.working)
            return {"Payload": io.StringIO(json.dumps({"statusCode": answer[0], "body": json.dumps(answer[1])}))}

        client = mock.Mock(invoke=invoke)
        program = {}
        with mock.patch.dict(sys.modules, {"boto3": mock.Mock(client=lambda _: client)}), \
                mock.patch.dict(os.environ, {"VERSION": "version", "DEFAULT_MODEL": default_model,
                                             "MAY_BE_EMPTY": str(may_be_empty).lower()}):
            exec(compile(self.code, "ReleaseTest", "exec"), program)  # noqa: S102, it is the template's
            try:
                program["test"]({"DeploymentId": "d", "LifecycleEventHookExecutionId": "e"}, None)
            except RuntimeError:
                pass
        status = client.put_lifecycle_event_hook_execution_status.call_args.kwargs["status"]
        return {"Succeeded": True, "Failed": False}[status]

    def test_it_fits_into_the_template(self):
        self.assertLess(len(self.code), 4096)

    def test_the_default_model_must_be_ready_and_predict(self):
        self.assertTrue(self.works(["line"], {"line": "works"}, default="line"))
        self.assertFalse(self.works(["line"], {"line": "works"}, default="line", ready=503))
        self.assertFalse(self.works(["line"], {"line": "broken"}, default="line"))

    def test_models_of_a_catalog_without_a_default_must_predict(self):
        self.assertTrue(self.works(["a", "b"], {"a": "works", "b": "works"}, no_default=True))
        self.assertFalse(self.works(["a", "b"], {"a": "works", "b": "broken"}, no_default=True))
        self.assertTrue(self.works(["a", "b"], {"a": "works", "b": self.unreleased}, no_default=True))
        self.assertFalse(self.works(["a"], {"a": (503, {})}, no_default=True))

    def test_only_the_own_bucket_may_be_empty(self):
        """A prefix with a typing error has no models, and callers would get 404."""
        self.assertTrue(self.works([], {}, no_default=True, may_be_empty=True))
        self.assertFalse(self.works([], {}, no_default=True))
        variables = lambda **parameters: Stack(**parameters).resources()["ReleaseTest"]["Environment"]["Variables"]
        self.assertEqual(variables(CreateModelBucket="true")["MAY_BE_EMPTY"], "true")
        self.assertEqual(variables(CreateModelBucket="true", ModelUri="s3://models/team/")["MAY_BE_EMPTY"], "false")

    def test_a_default_model_that_is_named_must_be_released(self):
        self.assertFalse(self.works(["a"], {"a": "works"}, no_default=True, default_model="b"))
        self.assertEqual(Stack(DefaultModel="b").resources()["ReleaseTest"]["Environment"]["Variables"]["DEFAULT_MODEL"],
                         "b")


ALIAS = "arn:aws:lambda:eu-central-1:123456789012:function:stack-Function-1:live"

if __name__ == "__main__":
    unittest.main()
