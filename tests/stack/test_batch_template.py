"""batch.yaml as SAM translates it: permissions, triggers, settings, what is kept. `make validate` runs this."""

import json
import os
import re
import unittest

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # the translator needs a region

from cloudformation import ROOT, Stack, accepts, as_list, source, statements

GIVEN = {"SourceBucket": "data", "SourcePrefix": "houses/", "ModelUri": "s3://models/price.json"}


def stack(**parameters):
    return Stack("batch.yaml", **{**GIVEN, **parameters})


class Batch(unittest.TestCase):
    def test_the_function_reads_the_source_and_the_model_and_writes_predictions_only(self):
        rights = {}
        for role, statement in statements(stack()):
            if role == "FunctionRole":
                for action in as_list(statement["Action"]):
                    rights.setdefault(action, []).extend(as_list(statement["Resource"]))
        own = "<Results.Arn>/predictions/*"
        self.assertEqual(rights["s3:GetObject"],
                         ["arn:aws:s3:::data/houses/*", own, "arn:aws:s3:::models/price.json"])
        for action in ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]:
            self.assertEqual(rights[action], [own])
        self.assertEqual(rights["s3:ListBucketMultipartUploads"], ["<Results.Arn>"])
        listed = {resource: statement["Condition"]["StringLikeIfExists"]["s3:prefix"]
                  for role, statement in statements(stack()) if "s3:ListBucket" in as_list(statement["Action"])
                  for resource in as_list(statement["Resource"])}
        self.assertEqual(listed, {"arn:aws:s3:::data": "houses/*", "<Results.Arn>": "predictions/*"})
        catalog = [resource for role, statement in statements(stack(ModelUri="s3://models/team/"))
                   if role == "FunctionRole" for resource in as_list(statement["Resource"])]
        self.assertIn("arn:aws:s3:::models/team/*", catalog)
        self.assertIn("arn:aws:s3:::models", catalog)

    def test_each_setting_is_a_parameter(self):
        code = (ROOT / "crates/batch/src/function/settings.rs").read_text().split("#[cfg(test)]")[0]
        settings = set(re.findall(r'"(BATCH_\w+)"', code))
        variables = stack().resources()["Function"]["Environment"]["Variables"]
        self.assertEqual({name for name in variables if name.startswith("BATCH_")}, settings)
        self.assertEqual(variables["BATCH_OUTPUT_URI"], "s3://<Results>/predictions/")

    def test_a_model_of_a_catalog_is_named_by_a_parameter(self):
        parameters = source("batch.yaml")["Parameters"]
        for uri in ["s3://models/team/", "s3://models/", "s3://models/a@b/price.json", "s3://models/price"]:
            self.assertTrue(accepts(parameters["ModelUri"], uri), uri)
        for uri in ["s3://models/team/price@live", "s3://models/price@3", "models/", "s3://models"]:
            self.assertFalse(accepts(parameters["ModelUri"], uri), uri)
        variables = stack(DefaultModel="price").resources()["Function"]["Environment"]["Variables"]
        self.assertEqual(variables["DEFAULT_MODEL"], "price")

    def test_messages_that_failed_are_delivered_again_and_then_kept(self):
        resources = stack().resources()
        mapping = resources["FunctionArrivals"]
        self.assertEqual((mapping["BatchSize"], mapping["FunctionResponseTypes"]), (1, ["ReportBatchItemFailures"]))
        queue = resources["Arrivals"]
        self.assertGreaterEqual(queue["VisibilityTimeout"], 6 * resources["Function"]["Timeout"])
        self.assertEqual(queue["RedrivePolicy"]["deadLetterTargetArn"], "<DeadLetters.Arn>")
        self.assertEqual(stack().outputs()["DeadLetterQueueArn"], "<DeadLetters.Arn>")

    def test_each_way_to_fail_has_an_alarm(self):
        """Step Functions counts a failure, a timeout and a stop as three metrics, and a lost event is of the rule."""
        alarms = stack().resources("AWS::CloudWatch::Alarm").values()
        watched = {(alarm["MetricName"], alarm["Dimensions"][0]["Value"]) for alarm in alarms}
        self.assertEqual(watched, {
            ("ApproximateNumberOfMessagesVisible", "<DeadLetters.QueueName>"), ("FailedInvocations", "<ArrivalsRule>"),
            ("ApproximateAgeOfOldestMessage", "<Arrivals.QueueName>"),
            *((f"Executions{end}", "<StateMachine>") for end in ("Failed", "TimedOut", "Aborted"))})
        # Without a time limit, no execution ever times out.
        self.assertIn("TimeoutSeconds", stack().resources()["StateMachine"]["Definition"])
        self.assertNotIn("ArrivalsLost", stack(OnArrival="false").resources())

    def test_numbers_of_the_state_machine_are_no_text(self):
        """CloudFormation replaces a substitution inside the quotes of a string, and "50" is no number."""
        machine = source("batch.yaml")["Resources"]["StateMachine"]["Properties"]
        numbers = {name for name, value in machine["DefinitionSubstitutions"].items()
                   if source("batch.yaml")["Parameters"].get(value.get("Ref"), {}).get("Type") == "Number"}
        whole = re.findall(r'"\$\{(\w+)\}"', json.dumps(machine["Definition"]))
        self.assertEqual(numbers & set(whole), set())
        self.assertEqual(numbers, {"MaxConcurrency"})
        states = machine["Definition"]["States"]
        self.assertEqual(states["Score"]["MaxConcurrencyPath"], "$.limit.items")
        self.assertEqual(states["Limit"]["Next"], "Score")

    def test_the_state_machine_may_start_and_redrive_items_of_its_own_only(self):
        rights = {action: as_list(statement["Resource"]) for role, statement in statements(stack())
                  if role == "StateMachineRole" for action in as_list(statement["Action"])}
        self.assertEqual(rights["states:StartExecution"], ["<StateMachine>"])
        score = stack().resources()["StateMachine"]["Definition"]["States"]["Score"]
        execution = "arn:aws:states:eu-central-1:123456789012:execution:<StateMachine.Name>"
        self.assertEqual(rights["states:RedriveExecution"], [f"{execution}/{score['Label']}:*"])
        self.assertEqual(rights["states:StopExecution"], [f"{execution}:*", f"{execution}/{score['Label']}:*"])

    def test_objects_below_the_prefix_arrive_unless_it_is_off(self):
        pattern = stack().resources()["ArrivalsRule"]["EventPattern"]
        self.assertEqual(pattern["detail"], {"bucket": {"name": ["data"]}, "object": {"key": [{"prefix": "houses/"}]}})
        self.assertNotIn("ArrivalsRule", stack(OnArrival="false").resources())

    def test_a_schedule_starts_the_state_machine_with_the_prefix(self):
        self.assertEqual(stack().resources("AWS::Scheduler::Schedule"), {})
        on = stack(Schedule="cron(0 2 * * ? *)").resources()
        night = on["Night"]
        # Its failures are metrics of its group only.
        self.assertEqual((night["GroupName"], on["SchedulesDropped"]["Dimensions"]),
                         ("<Schedules>", [{"Name": "ScheduleGroup", "Value": "<Schedules>"}]))
        self.assertEqual(json.loads(night["Target"]["Input"]), {"bucket": "data", "prefix": "houses/"})

    def test_the_state_machine_plans_scores_in_parallel_and_joins(self):
        definition = stack().resources()["StateMachine"]["Definition"]
        states = definition["States"]
        self.assertEqual(definition["StartAt"], "Plan")
        self.assertEqual((states["Plan"]["Parameters"]["step"], states["Finish"]["Parameters"]["step"]),
                         ("plan", "finish"))
        self.assertEqual(states["Score"]["ItemProcessor"]["ProcessorConfig"]["Mode"], "DISTRIBUTED")
        of_item = states["Score"]["ItemProcessor"]["States"]
        for state in [states["Plan"], states["Finish"], of_item["ScoreItem"], of_item["NoteFailure"]]:
            throttled, transient = state["Retry"]
            self.assertEqual(throttled["ErrorEquals"], ["Lambda.TooManyRequestsException"])
            self.assertIn("Ordinate.Transient", transient["ErrorEquals"])

    def test_an_execution_without_items_has_a_result(self):
        states = stack().resources()["StateMachine"]["Definition"]["States"]
        self.assertEqual(states["HasItems"]["Default"], "Finish")
        self.assertEqual([name for name, state in states.items() if state["Type"] == "Succeed"], [])

    def test_an_item_that_fails_is_noted_and_does_not_stop_the_others(self):
        score = stack().resources()["StateMachine"]["Definition"]["States"]["Score"]
        self.assertEqual(score["ToleratedFailurePercentage"], 100)
        states = score["ItemProcessor"]["States"]
        self.assertEqual([(catch["ErrorEquals"], catch["Next"]) for catch in states["ScoreItem"]["Catch"]],
                         [(["States.ALL"], "NoteFailure")])
        self.assertEqual(states["NoteFailure"]["Parameters"]["step"], "failed")
        self.assertEqual(states["Done"]["Result"], "done")
        # The outputs of all items together may be more than an execution can hold.
        self.assertEqual(score["ResultWriter"]["Parameters"]["Prefix"], "predictions/_plans/items")

    def test_a_schedule_compares_captured_requests_and_an_alarm_reports_drift(self):
        for kind in ["DriftRule", "DriftRole", "Drift", "DriftFailed"]:
            self.assertNotIn(kind, stack().resources())
        off = [resource for role, statement in statements(stack()) for resource in as_list(statement["Resource"])]
        self.assertFalse([resource for resource in off if "none" in resource or resource.endswith(":::*")])
        on = stack(DriftSchedule="cron(30 0 * * ? *)", CapturedUri="s3://seen/captured/")
        resources = on.resources()
        rule = resources["DriftRule"]
        self.assertEqual(json.loads(rule["Target"]["Input"]), {"step": "drift"})
        self.assertEqual(rule["ScheduleExpression"], "cron(30 0 * * ? *)")
        alarm = resources["Drift"]
        self.assertEqual((alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"]),
                         ("Ordinate", "Drift", [{"Name": "service", "Value": "<Function>"}]))
        self.assertEqual(resources["Function"]["Environment"]["Variables"]["BATCH_CAPTURED_URI"], "s3://seen/captured/")
        granted = [(action, resource) for role, statement in statements(on) if role == "FunctionRole"
                   for action in as_list(statement["Action"]) for resource in as_list(statement["Resource"])]
        self.assertIn(("s3:GetObject", "arn:aws:s3:::seen/captured/*"), granted)
        self.assertIn(("s3:ListBucket", "arn:aws:s3:::seen"), granted)

    def test_the_bucket_is_private_and_removes_what_was_interrupted(self):
        bucket = stack().resources()["Results"]
        self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True})
        rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
        self.assertIn("AbortIncompleteMultipartUpload", rules["uploads-that-were-interrupted"])
        self.assertEqual(rules["parts-of-executions-that-failed"]["Prefix"], "predictions/_parts/")


if __name__ == "__main__":
    unittest.main()
