"""`tools/deploy`: answers are kept, ReleaseSha is not, and wrong values are rejected. `make validate` runs this."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import sys
import tempfile
import unittest

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
