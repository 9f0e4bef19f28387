#!/bin/sh
# Keeps one daemon running where nothing else does (init.d, cron):
#   keep-running.sh PROGRAM CONFIG STATE start|stop|restart|reload|status
# It is started again two seconds after whatever ended it, save after a wrong configuration file (78).
set -u

program=$1
config=$2
state=$3
self=$0
pidfile=$state/keeper.pid
log=$state/keeper.log

keeper() {
  pid=$(cat "$pidfile" 2>/dev/null) || return 1
  # Another process may have got the number since.
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF " $state keep" || return 1
  echo "$pid"
}

# The daemon's own log goes to the file that the configuration names; this one is for what it says besides.
trim() {
  while sleep 3600; do
    if [ "$(wc -c <"$log")" -gt 1000000 ]; then tail -c 100000 "$log" >"$log.new" && cat "$log.new" >"$log"; rm -f "$log.new"; fi
  done
}

case "$4" in
start)
  if keeper >/dev/null; then exit 0; fi
  mkdir -p "$state" && chmod 0700 "$state"
  : >"$log"
  setsid nohup "$self" "$program" "$config" "$state" keep >>"$log" 2>&1 </dev/null &
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if keeper >/dev/null; then exit 0; fi
    sleep 0.1
  done
  ;;
keep)
  echo $$ >"$pidfile"
  child=
  trim &
  # The whole session: the daemon, and the one that sleeps.
  finish() {
    trap '' TERM INT
    rm -f "$pidfile"
    kill -TERM 0 2>/dev/null
    exit "$1"
  }
  trap 'kill -HUP "$child" 2>/dev/null' HUP
  trap 'kill -TERM "$child" 2>/dev/null; wait "$child" 2>/dev/null; finish 0' TERM INT
  while true; do
    "$program" run --config "$config" &
    child=$!
    # A signal of ours ends the wait before the child has ended.
    while wait "$child"; status=$?; kill -0 "$child" 2>/dev/null; do :; done
    [ "$status" -ne 78 ] || break
    sleep 2
  done
  finish 78
  ;;
stop)
  pid=$(keeper) || exit 0
  kill -TERM "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 "$pid" 2>/dev/null || exit 0
    sleep 0.5
  done
  # It hangs: the session goes as a whole.
  kill -KILL -- "-$pid"
  rm -f "$pidfile"
  ;;
restart)
  "$self" "$program" "$config" "$state" stop
  exec "$self" "$program" "$config" "$state" start
  ;;
reload) kill -HUP "$(keeper)" ;;
status)
  if pid=$(keeper); then echo "running ($pid)"; else echo stopped; exit 3; fi
  ;;
esac
