# Files and directories that are made once, and changed only when they differ: what is right keeps
# even its time of change, by which services know that they run on what is there.
# shellcheck shell=bash

changed=""
step=""
scratch=$(mktemp -d)
readonly scratch
trap 'rm -rf "$scratch"' EXIT

# step WHAT: said with the first change that follows; the changes themselves go to the log
step() { step=$1; }

# changing WHAT: before each change
changing() {
    [ -n "$changed" ] || start_log
    changed=yes
    [ -z "$step" ] || say "$step"
    step=""
    printf '* %s\n' "$1" >>"$log"
}

# put_directory PATH MODE OWNER:GROUP
put_directory() {
    if [ ! -d "$1" ]; then
        changing "making $1"
        install -d -m "$2" -o "${3%:*}" -g "${3#*:}" "$1"
    else
        put_access "$@"
    fi
}

# put_access PATH MODE OWNER:GROUP
put_access() {
    [ "$(stat --format '%a %U:%G' "$1")" != "$2 $3" ] || return 0
    changing "giving $1 to $3, mode $2"
    chown "$3" "$1"
    chmod "$2" "$1"
}

# put_file NEW PATH MODE OWNER:GROUP: PATH becomes a copy of NEW, whole or not at all
put_file() {
    if ! cmp --quiet "$1" "$2"; then
        changing "writing $2"
        install -m "$3" -o "${4%:*}" -g "${4#*:}" "$1" "$2.new"
        mv -T "$2.new" "$2"
    else
        put_access "$2" "$3" "$4"
    fi
}

# remove_others DIRECTORY NEW: of the files in DIRECTORY those that NEW has not
remove_others() {
    local file
    for file in "$1"/*; do
        [ -e "$file" ] && [ ! -e "$2/${file##*/}" ] || continue
        changing "removing $file"
        rm "$file"
    done
}
