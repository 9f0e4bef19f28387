# shellcheck shell=bash
# One daemon under whatever starts services on this host: systemd, Supervisor, init.d or cron.
# All take it from: service, kind, config, state, and folder (where the program is).
# shellcheck disable=SC2154

detect_kind() {
  if [ -d /run/systemd/system ]; then
    echo systemd
  elif command -v supervisorctl >/dev/null && [ -d /etc/supervisor/conf.d ]; then
    echo supervisor
  elif [ -d /etc/init.d ] && { command -v update-rc.d >/dev/null || [ -d /etc/rc.d ] || [ -d /etc/rc5.d ]; }; then
    echo initd
  elif command -v crontab >/dev/null; then
    echo cron
  else
    fail "neither systemd, Supervisor, init.d nor cron is here: start '$folder/printer-uplink run' yourself (--service none)"
  fi
}

service_file() {
  case "$kind" in
    systemd) echo "/etc/systemd/system/$service.service" ;;
    supervisor) echo "/etc/supervisor/conf.d/$service.conf" ;;
    initd) echo "/etc/init.d/$service" ;;
  esac
}

service_write() {
  local user group run="\"$folder/printer-uplink\" run --config \"$config\""
  user=$(id -un)
  group=$(id -gn)
  case "$kind" in
    systemd)
      # The package's own unit, with our paths: one hardening for both.
      sed -e "s|^ExecStart=.*|ExecStart=$run|" -e "s|^User=.*|User=$user|" -e "s|^Group=.*|Group=$group|" \
        -e "s|^EnvironmentFile=.*|EnvironmentFile=-$records/env|" \
        -e "s|^ProtectHome=.*|ProtectHome=read-only\nReadWritePaths=\"-$state\" \"-$data/config\" \"-$data/logs\"|" \
        -e '/^StateDirectory/d' -e '/^RuntimeDirectory/d' -e '/^Documentation=/d' \
        -e "1,2s|^# .*|# Written by $folder/install.sh; change it with: systemctl edit $service|" \
        "$folder/config/systemd/printer-uplink.service" | sed '2{/^# Written/d}' |
        write_as_root 0644 "$(service_file)"
      as_root systemctl daemon-reload
      as_root systemctl --quiet enable "$service"
      ;;
    # Supervisor, as shells do, takes what stands in quotes as one word.
    supervisor)
      write_as_root 0644 "$(service_file)" <<TEXT
; Written by $folder/install.sh.
[program:$service]
command=$run
user=$user
environment=HOME="$HOME"
; 78: the configuration file is wrong; another start would not mend it.
autorestart=unexpected
exitcodes=78
startsecs=2
startretries=1000000
stopwaitsecs=5
redirect_stderr=true
; Root opens it, so it does not lie where others may put a link.
stdout_logfile=/var/log/supervisor/$service.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=1
TEXT
      as_root mkdir -p /var/log/supervisor
      as_root supervisorctl reread >/dev/null
      as_root supervisorctl update "$service" >/dev/null
      ;;
    initd)
      write_as_root 0755 "$(service_file)" <<TEXT
#!/bin/sh
### BEGIN INIT INFO
# Provides:          $service
# Required-Start:    \$local_fs \$network
# Required-Stop:     \$local_fs \$network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: connects a Klipper printer to several clouds
### END INIT INFO
# Written by $folder/install.sh.
keeper="'$folder/keep-running.sh' '$folder/printer-uplink' '$config' '$state'"
case "\$1" in
start | stop | restart | reload | status)
  if [ "\$(id -un)" = "$user" ]; then exec /bin/sh -c "exec \$keeper \$1"; fi
  exec su -s /bin/sh -c "\$keeper \$1" $user
  ;;
