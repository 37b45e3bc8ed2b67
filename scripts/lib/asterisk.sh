# Asterisk: the system's own when it is new enough, else Debian testing's in a root directory of
# its own, where it harms no package of this machine and none of them harms it.
# shellcheck shell=bash

readonly tree=/var/lib/kai/asterisk-root
readonly tree_packages="asterisk asterisk-core-sounds-en-wav"
readonly unchecked_dates='Acquire::Check-Valid-Until=false'

have_asterisk() { [ -x "$tree/usr/sbin/asterisk" ] || new_enough asterisk; }

# new_enough COMMAND...: 20.18, 22.8 and later have chan_websocket.
new_enough() {
    command -v "$1" >/dev/null || return 1
    local version major minor
    version=$("$@" -V 2>/dev/null) || return 1
    [[ $version =~ ^Asterisk\ ([0-9]+)\.([0-9]+) ]] || return 1
    major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
    ((major >= 23 || (major == 22 && minor >= 8) || (major == 20 && minor >= 18)))
}

install_asterisk() {
    need_space /var/lib/kai 3000
    local building
    remove_half_built
    building=$(mktemp -d /var/lib/kai/.asterisk-root.XXXXXX)
    chmod 755 "$building"
    if [ -n "${KAI_ASTERISK_TREE:-}" ]; then
        copy_tree "$KAI_ASTERISK_TREE" "$building"
    else
        fetch_tree "$building"
    fi
    mv -T "$building" "$tree" # only now: a half-built one is never used
}

# A tree that set-up made elsewhere, such as one carried to where there is no internet.
copy_tree() {
    local offered=$1 building=$2 part
    new_enough in_tree "$offered" asterisk ||
        fail "KAI_ASTERISK_TREE=$offered holds no Asterisk of 20.18, 22.8 or later" \
            "give a tree that scripts/setup made, or unset it"
    say "copying the Asterisk in $offered"
    for part in "$offered"/*; do
        case ${part##*/} in
            proc | run | srv | sys | tmp) mkdir "$building/${part##*/}" ;; # what runs there keeps
            *) quietly cp -a --reflink=auto "$part" "$building/" ||
                fail_with_log "could not copy $part" "is there space, and can it be read?" ;;
        esac
    done
    chmod 1777 "$building/tmp"
}

fetch_tree() {
    local building=$1 script options
    say "fetching Debian testing into $tree (about half a minute)"
    # Its name changes with each release of Debian; the script for it has long been the same.
    script=/usr/share/debootstrap/scripts/testing
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    quietly debootstrap --variant=minbase testing "$building" "$(debian_mirror)" "$script" ||
        fail_with_log "could not fetch Debian testing" "is the network there? then run set-up again"
    printf '#!/bin/sh\nexit 101\n' >"$building/usr/sbin/policy-rc.d" # start no service in there
    chmod 755 "$building/usr/sbin/policy-rc.d"
    say "installing Asterisk into it"
    options=()
    if ! quietly in_tree "$building" apt-get -q update; then
        grep -q 'is expired\|not valid' "$log" ||
            fail_with_log "apt-get update failed in $building" "is the network there?"
        say "the index of Debian testing is past its date: using it all the same"
        options=(-o "$unchecked_dates")
        quietly in_tree "$building" apt-get -q "${options[@]}" update ||
            fail_with_log "apt-get update failed in $building" "is the network there?"
    fi
    # shellcheck disable=SC2086 # one word per package
    quietly in_tree "$building" apt-get -y -q "${options[@]}" install --no-install-recommends \
        $tree_packages || fail_with_log "could not install Asterisk" "then run set-up again"
    new_enough in_tree "$building" asterisk ||
        fail "Debian testing brought an Asterisk that is too old" "see $log"
    quietly in_tree "$building" apt-get clean
}

in_tree() {
    local root=$1
    shift
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" "$@"
}

# Of an earlier set-up that was interrupted; debootstrap mounts /proc while it works.
remove_half_built() {
    local left
    for left in /var/lib/kai/.asterisk-root.*; do
        [ -d "$left" ] || continue
        if mountpoint -q "$left/proc"; then umount "$left/proc"; fi
        rm -rf --one-file-system "$left"
    done
}

# The mirror this machine uses, when it is a Debian; else debootstrap's own default.
debian_mirror() {
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 !~ /security|updates|backports/ { print $3; exit }'
}
