"""Uses the service with Google's client for Python. Prints what happened as one JSON object.

Arguments: endpoint, URI of the notebook. The token is in the environment variable TOKEN.
"""

import json
import os
import sys
import time

import httplib2
from google.oauth2.credentials import Credentials
from googleapiclient import discovery
from googleapiclient.errors import HttpError

endpoint, notebook = sys.argv[1:]
parent = "projects/local/locations/local"


def client(**authorization):
    return discovery.build(
        "notebooks", "v1", static_discovery=True, client_options={"api_endpoint": endpoint}, **authorization
    )


def error_of(call):
    try:
        call.execute()
    except HttpError as error:
        return [error.status_code, error.reason]
    return None


service = client(credentials=Credentials(os.environ["TOKEN"])).projects().locations()
executions, operations = service.executions(), service.operations()


def create(identifier, **template):
    body = {"description": "python", "executionTemplate": {"inputNotebookFile": notebook, **template}}
    return executions.create(parent=parent, executionId=identifier, body=body)


def wait(identifier, *states):
    while True:
        execution = executions.get(name=f"{parent}/executions/{identifier}").execute()
        if execution["state"] in states:
            return execution
        time.sleep(0.05)


result = {}
operation = create("python-a", scaleTier="CUSTOM", labels={"by": "python"}).execute()
result["created"] = [operation["done"], operation["response"]["state"]]
result["ended"] = wait("python-a", "SUCCEEDED")["executionTemplate"]["scaleTier"]
create("python-b", labels={"by": "python"}, parameters='{"fake": "wait"}').execute()
wait("python-b", "RUNNING")
request = executions.list(parent=parent, filter="labels.by = python", orderBy="create_time", pageSize=1)
listed = []
while request is not None:
    page = request.execute()
    listed += [each["name"].rpartition("/")[2] for each in page["executions"]]
    request = executions.list_next(request, page)
result["listed"] = listed
result["fields"] = executions.list(
    parent=parent, filter="labels.by = python AND state = RUNNING", fields="executions(state,executionTemplate/labels)"
).execute()
operations.cancel(name=f"{parent}/operations/create-python-b", body={}).execute()
result["cancelled"] = wait("python-b", "CANCELLED")["state"]
listed = operations.list(
    name=parent, filter="metadata.target:python", returnPartialSuccess=True
).execute()
result["operations"] = sorted(each["metadata"]["verb"] for each in listed["operations"])
result["errors"] = {
    "twice": error_of(create("python-a", labels={"other": "content"})),
    "huge": error_of(create("python-c", scaleTier="HUGE")),
    "filter": error_of(executions.list(parent=parent, filter="colour = red")),
    "missing": error_of(executions.get(name=f"{parent}/executions/nobody")),
    "runtimes": error_of(service.runtimes().list(parent=parent)),
    "token": error_of(client(http=httplib2.Http()).projects().locations().get(name=parent)),
}
deletion = executions.delete(name=f"{parent}/executions/python-a").execute()
while not deletion["done"]:
    time.sleep(0.05)
    deletion = operations.get(name=deletion["name"]).execute()
result["deleted"] = deletion["response"]
operations.delete(name=deletion["name"]).execute()
result["forgotten"] = error_of(operations.get(name=deletion["name"]))[0]
print(json.dumps(result))
