"""Conditions on bodies that JSON Schema cannot express, so that generated data is valid or invalid as intended."""

import schemathesis


# Text and bytes have no schema, so any would count as valid.
WITHOUT_SCHEMA = {"text/csv", "application/jsonlines", "application/octet-stream", "application/x-npy"}

# Options that are accepted in the body or in the URL, and rejected in both.
WANTED = ("interval", "explain", "probabilities")

schemathesis.serializer.alias("application/jsonlines", "text/plain")
schemathesis.serializer.alias("application/x-npy", "application/octet-stream")


@schemathesis.hook
def filter_case(context, case):
    body = case.body if isinstance(case.body, dict) else {}
    query = case.query or {}
    twice = any(query.get(name) is not None and body.get(name) is not None for name in WANTED)
    # The start of a page is the `next` of an answer, as any text.
    continues = query.get("after") is not None
    return case.media_type not in WITHOUT_SCHEMA and not twice and not continues and have_one_form(body.get("X"))


def have_one_form(rows):
    """Rows by name, by position and single values cannot be in one request."""
    forms = {kind for row in rows for kind in (dict, list) if isinstance(row, kind)} if isinstance(rows, list) else set()
    values = isinstance(rows, list) and any(not isinstance(row, (dict, list)) for row in rows)
    return len(forms) + values <= 1


@schemathesis.hook
def filter_body(context, body):
    return values_are_moderate(body)


def values_are_moderate(value):
    """Integers must be exact doubles, and predictions must not overflow."""
    if isinstance(value, dict):
        return all(map(values_are_moderate, value.values()))
    if isinstance(value, list):
        return all(map(values_are_moderate, value))
    return not isinstance(value, (int, float)) or abs(value) < 1e15


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives all columns of a table the same length. Repeating the last value keeps invalid columns invalid."""
    tables = case.body.items() if isinstance(case.body, dict) else []
    for table in (table for key, table in tables if isinstance(table, dict) and key != "dataframe_split"):
        columns = [column for column in table.values() if isinstance(column, list) and column]
        rows = max(map(len, columns), default=0)
        for column in columns:
            column.extend(column[-1:] * (rows - len(column)))
