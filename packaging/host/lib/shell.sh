# shellcheck shell=bash
# The command in the user's path, its manual page, and completions: links into the folder, so that they change with it.
# shellcheck disable=SC2154

# LINK TARGET, one a line.
shell_links() {
  local share=${XDG_DATA_HOME:-$HOME/.local/share} from=$folder/completions
  printf '%s\n' \
    "$HOME/.local/bin/printer-uplink|$folder/printer-uplink" \
    "$share/man/man1/printer-uplink.1|$from/printer-uplink.1" \
    "$share/bash-completion/completions/printer-uplink|$from/printer-uplink.bash" \
    "$share/fish/vendor_completions.d/printer-uplink.fish|$from/printer-uplink.fish"
}

# Where zsh looks by itself; nobody's home is among that.
zsh_link=/usr/local/share/zsh/site-functions/_printer-uplink

shell_help_add() {
  local link target
  while IFS='|' read -r link target; do
    # What lies there and is no link is somebody else's.
    if [ -e "$link" ] && [ ! -L "$link" ]; then continue; fi
    mkdir -p "$(dirname "$link")"
    ln -sfn "$target" "$link"
  done < <(shell_links)
  # Root was asked for the service already, or is not to be asked at all.
  case "$kind" in systemd | supervisor | initd) ;; *) return 0 ;; esac
  if command -v zsh >/dev/null && [ "$(readlink "$zsh_link")" != "$folder/completions/_printer-uplink" ]; then
    as_root mkdir -p "$(dirname "$zsh_link")"
    as_root ln -sfn "$folder/completions/_printer-uplink" "$zsh_link"
  fi
}

shell_help_remove() {
  local link target
  while IFS='|' read -r link target; do
    if [ "$(readlink "$link")" = "$target" ]; then rm -f "$link"; fi
  done < <(shell_links)
  if [ "$(readlink "$zsh_link")" = "$folder/completions/_printer-uplink" ]; then as_root rm -f "$zsh_link"; fi
}
