# Packages of the system's own.
# shellcheck shell=bash

# espeak-ng speaks for pyttsx3; debootstrap and its keyring fetch Asterisk. Each script adds its own.
packages=(ca-certificates debian-archive-keyring debootstrap espeak-ng libespeak-ng1)
# The tests start virtual machines' set-up (Vagrantfile) and services (systemd) without a hypervisor,
# and gateways for text messages of their own.
readonly test_packages=(gammu-smsd iproute2 kannel kannel-extras ruby)
# What Debian would start by itself: here only tests start it.
readonly started_by_tests=(gammu-smsd kannel)

have_packages() {
    local missing
    missing=$(missing_packages) && [ -z "$missing" ]
}

missing_packages() {
    local package
    for package in "${packages[@]}" $(venv_package); do
        [ -e "/var/lib/dpkg/info/$package.list" ] ||
            compgen -G "/var/lib/dpkg/info/$package:*.list" >/dev/null || printf '%s ' "$package"
    done
}

install_packages() {
    command -v apt-get >/dev/null ||
        fail "this is no Debian or Ubuntu: there is no apt-get" "use Debian 12 or later"
    need_space /var 500
    local missing
    missing=$(missing_packages)
    say "installing system packages: $missing"
    mask_services "$missing"
    apt_update
    # shellcheck disable=SC2086 # one word per package
    quietly apt_get install --no-install-recommends $missing || apt_failed "could not install $missing"
}

# mask_services PACKAGES: those that are about to come with a service nobody asked for
mask_services() {
    local service
    for service in "${started_by_tests[@]}"; do
        [[ " $1" == *" $service "* ]] || continue
        mkdir -p /etc/systemd/system
        [ -e "/etc/systemd/system/$service.service" ] ||
            ln -sf /dev/null "/etc/systemd/system/$service.service"
    done
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=120 "$@"
}

apt_update() {
    quietly apt_get update || apt_failed "apt-get update failed"
}

apt_failed() {
    if grep -q 'Could not get lock' "$log"; then
        fail_with_log "$1" "another program is using apt: wait for it to end, then run set-up again"
    fi
    fail_with_log "$1" "is the network there, and are apt's sources right? try: apt-get update"
}