*) echo "usage: \$0 start|stop|restart|reload|status" >&2; exit 2 ;;
esac
TEXT
      if command -v update-rc.d >/dev/null; then
        as_root update-rc.d "$service" defaults >/dev/null 2>&1
      elif [ -d /etc/rc.d ]; then
        as_root ln -sfn "../init.d/$service" "/etc/rc.d/S99$service"
      else
        as_root ln -sfn "../init.d/$service" "/etc/rc5.d/S99$service"
      fi
      ;;
    cron)
      {
        crontab -l 2>/dev/null | grep -v "# $service\$" || true
        echo "@reboot '$folder/keep-running.sh' '$folder/printer-uplink' '$config' '$state' start # $service"
      } | crontab -
      ;;
  esac
}

# service_do start|stop|restart
service_do() {
  case "$kind" in
    # What it has to say of a failure stands in last_words, with what the daemon says.
    systemd) as_root systemctl "$1" "$service" 2>/dev/null ;;
    supervisor)
      # Supervisor answers success also where it has stopped already.
      as_root supervisorctl "$1" "$service" >/dev/null
      ;;
    initd) as_root "/etc/init.d/$service" "$1" ;;
    cron) "$folder/keep-running.sh" "$folder/printer-uplink" "$config" "$state" "$1" ;;
    none) ;;
  esac
}

service_remove() {
  case "$kind" in
    systemd)
      as_root systemctl --quiet disable --now "$service" 2>/dev/null || true
      as_root rm -rf "$(service_file)" "/etc/systemd/system/$service.service.d"
      as_root systemctl daemon-reload
      ;;
    supervisor)
      as_root rm -f "$(service_file)"
      as_root supervisorctl reread >/dev/null || true
      as_root supervisorctl update "$service" >/dev/null || true
      as_root rm -f "/var/log/supervisor/$service.log" "/var/log/supervisor/$service.log.1"
      ;;
    initd)
      service_do stop >/dev/null 2>&1 || true
      if command -v update-rc.d >/dev/null; then
        as_root update-rc.d -f "$service" remove >/dev/null 2>&1 || true
      fi
      as_root rm -f "$(service_file)" "/etc/rc.d/S99$service" "/etc/rc5.d/S99$service"
      ;;
    cron)
      service_do stop >/dev/null 2>&1 || true
      { crontab -l 2>/dev/null | grep -v "# $service\$" || true; } | crontab -
      ;;
  esac
}

# The same for a kind that is not the present one.
service_remove_as() {
  local kind=$1
  service_remove
}

# Waits until the daemon answers on its control socket, and still does a moment later.
comes_up() {
  [ "$kind" != none ] || return 0
  local attempt good=0
  for ((attempt = 0; attempt < ${UPLINK_PATIENCE:-30}; attempt++)); do
    if "$folder/printer-uplink" status --config "$config" >/dev/null 2>&1; then
      good=$((good + 1))
      [ $good -lt 3 ] || return 0
    else
      good=0
    fi
    sleep 1
  done
  return 1
}

# What it said last.
last_words() {
  case "$kind" in
    systemd) as_root journalctl --no-pager -o cat -n 8 -u "$service" ;;
    supervisor) as_root tail -n 8 "/var/log/supervisor/$service.log" ;;
    *) tail -n 8 "$state/keeper.log" ;;
  esac 2>/dev/null | sed 's/^/    /' >&2
}

# restart_all EXCEPT: every daemon of this folder, each as this release describes its service; leaves the first that
# does not come up as the loaded record.
restart_all() {
  local record except=$1
  list_records
  for record in ${known_records[@]+"${known_records[@]}"}; do
    load_record "$record"
    if [ "$kind" != none ] && [ "$service" != "$except" ]; then
      renew_service || return 1
      service_do restart || return 1
      comes_up || return 1
    fi
  done
}

# With the functions of the release in place, which may write another unit than those that run here.
renew_service() (
  # shellcheck source=/dev/null
  . "$folder/lib/common.sh"
  # shellcheck source=/dev/null
  . "$folder/lib/service.sh"
  service_write
)
