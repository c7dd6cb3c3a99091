"""Runs the cases of one flavour of the Python SDK against a scheduler; one JSON line for each case.

usage: main.py ADDRESS plain|azuremanaged HUB,HUB,... [PART_OF_NAME]
"""

import json
import logging
import os
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import cases_calls  # noqa: F401
import cases_clients  # noqa: F401
import cases_events  # noqa: F401
import cases_history  # noqa: F401
import cases_lifecycle  # noqa: F401
import cases_management  # noqa: F401
import cases_start  # noqa: F401
import cases_workers  # noqa: F401
from kit import ACTIVITIES, CASES, ORCHESTRATORS, Suite

# Cases mostly wait; a few at a time keep the run short without measuring this machine's load.
PARALLEL = 8

print_lock = threading.Lock()


def report(line):
    with print_lock:
        print(json.dumps(line), flush=True)


def run_case(fn, suite):
    started = time.monotonic()
    error = None
    try:
        fn(suite)
    except BaseException as raised:
        error = describe(raised)
    report(
        {
            'case': fn.__name__.replace('_', ' '),
            'error': error,
            'seconds': round(time.monotonic() - started, 3),
        }
    )
    return error is None


def describe(error):
    """The last frame of a case, and what went wrong there."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if 'cases_' in f.filename]
    where = f'{frames[-1].filename.rsplit("/", 1)[-1]}:{frames[-1].lineno}: ' if frames else ''
    code = getattr(error, 'code', None)
    if callable(code):
        return f'{where}{code().name}: {error.details()}'
    return f'{where}{type(error).__name__}: {error}'


def main(address, flavour, hubs, only=''):
    if os.environ.get('SDK_LOG'):
        logging.basicConfig(level=logging.INFO)
    else:
        logging.disable(logging.CRITICAL)
    suite = Suite(address, flavour, hubs.split(','))
    cases = [fn for fn in CASES if only in fn.__name__.replace('_', ' ')]

    def prepare(worker):
        # Items of names that a case keeps for a worker of its own stay away from this one.
        worker.use_work_item_filters()

    with suite.worker(orchestrators=ORCHESTRATORS, activities=ACTIVITIES, prepare=prepare):
        with ThreadPoolExecutor(PARALLEL) as pool:
            results = list(pool.map(lambda fn: run_case(fn, suite), cases))
    return 0 if results and all(results) else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
