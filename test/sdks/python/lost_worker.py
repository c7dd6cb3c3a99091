"""A worker to be killed: says `started` once it is inside an activity that never ends.

usage: lost_worker.py ADDRESS plain|azuremanaged HUB
"""

import sys
import threading

from kit import Suite


def endures(_, __):
    print('started', flush=True)
    threading.Event().wait()


def main(address, flavour, hub):
    suite = Suite(address, flavour, [hub])
    worker = suite.new_worker(hub)
    worker.add_activity(endures)
    worker.use_work_item_filters()
    worker.start()
    threading.Event().wait()


if __name__ == '__main__':
    main(*sys.argv[1:])
