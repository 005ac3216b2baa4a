"""A template as CloudFormation sees it: translated by SAM, with values of its parameters."""

import functools
import json
import logging
import pathlib
import re
import sys

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
ACCOUNT = "123456789012"
NO_VALUE = object()
logging.disable(logging.WARNING)  # the translator warns about features of its own


@functools.cache
def source(name):
    """The template as it is written, with CloudFormation's functions in their long form."""
    return yaml_parse((ROOT / name).read_text())


@functools.cache
def translated(name, release_sha=""):
    """What SAM deploys, with a made-up location of the code. SAM inserts `ReleaseSha` itself."""
    template = yaml_parse((ROOT / name).read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function" and "CodeUri" in resource["Properties"]:
            resource["Properties"]["CodeUri"] = "s3://code/bootstrap.zip"
    return Translator({}, Parser()).translate(template, {"ReleaseSha": release_sha} if release_sha else {})


class Stack:
    """A template with values of its parameters; the others have their defaults."""

    def __init__(self, name="template.yaml", **parameters):
        self.template = translated(name)
        declared = self.template["Parameters"]
        for parameter, value in parameters.items():
            assert accepts(declared[parameter], value), (parameter, value)
        self.parameters = {key: str(value.get("Default", "")) for key, value in declared.items()}
        self.parameters.update(parameters)
        self.parameters.update(
            {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": "stack",
             "AWS::URLSuffix": "amazonaws.com"})

    def resources(self, kind=None):
        """The resources whose condition is true, by name, with resolved properties."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self.template["Resources"].items()
            if (kind is None or resource["Type"] == kind) and self.holds(resource.get("Condition"))
        }

    def outputs(self):
        return {name: self.resolve(output["Value"]) for name, output in self.template["Outputs"].items()
                if self.holds(output.get("Condition"))}

    def holds(self, condition):
        return condition is None or self.resolve(self.template["Conditions"][condition])

    def resolve(self, value):
        """A value after evaluation of CloudFormation's functions; a reference to a resource becomes `<name>`."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), = value.items()
            if function in ("Ref", "Condition") or function.startswith("Fn::"):
                return self.call(function.removeprefix("Fn::"), argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def call(self, function, argument):
        match function:
            case "Ref":
                return NO_VALUE if argument == "AWS::NoValue" else self.parameters.get(argument, f"<{argument}>")
            case "Condition":
                return self.holds(argument)
            case "If":
                condition, yes, no = argument
                return self.resolve(yes if self.holds(condition) else no)
            case "GetAtt":
                return "<" + (argument if isinstance(argument, str) else ".".join(argument)) + ">"
            case "Sub":
                text, names = argument if isinstance(argument, list) else (argument, {})
                names = {name: self.resolve(item) for name, item in names.items()}
                values = {**self.parameters, **names}
                return re.sub(r"\$\{([^}]+)\}", lambda name: values.get(name[1], f"<{name[1]}>"), text)
        argument = self.resolve(argument)
        match function:
            case "Equals":
                return str(argument[0]) == str(argument[1])
            case "Not":
                return not argument[0]
            case "And":
                return all(argument)
            case "Or":
                return any(argument)
            case "Join":
                return argument[0].join(map(str, argument[1]))
            case "Split":
                return argument[1].split(argument[0])
            case "Select":
                return argument[1][int(argument[0])]
        raise NotImplementedError(function)


def accepts(parameter, value):
    """Whether a parameter accepts a value."""
    if "AllowedValues" in parameter:
        return str(value) in map(str, parameter["AllowedValues"])
    return re.fullmatch(parameter.get("AllowedPattern", ".*"), str(value)) is not None


# Parameters with which a template has all its resources.
EVERYTHING = {
    "ModelUri": "s3://models/team/", "CreateModelBucket": "true", "CorsAllowOrigins": "https://example.com",
    "KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1", "AlarmEmail": "a@example.com",
    "DomainName": "models.example.com", "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
    "HostedZoneId": "Z1", "FunctionUrl": "AWS_IAM", "ReservedConcurrency": "5", "ProvisionedConcurrency": "1",
    "CaptureFraction": "0.1", "ConfigureAccountLogging": "true", "SourceBucket": "data", "SourcePrefix": "houses/",
    "Schedule": "cron(0 2 * * ? *)", "DriftSchedule": "cron(30 0 * * ? *)", "CapturedUri": "s3://seen/captured/",
}


def everything(name, **others):
    """A template with all its resources."""
    parameters = {**EVERYTHING, **others}
    return Stack(name, **{key: value for key, value in parameters.items() if key in source(name)["Parameters"]})


def statements(stack):
    """All statements of policies of roles, those in the role and those of their own, as (role, statement)."""
    for name, role in stack.resources("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for kind in ("AWS::IAM::RolePolicy", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for policy in stack.resources(kind).values():
            roles = [policy["RoleName"]] if kind == "AWS::IAM::RolePolicy" else policy.get("Roles", [])
            for role in roles:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield role.strip("<>"), statement


def resource_statements(stack):
    """All statements of policies of queues, topics, buckets and keys, as (policy, statement)."""
    for name, resource in stack.resources().items():
        document = resource.get("KeyPolicy") or resource.get("PolicyDocument")
        if isinstance(document, dict):
            for statement in document["Statement"]:
                if "Principal" in statement:
                    yield name, statement


def as_list(value):
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    json.dump(translated(sys.argv[1]), sys.stdout, indent=1)
