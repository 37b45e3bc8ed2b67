# The last steps of scripts/provision: Asterisk's configuration, the two services, and their start.
# shellcheck shell=bash

readonly units=/etc/systemd/system
readonly asterisk_conf=/etc/kai/asterisk
readonly asterisk_state=/var/lib/kai/asterisk

provide_services() {
    step "configuring Asterisk in $asterisk_conf"
    write_asterisk_configuration
    # Asterisk makes none of these by itself; without them it cannot record.
    local directory
    put_directory "$asterisk_state" 750 kai-asterisk:kai-asterisk
    for directory in "$asterisk_state"/{keys,spool,spool/recording,spool/tmp,spool/voicemail}; do
        put_own_directory "$directory" 750 kai-asterisk
    done
    step "making the services"
    put_file scripts/systemd/kai.service "$units/kai.service" 644 root:root
    put_file scripts/systemd/kai-asterisk.service "$units/kai-asterisk.service" 644 root:root
    put_file scripts/systemd/kai-ari /usr/local/bin/kai-ari 755 root:root
    put_file scripts/systemd/kai-asterisk /usr/local/bin/kai-asterisk 755 root:root
    if [ -d /etc/logrotate.d ]; then
        put_file scripts/systemd/kai-asterisk.logrotate /etc/logrotate.d/kai-asterisk 644 root:root
    fi
    fit_service_to_tree
    name_the_host
    enable_services
}

write_asterisk_configuration() {
    local file
    put_directory "$asterisk_conf" 750 root:kai-asterisk
    # Without this shell's environment: secrets in it are not those of the services.
    env --ignore-environment PATH="$PATH" .venv/bin/kai-ari pbx write "$scratch/asterisk" \
        --config "$config" >/dev/null ||
        fail "Asterisk's configuration could not be written" \
            "put right what is said above, then run this again"
    for file in "$scratch"/asterisk/*; do
        put_file "$file" "$asterisk_conf/${file##*/}" 640 root:kai-asterisk
    done
    remove_others "$asterisk_conf" "$scratch/asterisk"
}

# In its tree Asterisk needs places to see this machine's files at. The users in there are not
# this machine's, whose own of the same number must not get in.
fit_service_to_tree() {
    local addition=$units/kai-asterisk.service.d/tree.conf path
    if [ -x "$tree/usr/sbin/asterisk" ]; then
        put_directory "${addition%/*}" 755 root:root
        put_file scripts/systemd/kai-asterisk-tree.conf "$addition" 644 root:root
        put_access "$tree" 750 root:kai-asterisk
        for path in "$asterisk_conf" "$asterisk_state" /var/{cache,log}/kai-asterisk; do
            mkdir -p "$tree$path"
        done
    elif [ -e "$addition" ]; then
        changing "using this machine's own Asterisk"
        rm "$addition"
    fi
}

# Asterisk asks DNS for the machine's name at each call, unless it is known here. In a chroot
# `hostname` is another machine's.
name_the_host() {
    local name
    name=$(cat /etc/hostname 2>/dev/null || hostname)
    if ! grep --quiet --word-regexp --fixed-strings "$name" /etc/hosts 2>/dev/null; then
        changing "naming $name in /etc/hosts"
        printf '127.0.1.1\t%s\n' "$name" >>/etc/hosts
    fi
}

enable_services() {
    local unit
    for unit in kai-asterisk.service kai.service; do
        [ -L "$units/multi-user.target.wants/$unit" ] && continue
        changing "enabling $unit"
        quietly systemctl enable "$unit" || fail_with_log "could not enable $unit" \
            "try: systemctl enable $unit"
    done
}

systemd_runs() { [ -d /run/systemd/system ]; }

# Started if they are not, and started again if they run on something older than what is there.
start_services() {
    systemctl daemon-reload
    if ! systemctl --quiet is-active kai-asterisk; then
        start_service kai-asterisk
    elif older kai-asterisk "$units"/kai-asterisk.service* "$asterisk_conf" "$(asterisk_program)"; then
        say "Asterisk takes its new configuration as soon as no call is up"
        /usr/local/bin/kai-asterisk -rx "core stop when convenient" >/dev/null
    fi
    if ! systemctl --quiet is-active kai; then
        start_service kai
    elif older kai "$units/kai.service" "$config" "$secrets" "$checkout/kai_ari" \
        "$checkout/models" "$checkout"/.venv/.kai-run; then
        say "starting Kai again, on what is new"
        start_service kai
    fi
}

start_service() {
    systemctl restart "$1" || fail "$1 does not start" "see: journalctl --unit $1 --lines 30"
}

# older SERVICE PATH...: did the service start before one of these changed? Packages bring files
# with an old time of their own, so it is the time of the change that counts.
older() {
    local service=$1 started
    shift
    started=$(systemctl show "$service" --property=ExecMainStartTimestamp --value --timestamp=us+utc)
    [ -n "$(find "$@" ! -name '__pycache__' ! -name '*.pyc' -newerct "$started" -print -quit)" ]
}

asterisk_program() {
    if [ -x "$tree/usr/sbin/asterisk" ]; then
        printf '%s' "$tree/usr/sbin/asterisk"
    else
        command -v asterisk
    fi
}

describe() {
    say "SIP phones dial in at $(addresses) (UDP 5060), with the accounts in $secrets/phones"
    say "after changing $config run this again: $checkout/scripts/provision"
}

# This machine's own, where phones on its network find it; Asterisk listens on IPv4.
addresses() {
    local address list=""
    for address in $(hostname --all-ip-addresses 2>/dev/null || true); do
        [[ $address == *:* ]] || list+="${list:+ or }$address"
    done
    printf '%s' "${list:-the address of this machine}"
}
