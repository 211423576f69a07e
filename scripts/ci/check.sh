#!/bin/sh
# Gate a change with forkbench. Copy this file into your project; it needs a POSIX shell.
#
#   check.sh sides --base image=./old --cand image=./new [more flags of forkbench check]
#   check.sh directories --base old-runs/* --cand new-runs/* [more flags]
#
# `sides` measures both in one run, interleaved: what disturbs the one disturbs the other. Use it
# where you can. `directories` judges runs that were made before, at least five a side, each on
# its own boot or machine; it is the weaker way.
#
# Everything is kept in $RESULTS (forkbench-results unless set): the samples, comment.md for a
# comment on the change, junit.xml for the CI, verdict.json for scripts. Exits as forkbench does;
# what is INCONCLUSIVE fails too (exit 4), since a gate that does not know must not be green.
# Never call it through make, which turns every failure into exit code 2.
#
# FORKBENCH is the program, if it is not on the PATH.
set -u

forkbench=${FORKBENCH:-forkbench}
results=${RESULTS:-forkbench-results}

usage() {
    echo "usage: check.sh sides --base KNOB=VALUE --cand KNOB=VALUE [FLAG..]" >&2
    echo "       check.sh directories --base DIR.. --cand DIR.. [FLAG..]" >&2
    exit 2
}

[ $# -gt 0 ] || usage
mode=$1
shift

mkdir -p "$results" || exit 1
# Older files must not pass for those of this check.
rm -f "$results/comment.md" "$results/junit.xml"

case $mode in
sides)
    "$forkbench" check "$@" --confirm --strict --out "$results/$(date -u +%Y%m%dT%H%M%SZ)" \
        --export "md=$results/comment.md" --export "junit=$results/junit.xml"
    ;;
directories)
    "$forkbench" check "$@" --strict \
        --export "md=$results/comment.md" --export "junit=$results/junit.xml"
    ;;
*)
    usage
    ;;
esac
code=$?

case $code in
0) said="no regression" ;;
1) said="forkbench failed at run time: nothing is known, see the messages above" ;;
2) said="wrong usage: nothing was measured" ;;
3) said="REGRESSED: something is slower than its margin allows, measured twice" ;;
4) said="INCONCLUSIVE: too noisy to tell; run it again, or give it more --time" ;;
5) said="NOT COMPARABLE, or nothing was measured: this says nothing about the change" ;;
126 | 127) said="there is no program $forkbench: install it, or set FORKBENCH" ;;
130) said="interrupted: what was finished is kept in $results" ;;
*) said="forkbench ended in a way that it should not: nothing is known" ;;
esac
echo "check.sh: $said (exit $code)" >&2
exit "$code"
