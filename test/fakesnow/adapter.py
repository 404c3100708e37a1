"""fakesnow behind an adapter that the Node driver can read.

fakesnow is an emulator of Snowflake by others, and answers queries in Arrow; the Node driver reads JSON alone. The
adapter changes no statement and no value: it writes the rows of an answer in Snowflake's JSON form, adds what the
driver insists on, and turns a refusal with HTTP 500 into one with HTTP 200, which the driver does not send again.

    python adapter.py PORT
"""

import base64
import json
import sys
from datetime import date
from decimal import Decimal

import pyarrow
import uvicorn

import fakesnow.info_schema
import fakesnow.server

# The driver prints binary values, dates and times by these; without BINARY_OUTPUT_FORMAT it ends in a TypeError.
SESSION_PARAMETERS = {
    "TIMEZONE": "UTC",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS.FF6",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    # Never binds over a stage: fakesnow has none for them.
    "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
}

NANOS = 1_000_000_000


def cell(value, kind):
    """One value in the text form of Snowflake's JSON results."""
    if value is None:
        return None
    if kind == "boolean":
        return "1" if value else "0"
    if kind == "date":
        return str((value - date(1970, 1, 1)).days)
    if kind == "time":
        return f"{value // NANOS}.{value % NANOS:09d}"
    if kind.startswith("timestamp"):
        if value["epoch"] is None:  # a NULL comes as a struct of NULLs
            return None
        seconds = f"{Decimal(value['epoch']) + Decimal(value['fraction']) / NANOS:.9f}"
        return f"{seconds} {value['timezone']}" if "timezone" in value else seconds
    if kind == "binary":
        return value.hex().upper()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def rows_of(data):
    """The rows of an Arrow answer, which is taken out of it."""
    encoded = data.pop("rowsetBase64", None)
    if not encoded:
        return []
    table = pyarrow.ipc.open_stream(base64.b64decode(encoded)).read_all()
    kinds = [column["type"] for column in data["rowtype"]]
    columns = [[cell(value, kind) for value in column.to_pylist()] for column, kind in zip(table.columns, kinds)]
    return [list(row) for row in zip(*columns)]


def adapt(path, answer):
    data = answer.get("data")
    if not isinstance(data, dict):
        return
    if data.get("queryResultFormat") == "arrow":
        data["rowset"] = rows_of(data)
        data["queryResultFormat"] = "json"
    if isinstance(data.get("rowset"), list):
        # Without the number of rows the driver never calls back.
        data["total"] = data["returned"] = len(data["rowset"])
    if isinstance(data.get("stageInfo"), dict):
        data["stageInfo"].setdefault("region", "us-central1")
    if isinstance(data.get("parameters"), list):
        known = {parameter["name"] for parameter in data["parameters"]}
        data["parameters"] += [{"name": name, "value": value} for name, value in SESSION_PARAMETERS.items() if name not in known]
    if path == "/session/v1/login-request":
        data.setdefault("masterToken", data.get("token"))
        data.setdefault("sessionId", 1)


async def answer(send, status, body):
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def app(scope, receive, send):
    inner = fakesnow.server.app
    if scope["type"] != "http":
        await inner(scope, receive, send)
        return
    path = scope["path"]
    if path == "/telemetry/send":
        await answer(send, 200, b'{"success":true,"data":null}')
        return
    if scope["method"] == "GET" and path.startswith("/fs_bucket/"):
        # The driver asks whether a file is there: only a few codes let its upload go on.
        await answer(send, 404, b"")
        return
    if not path.startswith(("/queries/", "/session")):
        await inner(scope, receive, send)
        return
    status, chunks = 500, []

    async def hold(message):
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))

    await inner(scope, receive, hold)
    body = b"".join(chunks)
    try:
        document = json.loads(body)
    except ValueError:
        await answer(send, status, body)
        return
    adapt(path, document)
    if status >= 500:
        document["data"] = document.get("data") or {"errorCode": "261000", "sqlState": "XX000"}
        document["success"] = False
        status = 200
    await answer(send, status, json.dumps(document).encode())


def let_merge_run_in_transactions():
    """fakesnow's MERGE notes the comment of its helper table in a second database, and DuckDB lets a transaction write to one."""
    original = fakesnow.info_schema.insert_table_comment_sql

    def insert_table_comment_sql(catalog, schema, table, comment):
        if table.upper() == "MERGE_CANDIDATES":
            return "SELECT 1"
        return original(catalog, schema, table, comment)

    fakesnow.info_schema.insert_table_comment_sql = insert_table_comment_sql


if __name__ == "__main__":
    let_merge_run_in_transactions()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
