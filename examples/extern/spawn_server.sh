#!/bin/sh
# A helper for forkbench: spawns as the shell does, and stamps nothing, since a shell has no clock.
#
#     forkbench run --mechanism 'posix_spawn,extern:sh examples/extern/spawn_server.sh'
#
# The protocol stands in FORMAT.md.

# The image is to get the environment that it is given, not that of this shell; and /dev/null as its
# input and output, not the pipes to forkbench.
unset $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p')
exec 8<&0 9>&1 </dev/null >/dev/null

while IFS= read -r line <&8; do
    value=${line#* }
    case $line in
    "forkbench-extern 1") ;;
    forkbench-extern*) echo "protocol $value is not known here" >&2; exit 1 ;;
    "image "*) image=$value ;;
    "arg "*) set -- "$@" "$value" ;;
    "env "*) export "$value" ;;
    end)
        shift # The first argument is the program's own name, which the shell gives it.
        echo ready >&9
        ;;
    spawn)
        "$image" "$@" 8<&- 9>&- &
        echo "spawned $!" >&9
        wait $!
        echo "reaped $?" >&9
        ;;
    ping) echo pong >&9 ;;
    esac
done
