"""Runs notebooks with nbclient or papermill, all in one process, and prints what became of each as a line of JSON.

Usage: peers.py TOOL < [{"name", "input", "output", "cwd"}, …]. What a notebook wants is in its metadata, "corpus".
"""

import json
import os
import sys
import warnings

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

warnings.simplefilter("ignore")


# Seconds for a cell where the notebook wants no limit. Both tools now and then wait for ever for a kernel that has long
# answered (seen with Output widgets, 1 run in 4 on a busy machine), or take a port for their kernel that another one takes
# at the same time, and it does not start; such a run tells nothing and is repeated.
LIMIT = 90
TRIES = 3


def read(path):
    return nbformat.read(path, as_version=4)


def client_options(wishes):
    return {
        # As their command lines do: pieces of a stream are one output, and \\r acts as in a terminal.
        "coalesce_streams": True,
        "timeout": wishes.get("cellTimeout", LIMIT),
        "allow_errors": wishes.get("allowErrors", False),
        "allow_error_names": wishes.get("allowErrorNames", []),
    }


def run_nbclient(job, notebook, wishes):
    if "parameters" in wishes:
        # nbclient knows no parameters; papermill's own cell is put in.
        from papermill.parameterize import parameterize_notebook

        notebook.metadata["papermill"] = {}
        for cell in notebook.cells:
            cell.metadata.setdefault("tags", [])
        notebook = parameterize_notebook(notebook, wishes["parameters"])
    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": job["cwd"]}}, **client_options(wishes)
    )
    try:
        client.execute()
    finally:
        nbformat.write(client.nb, job["output"])


def run_papermill(job, _notebook, wishes):
    import papermill

    options = client_options(wishes)
    papermill.execute_notebook(
        job["input"],
        job["output"],
        parameters=wishes.get("parameters"),
        kernel_name="python3",
        progress_bar=False,
        cwd=job["cwd"],
        execution_timeout=options.pop("timeout"),
        **options,
    )


def verdict(run, job):
    for _ in range(TRIES):
        notebook = read(job["input"])
        wishes = notebook.metadata.get("corpus", {})
        try:
            return outcome(run, job, notebook, wishes)
        except CellTimeoutError:
            result = "cellTimeout"
            if "cellTimeout" in wishes:
                break
        except RuntimeError as error:
            # What both raise where the kernel is not there in time.
            result = f"RuntimeError: {error}"
    return result


def outcome(run, job, notebook, wishes):
    from papermill.exceptions import PapermillExecutionError

    try:
        run(job, notebook, wishes)
        return "succeeded"
    except (CellExecutionError, PapermillExecutionError) as error:
        return f"cellError {error.ename}"
    except DeadKernelError:
        return "kernelDied"
    except (CellTimeoutError, RuntimeError):
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# Kernels write to this process's standard output.
results = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
tool = {"nbclient": run_nbclient, "papermill": run_papermill}[sys.argv[1]]
for job in json.load(sys.stdin):
    print(json.dumps({"name": job["name"], "verdict": verdict(tool, job)}), file=results, flush=True)
results.close()
# Without waiting for threads that a client did not end.
os._exit(0)
