"""A range of seeds on a laptop or on a cluster of Ray: each share is a task, whose result is a folder that `sim merge` reads.

    python3 ray/explore.py --seeds 0..1000000 --shards 200 --out shares                   # on this machine
    python3 ray/explore.py --seeds 0..1000000 --shards 200 --out shares --address auto    # on the cluster of this machine

On a cluster, --out is on storage that every node sees under the same path, and each node has the same `sim`. Options that this does not
know go to `sim explore`. The exit code is that of `sim merge`, or 2 where a share could not be run.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
import ray


class ShareFailed(Exception):
    """The share did not come to its end: it is run again, and goes on where its folder stands."""


@ray.remote(num_cpus=1, max_retries=5, retry_exceptions=[ShareFailed])
def explore(command):
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ended.returncode not in (0, 1):
        raise ShareFailed(f"exit code {ended.returncode}: {' '.join(ended.stderr.splitlines()[-1:])}")


def so_far(folder):
    """Seeds, events and failures of all shares, also of those at work: their summaries are whole at any moment."""
    summaries = [json.loads(path.read_text()) for path in folder.glob("*/summary.json")]
    return [sum(summary[field] for summary in summaries) for field in ("seeds", "events", "failures")]


def fold(tasks, folder, first_failure):
    """Waits for all tasks, or with `first_failure` until one seed has failed; returns how many shares could not be run."""
    left, refused = list(tasks), 0
    while left:
        ended, left = ray.wait(left, timeout=1)
        for task in ended:
            try:
                ray.get(task)
            except ray.exceptions.RayError as error:
                refused += 1
                print(f"share {tasks[task]}: {str(error).splitlines()[-1]}", file=sys.stderr)
        seeds, events, failures = so_far(folder)
        print(f"{len(tasks) - len(left)} of {len(tasks)} shares, {seeds} seeds, {events} events, {failures} failures", file=sys.stderr)
        if failures and first_failure:
            [ray.cancel(task, force=True) for task in left]
            break
    return refused


options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
options.add_argument("--seeds", required=True, metavar="A..B", help="the seeds, the second bound excluded")
options.add_argument("--shards", required=True, type=int, metavar="N", help="into how many shares, each for one core")
options.add_argument("--out", required=True, type=pathlib.Path, metavar="DIR", help="the folder for the folders of the shares")
options.add_argument("--first-failure", action="store_true", help="end all shares when one seed has failed")
options.add_argument("--address", default="local", help="a cluster instead of this machine; auto finds it")
given, others = options.parse_known_args()
here = {"_node_ip_address": "127.0.0.1", "include_dashboard": False} if given.address == "local" else {}
ray.init(address=given.address, log_to_driver=False, logging_level="error", **here)
folder, tasks = given.out.resolve(), {}
for share in range(1, given.shards + 1):
    place = ["--seeds", given.seeds, "--shard", f"{share}/{given.shards}", "--out", str(folder / str(share))]
    tasks[explore.remote(["sim", "explore", "--jobs", "1", *place, *others])] = share
refused = fold(tasks, folder, given.first_failure)
merged = subprocess.run(["sim", "merge", str(folder)]).returncode
sys.exit(2 if refused else merged)
