#!/bin/sh
# The crash campaign: kill -9 at random moments of everything that runs for long or writes files.
#
#     kill_all.sh CHGNET KILLS
#
# KILLS (200 in the full form) are shared among the tasks.  Prints a line for each and their sum; leaves with 1 when
# anything was lost or torn.
# SPDX-License-Identifier: BSD-3-Clause
here=$(cd "$(dirname "$0")" && pwd) || exit 99
chgnet=$1
share=$((($2 + 5) / 6))
[ "$share" -gt 0 ] || share=1
status=0
sum=0

# one SCRIPT ARGUMENT...: one task with its share.
one() {
    script=$1
    shift
    if line=$(sh "$here/$script" "$chgnet" "$share" "$@" 2>&1); then
        sum=$((sum + share))
    else
        status=1
    fi
    echo "$script $*: $line"
}
one kill_md.sh extxyz
one kill_md.sh h5
one kill_once.sh relax
one kill_once.sh fit
one kill_once.sh predict
if [ -f "$here/kill_search.sh" ]; then
    one kill_search.sh
else
    echo "kill_search.sh: not here"
    status=1
fi
echo "$sum kills"
exit "$status"
