"""Drives the schedules of a service with Google's Python client: endpoint, token and notebook URI as arguments."""

import json
import sys

import google_auth_httplib2
import httplib2
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

endpoint, token, notebook = sys.argv[1:]
http = google_auth_httplib2.AuthorizedHttp(Credentials(token), http=httplib2.Http(proxy_info=None))
client = build("notebooks", "v1", http=http, client_options={"api_endpoint": endpoint}, static_discovery=True)
schedules = client.projects().locations().schedules()
parent = "projects/local/locations/local"
name = f"{parent}/schedules/from-python"
body = {
    "cronSchedule": "0 6 * * MON-FRI",
    "timeZone": "Europe/Berlin",
    "executionTemplate": {"inputNotebookFile": notebook, "scaleTier": "BASIC"},
}
told = {"created": schedules.create(parent=parent, scheduleId="from-python", body=body).execute()}
told["got"] = schedules.get(name=name).execute()
told["listed"] = schedules.list(parent=parent, pageSize=5).execute()
told["triggered"] = schedules.trigger(name=name, body={}).execute()
try:
    schedules.create(parent=parent, scheduleId="bad", body={**body, "cronSchedule": "0 0 31 2 *"}).execute()
except HttpError as error:
    told["refused"] = [error.status_code, error.reason]
told["deleted"] = schedules.delete(name=name).execute()
print(json.dumps(told))
