"""The workflows of GitHub: pinned actions, and no credentials where code is built. `make validate` runs this."""

import pathlib
import re
import unittest

import yaml

FOLDER = pathlib.Path(__file__).resolve().parents[2] / ".github/workflows"
FILES = sorted(FOLDER.glob("*.yml"))


class Workflows(unittest.TestCase):
    def test_actions_are_pinned_by_commit_with_their_release(self):
        for file in FILES:
            for line in file.read_text().splitlines():
                if "uses:" in line:
                    self.assertRegex(line, r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", file.name)

    def test_credentials_are_in_a_job_that_builds_nothing_and_has_an_environment(self):
        jobs = [job for file in FILES for job in yaml.safe_load(file.read_text())["jobs"].values()]
        for job in jobs:
            steps = " ".join(step.get("run", "") + step.get("uses", "") for step in job["steps"])
            credentials = "configure-aws-credentials" in steps
            self.assertEqual(credentials, job.get("permissions", {}).get("id-token") == "write")
            self.assertEqual(credentials, "environment" in job)
            if credentials:
                self.assertIsNone(re.search(r"cargo|rustup|npm|make (?!parameters|deploy BUILT=yes)", steps), steps)
        self.assertEqual(sum("environment" in job for job in jobs), 1)


if __name__ == "__main__":
    unittest.main()
