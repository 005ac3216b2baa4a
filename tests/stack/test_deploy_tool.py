"""`tools/deploy`: answers are kept after success, ReleaseSha never, wrong values are errors. `make validate` runs it."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load():
    loader = importlib.machinery.SourceFileLoader("deploy", str(ROOT / "tools/deploy"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("deploy", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


tool = load()


class Answers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "samconfig.toml"

    def test_answers_are_read_as_they_were_kept_and_other_settings_stay(self):
        self.file.write_text((ROOT / "samconfig.toml").read_text())
        answers = tool.Answers(self.file)
        answers.parameters |= {"CorsAllowOrigins": "https://a.com,https://b.com", "ModelUri": ""}
        answers.parameters["BasePath"] = 'a "b" \\c'
        answers.section["stack_name"] = "models"
        answers.note()
        self.assertIsNone(tool.Answers(self.file).stack)
        answers.keep()
        again = tool.Answers(self.file)
        self.assertEqual((again.stack, again.parameters), ("models", answers.parameters))
        self.assertIn("CAPABILITY_IAM", self.file.read_text())

    def test_a_kept_release_sha_is_ignored(self):
        self.file.write_text('[default.deploy.parameters]\nparameter_overrides = "ReleaseSha=abc MaxRows=5"\n')
        self.assertEqual(tool.Answers(self.file).parameters, {"MaxRows": "5"})

    def test_code_template_and_parameters_change_the_release_sha(self):
        build = self.folder / "build"
        (build / "Function").mkdir(parents=True)
        (build / "Function/bootstrap").write_bytes(b"code")
        (build / "template.yaml").write_text("a: 1")
        first = tool.release_sha(build, {"MaxRows": "5"})
        self.assertEqual(first, tool.release_sha(build, {"MaxRows": "5"}))
        self.assertRegex(first, "^[0-9a-f]{64}$")
        other = [tool.release_sha(build, {"MaxRows": "6"})]
        (build / "template.yaml").write_text("a: 2")
        other.append(tool.release_sha(build, {"MaxRows": "5"}))
        (build / "Function/bootstrap").write_bytes(b"other")
        other.append(tool.release_sha(build, {"MaxRows": "5"}))
        self.assertEqual(len({first, *other}), 4)


class Deployment(unittest.TestCase):
    """`prepare` and `run` with a `sam` that deploys nothing, and an AWS that is asked by `check_credentials` only."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "samconfig.toml"
        self.file.write_text('[default.deploy.parameters]\nstack_name = "models"\nregion = "eu-central-1"\n'
                             'parameter_overrides = "MaxRows=5"\n')
        (self.folder / "build").mkdir()

    def steps(self, parameters, sam, deployed=True):
        """The exit code of both steps, with a `sam` that ends with this code, and their messages."""
        program = self.folder / "sam"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{self.folder}/arguments\nexit {sam}\n')
        program.chmod(0o755)
        arguments = ["--config", str(self.file), "--template", str(ROOT / "template.yaml"), "--build",
                     str(self.folder / "build"), "--parameters", parameters]
        given = (lambda answers: tool.all_parameters(answers, ROOT / "template.yaml"))
        sha = (lambda answers: tool.release_sha(self.folder / "build", given(answers)) if deployed else "old")
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        output = io.StringIO()
        with mock.patch.dict(os.environ, path), mock.patch.object(tool, "check_credentials"), \
                mock.patch.object(tool, "deployed_sha", sha), contextlib.redirect_stdout(output), \
                contextlib.redirect_stderr(output):
            for step in ("prepare", "run"):
                with mock.patch.object(sys, "argv", ["deploy", step, *arguments]):
                    code = tool.main()
                if code:
                    break
        return code, output.getvalue()

    def kept(self):
        return tool.Answers(self.file).parameters

    def test_answers_are_kept_after_a_deployment_that_succeeds(self):
        code, output = self.steps("MaxRows=6", sam=0)
        self.assertEqual((code, self.kept()), (0, {"MaxRows": "6"}), output)
        self.assertFalse(tool.Answers(self.file).note_path.exists())

    def test_parameters_that_are_not_given_have_their_defaults_again(self):
        """CloudFormation would keep the values of the stack, and an older samconfig.toml would undo nothing."""
        self.steps("MaxRows=6", sam=0)
        arguments = (self.folder / "arguments").read_text().splitlines()
        for argument in ['MaxRows="6"', 'MaxBodyBytes="6291456"', 'ModelUri=""']:
            self.assertIn(argument, arguments)
        names = {argument.split("=")[0] for argument in arguments if "=" in argument}
        self.assertEqual(names, set(tool.declared(ROOT / "template.yaml")))

    def test_answers_of_a_failed_deployment_are_not_kept(self):
        code, output = self.steps("MaxRows=6", sam=1)
        self.assertEqual((code, self.kept()), (1, {"MaxRows": "5"}))
        self.assertIn("make deploy STACK=models REGION=eu-central-1 PARAMETERS=MaxRows=6", output)
        self.assertFalse(tool.Answers(self.file).note_path.exists())

    def test_answers_are_not_kept_if_the_changes_are_declined(self):
        code, output = self.steps("MaxRows=6", sam=0, deployed=False)
        self.assertEqual((code, self.kept()), (0, {"MaxRows": "5"}))
        self.assertIn("Nothing was deployed", output)

    def test_a_build_for_other_processors_is_not_deployed(self):
        (self.folder / "build/Function").mkdir()
        program = self.folder / "build/Function/bootstrap"
        for machine, code in [(62, 0), (183, 1)]:
            program.write_bytes(b"\x7fELF".ljust(18, b"\0") + bytes([machine, 0]))
            self.assertEqual(self.steps("Architecture=x86_64", sam=0)[0], code)
        self.assertIn("built for arm64, but the parameter Architecture is x86_64",
                      self.steps("Architecture=x86_64", sam=0)[1])

    def test_kept_parameters_of_another_template_are_an_error(self):
        self.file.write_text(self.file.read_text().replace("MaxRows=5", "CapacityProviderArn=a"))
        code, output = self.steps("MaxRows=6", sam=0)
        self.assertEqual(code, 1)
        self.assertIn("has no parameter CapacityProviderArn", output)


