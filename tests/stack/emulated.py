"""Writes a template of this repository as ministack can deploy it. usage: emulated.py TEMPLATE BOOTSTRAP ENDPOINT FILE

Everything else stays as it is. These parts are removed or replaced; a real account alone can show their effects:

- CodeDeploy, which ministack refuses: DeploymentPreference and the function that tests a release.
- Alarms with metric math.
- The most messages that are scored at a time: ministack compares it as text.
- The policy by which the state machine starts executions of itself: ministack checks no permissions.
- It ignores the limit of the items that are scored at a time, and no time limit of an execution ends one.
- Conditions with Select and Split: those of ModelUri compare it with the empty text, so that a catalog in a bucket that
  the stack does not create cannot be tested.
- Methods of the REST API: ministack does not import those for any method, so GET and POST are in their place.
- The build: a bootstrap that exists, in place of cargo-lambda's release build.
- The endpoint of S3: the function gets AWS_ENDPOINT_URL_S3.
"""

import json
import pathlib
import shutil
import sys

from samtranslator.yaml_helper import yaml_parse

# Types that ministack refuses.
REFUSED = {"AWS::IAM::RolePolicy"}
CODEDEPLOY = {"ReleaseTest", "ReleaseTestRole", "ReleaseTestLogs"}


def emulated(template, endpoint):
    resources = template["Resources"]
    for name in list(resources):
        resource = resources[name]
        if name in CODEDEPLOY or resource["Type"] in REFUSED or "Metrics" in resource.get("Properties", {}):
            del resources[name]
    if "Function" in resources:
        function = resources["Function"]
        function["Metadata"] = {"BuildMethod": "makefile"}
        properties = function["Properties"]
        properties.pop("DeploymentPreference", None)
        properties["CodeUri"] = "code"
        for event in properties.get("Events", {}).values():
            event["Properties"].pop("ScalingConfig", None)
        properties["Environment"]["Variables"]["AWS_ENDPOINT_URL_S3"] = endpoint
        if "ModelIsInS3" in template["Conditions"]:
            template["Conditions"]["ModelIsInS3"] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "ModelUri"}, ""]}]}
        template["Conditions"]["ModelIsCatalog"] = {"Fn::Equals": [{"Ref": "ModelUri"}, "a catalog"]}
    for resource in resources.values():
        for methods in resource.get("Properties", {}).get("DefinitionBody", {}).get("paths", {}).values():
            if (any_method := methods.pop("x-amazon-apigateway-any-method", None)) is not None:
                methods["get"] = methods["post"] = any_method
    return template


def main(template, bootstrap, endpoint, file):
    file = pathlib.Path(file)
    code = file.parent / "code"
    code.mkdir(parents=True, exist_ok=True)
    shutil.copy(bootstrap, code / "bootstrap")
    (code / "Makefile").write_text("build-Function:\n\tcp bootstrap $(ARTIFACTS_DIR)/\n")
    parsed = yaml_parse(pathlib.Path(template).read_text())
    file.write_text(json.dumps(emulated(parsed, endpoint), indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
