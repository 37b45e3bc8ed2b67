# The steps of scripts/provision up to the configuration: everything but the services.
# shellcheck shell=bash

readonly config=/etc/kai/kai.yaml
readonly secrets=/etc/kai/secrets
readonly data=/var/lib/kai/data
# What of a checkout is installed; tests and tools for developers are not.
readonly parts=(kai_ari asterisk-conf models scripts pyproject.toml README.md LICENSE CHANGELOG.md)

require_machine() {
    [ "$(id -u)" -eq 0 ] || fail "it installs packages and makes users, so it runs as root" \
        "sudo scripts/provision"
    command -v systemctl >/dev/null || fail "there is no systemd on this machine" \
        "use Debian 12 or later with systemd, or scripts/up for a trial without services"
    if [ "$(systemctl is-enabled asterisk.service 2>/dev/null)" = enabled ]; then
        fail "this machine has an Asterisk of its own, enabled as asterisk.service" \
            "use Kai with it (README.md, \"an Asterisk you have\"), or: systemctl disable --now asterisk"
    fi
}

lock_out_others() {
    mkdir -p /var/lib/kai
    exec 9>>/var/lib/kai/.setup.lock
    flock --nonblock 9 || {
        say "another set-up is running; waiting for it"
        flock 9
    }
}

provide_packages() {
    have_packages && return
    changing "installing packages"
    install_packages
}

provide_asterisk() {
    have_asterisk && return
    changing "installing Asterisk"
    install_asterisk
}

provide_users() {
    local user
    step "making the users kai and kai-asterisk"
    for user in kai kai-asterisk; do
        getent passwd "$user" >/dev/null && continue
        changing "making the user $user"
        quietly useradd --system --user-group --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin "$user" ||
            fail_with_log "could not make the user $user" "is /etc on a file system that is full?"
    done
}

# A copy, so that neither a checkout that moves nor one that is edited changes what runs, and so
# that Kai cannot write its own code. Contents decide, not times; models fetched later stay.
provide_code() {
    local differences
    step "installing Kai into $checkout"
    if [ "$delivered" != "$checkout" ]; then
        put_directory "$checkout" 755 root:root
        differences=$(update_code --dry-run)
        if [ -n "$differences" ]; then
            changing "copying $delivered to $checkout"
            update_code >>"$log" || fail "could not copy Kai to $checkout" "is there space?"
        fi
    fi
    cd "$checkout"
    if ! have_python run; then
        changing "installing Python packages"
        install_python run
    fi
    if [ -n "${differences:-}" ]; then
        quietly .venv/bin/python -m compileall -q kai_ari ||
            fail_with_log "Kai's code cannot be compiled" "is the checkout complete?"
    fi
}

update_code() {
    (cd "$delivered" && rsync --recursive --links --perms --owner --group --checksum --delete \
        --itemize-changes --chown=root:root --chmod=D755,Fu+rw,Fgo-w,Fugo+rX \
        --exclude=__pycache__ --exclude='*.egg-info' --filter='protect /models/**' \
        "$@" "${parts[@]}" "$checkout/")
}

provide_configuration() {
    step "configuring Kai in /etc/kai"
    put_directory /etc/kai 755 root:root
    put_directory "$secrets" 700 kai:kai
    put_directory "$data" 700 kai:kai
    if [ ! -e "$config" ]; then
        example_config >"$scratch/kai.yaml"
        put_file "$scratch/kai.yaml" "$config" 640 root:kai
    fi
    put_access "$config" 640 root:kai
    # Those that were written by hand, such as a trunk's password, may be root's or open to others.
    put_own_contents "$secrets" kai
    as_user kai .venv/bin/python scripts/lib/provision_secrets.py "$config" "$data" "$secrets" \
        >"$scratch/made" ||
        fail "Kai cannot work with $config" "put right what is said above, then run this again"
    if [ -s "$scratch/made" ]; then changing "made $(tr '\n' ' ' <"$scratch/made")"; fi
}

# Kai's own example, with its directories where a service keeps them.
example_config() {
    .venv/bin/python -c 'from kai_ari.config.load import example; print(example(), end="")' |
        sed -e "s|\.kai/data|$data|" -e "s|\.kai/secrets|$secrets|" \
            -e "s|: models/|: $checkout/models/|"
}