class Values(unittest.TestCase):
    parameters = tool.declared(ROOT / "template.yaml")

    def test_a_value_that_a_parameter_rejects_has_a_reason(self):
        cases = [("Authorization", "OPEN", "expected one of AWS_IAM, JWT, NONE"),
                 ("MaxRows", "many", "expected a number"),
                 ("MemorySize", "64", "expected a number of at least 128, and at most 10240"),
                 ("MaxRows", "0", "expected a number of at least 1"),
                 ("ModelUri", "s3://models", "expected empty, file:///path/model.json, s3://bucket/key.json")]
        for name, value, reason in cases:
            self.assertTrue(tool.problem(self.parameters[name], value).startswith(reason), name)
        accepted = [("Authorization", "JWT"), ("MaxRows", "10"), ("ModelUri", ""), ("AlarmWarningsPerRow", "0.1")]
        for name, value in accepted:
            self.assertIsNone(tool.problem(self.parameters[name], value), name)

    def test_unknown_parameters_and_release_sha_are_rejected_before_anything_is_called(self):
        for pair, message in [("MaxRow=5", "no parameter 'MaxRow' to set"),
                              (f"ReleaseSha={'0' * 64}", "no parameter 'ReleaseSha' to set"),
                              ("MaxRows=0", "MaxRows: expected a number of at least 1, got '0'"),
                              ("MaxRows", "expected Name=value, got 'MaxRows'")]:
            errors = io.StringIO()
            arguments = ["deploy", "prepare", "--template", str(ROOT / "template.yaml"), "--config", os.devnull,
                         "--parameters", pair]
            with contextlib.redirect_stderr(errors):
                before, sys.argv = sys.argv, arguments
                try:
                    self.assertEqual(tool.main(), 1)
                finally:
                    sys.argv = before
            self.assertIn(message, errors.getvalue())
            self.assertIn("help: ", errors.getvalue())


if __name__ == "__main__":
    unittest.main()
