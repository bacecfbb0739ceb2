#!/bin/bash
# A range of seeds on many machines: a job array of Slurm. Each task runs one of twenty equal shares, on one core, into a folder that all
# machines see. README.md says what a share, a folder and a merge are, and how to submit this.
#
#SBATCH --job-name=seeds
#SBATCH --array=1-20
#SBATCH --cpus-per-task=1
#SBATCH --time=10:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=share-%a.log
#
# A task whose machine is lost is put into the queue again, by --requeue, and goes on where its folder stands. Slurm sends SIGTERM before
# it kills a task at its time: exec makes the simulator the process that gets it.
exec sim explore \
    --seeds 0..1000000 \
    --shard env \
    --jobs 1 \
    --out "shares/$SLURM_ARRAY_TASK_ID" \
    --json
