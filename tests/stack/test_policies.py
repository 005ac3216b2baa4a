"""Who may do what in all templates: wildcards, sources of requests, encrypted connections, keys. `make validate` runs
this."""

import os
import unittest

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # the translator needs a region

from cloudformation import EVERYTHING, Stack, as_list, everything, resource_statements, statements

TEMPLATES = ["template.yaml", "rest-api.yaml", "managed-instances.json", "batch.yaml"]

# Actions that have no resources (Service Authorization Reference).
WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}

# Services that name the account for which they assume a role. For Lambda, API Gateway and CodeDeploy, AWS documents none.
NAME_THE_ACCOUNT = {"firehose.amazonaws.com", "logs.amazonaws.com", "scheduler.amazonaws.com", "states.amazonaws.com"}

# Prefixes of buckets and log streams, versions of the function, deployment groups of this stack's application, executions
# of its state machine.
WILDCARDS = [r"arn:aws:s3:::[^*]+/\*", r"<ModelBucket.Arn>/models/\*", r"<CaptureBucket.Arn>/(captured|failed)/\*",
             r"<Function.Arn>:\*", r"<Results.Arn>/predictions/(_plans/)?\*", r".*<ServerlessDeploymentApplication>/\*",
             r"arn:aws:states:.*:execution:<StateMachine.Name>(/Items)?:\*"]


def stacks():
    needed = {"batch.yaml": {key: EVERYTHING[key] for key in ("SourceBucket", "ModelUri")}}
    for name in TEMPLATES:
        yield name, Stack(name, **needed.get(name, {}))
        yield name, everything(name)
        yield name, everything(name, ModelUri="s3://models/price.json")


class Policies(unittest.TestCase):
    def test_no_action_and_no_resource_is_a_wildcard_beyond_the_list(self):
        for name, stack in stacks():
            for role, statement in statements(stack):
                for action in as_list(statement["Action"]):
                    self.assertNotIn("*", action, (name, role))
                    if action not in WITHOUT_RESOURCES:
                        self.assertNotIn("*", as_list(statement["Resource"]), (name, role, action))
                for resource in as_list(statement["Resource"]):
                    self.assertRegex(resource, f"^({'|'.join([r'[*]', r'[^*]+', *WILDCARDS])})$", (name, role))

    def test_policies_of_their_own_are_read_too(self):
        """The assertions of this file once saw only those inside of roles."""
        granted = {action for role, statement in statements(everything("batch.yaml")) if role == "StateMachineRole"
                   for action in as_list(statement["Action"])}
        self.assertLessEqual({"lambda:InvokeFunction", "states:StartExecution"}, granted)

    def test_keys_of_a_bucket_are_listed_below_a_prefix_only(self):
        for name, stack in stacks():
            for role, statement in statements(stack):
                if {"s3:ListBucket", "s3:ListBucketMultipartUploads"} & set(as_list(statement["Action"])):
                    self.assertIn("s3:prefix", statement["Condition"]["StringLikeIfExists"], (name, role))

    def test_a_role_is_assumed_for_this_account_only(self):
        for name, stack in stacks():
            for role, properties in stack.resources("AWS::IAM::Role").items():
                for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
                    service, = as_list(statement["Principal"]["Service"])
                    if service in NAME_THE_ACCOUNT:
                        self.assertTrue(names_the_source(statement), (name, role))

    def test_a_service_may_act_for_this_account_only(self):
        """Those are queues, topics, buckets and keys; permissions of a function have an ARN."""
        for name, stack in stacks():
            for policy, statement in resource_statements(stack):
                if statement["Effect"] == "Allow" and "Service" in statement["Principal"]:
                    self.assertTrue(names_the_source(statement), (name, policy))
            for permission in stack.resources("AWS::Lambda::Permission").values():
                self.assertTrue(permission["Principal"] == "*" or is_own(permission["SourceArn"]), name)

    def test_queues_topics_and_buckets_accept_encrypted_connections_only(self):
        places = {"AWS::SQS::Queue": "Queues", "AWS::SNS::Topic": "Topics", "AWS::S3::Bucket": "Bucket"}
        for name, stack in stacks():
            protected = []
            for policy in stack.resources().values():
                for statement in policy["PolicyDocument"]["Statement"] if "PolicyDocument" in policy else []:
                    if statement["Effect"] == "Deny" and "aws:SecureTransport" in str(statement.get("Condition")):
                        for property in places.values():
                            protected += as_list(policy.get(property, []))
            existing = [f"<{resource}>" for kind in places for resource in stack.resources(kind)]
            self.assertEqual(sorted(protected), sorted(existing), name)

    def test_each_queue_has_one_policy(self):
        """A second one would replace the first."""
        for name, stack in stacks():
            queues = [queue for policy in stack.resources("AWS::SQS::QueuePolicy").values() for queue in policy["Queues"]]
            self.assertEqual(len(queues), len(set(queues)), name)

    def test_the_policy_of_a_queue_is_about_this_queue_only(self):
        """SQS rejects other resources, and several in one statement."""
        for name, stack in stacks():
            for policy in stack.resources("AWS::SQS::QueuePolicy").values():
                [queue] = policy["Queues"]
                for statement in policy["PolicyDocument"]["Statement"]:
                    self.assertEqual(statement["Resource"], f"{queue[:-1]}.Arn>", name)

    def test_no_value_is_null(self):
        """CloudFormation rejects null, also in a definition of states."""
        def nulls(value, place):
            children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
            return [place] * (value is None) + [
                found for key, child in children for found in nulls(child, f"{place}/{key}")]
        for name, stack in stacks():
            self.assertEqual(nulls(stack.resources(), name), [])


class Keys(unittest.TestCase):
    """With KmsKeyArn, everything that is stored is encrypted with it, and only by the services that store it."""

    properties = {"AWS::Logs::LogGroup": "KmsKeyId", "AWS::SQS::Queue": "KmsMasterKeyId",
                  "AWS::SNS::Topic": "KmsMasterKeyId"}

    def test_logs_queues_topics_and_buckets_have_the_key(self):
        for name in TEMPLATES:
            stack, key = everything(name), EVERYTHING["KmsKeyArn"]
            for kind, property in self.properties.items():
                for resource, properties in stack.resources(kind).items():
                    self.assertEqual(properties[property], key, (name, resource))
            for bucket, properties in stack.resources("AWS::S3::Bucket").items():
                # S3 delivers its access logs into buckets with a key of S3 only.
                if bucket != "ModelBucketLogs":
                    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
                    self.assertEqual(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"], key, (name, bucket))
            without = everything(name, KmsKeyArn="", AlarmEmail="")
            self.assertNotIn(key, str(without.resources()), name)

    def test_functions_with_settings_have_the_key(self):
        for name in ["template.yaml", "managed-instances.json", "batch.yaml"]:
            self.assertEqual(everything(name).resources()["Function"]["KmsKeyArn"], EVERYTHING["KmsKeyArn"])

    def test_roles_use_the_key_by_the_services_that_encrypt(self):
        granted = {}
        for name, stack in stacks():
            for role, statement in statements(stack):
                if any(action.startswith("kms:") for action in as_list(statement["Action"])):
                    self.assertEqual(statement["Resource"], EVERYTHING["KmsKeyArn"])
                    services = as_list(statement["Condition"]["StringEquals"]["kms:ViaService"])
                    granted[name, role] = sorted(service.split(".")[0] for service in services)
        function = ["lambda", "s3", "sqs"]
        self.assertEqual(granted, {
            ("template.yaml", "FunctionRole"): function, ("template.yaml", "CaptureStreamRole"): ["s3"],
            ("managed-instances.json", "FunctionRole"): function,
            ("managed-instances.json", "CaptureStreamRole"): ["s3"],
            ("batch.yaml", "FunctionRole"): function, ("batch.yaml", "StateMachineRole"): ["s3"]})


def names_the_source(statement):
    """Whether a statement is for requests of one account or one resource."""
    return any(key in operands for operands in statement.get("Condition", {}).values()
               for key in ("aws:SourceAccount", "aws:SourceArn"))


def is_own(arn):
    return ":123456789012:" in arn or arn.startswith("<")


if __name__ == "__main__":
    unittest.main()
