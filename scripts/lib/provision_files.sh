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

# put_directory PATH MODE OWNER:GROUP, in a directory of root's, where a link is root's own
put_directory() {
    if [ ! -d "$1" ]; then
        changing "making $1"
        install -d -m "$2" -o "${3%:*}" -g "${3#*:}" "$1"
    else
        put_access "$@"
    fi
}

# put_access PATH MODE OWNER:GROUP, in a directory of root's
put_access() {
    [ "$(stat --dereference --format '%a %U:%G' "$1")" != "$2 $3" ] || return 0
    changing "giving $1 to $3, mode $2"
    chown "$3" "$1"
    chmod "$2" "$1"
}

# In a directory of its own a service can put a link in place of anything, also after root has
# looked. So what is in there its user makes, opens and closes; all that root does is give it away.

# put_own_directory PATH MODE USER, in a directory of USER's
put_own_directory() {
    refuse_link "$1"
    if [ ! -d "$1" ]; then
        changing "making $1"
        as_user "$3" mkdir --mode="$2" "$1" || fail "$3 cannot make $1" "see: ls -ld $1 ${1%/*}"
    else
        put_own_access "$@"
    fi
}

# put_own_access PATH MODE USER, in a directory of USER's
put_own_access() {
    refuse_link "$1"
    [ "$(stat --format '%a %U:%G' "$1")" != "$2 $3:$3" ] || return 0
    changing "giving $1 to $3, mode $2"
    give_away "$1" "$3"
    as_user "$3" chmod "$2" "$1" || fail "$3 cannot give $1 mode $2" "see: ls -ld $1 ${1%/*}"
}

# put_own_contents DIRECTORY USER: all that is in it is USER's alone
put_own_contents() {
    local path mode
    while IFS= read -r -d '' path; do
        if [ -d "$path" ]; then mode=700; else mode=600; fi
        put_own_access "$path" "$mode" "$2"
    done < <(find "$1" -mindepth 1 -print0)
}

# What leads elsewhere: a symbolic link, or a file that has another name besides.
refuse_link() {
    if [ -L "$1" ]; then
        fail "$1 is a symbolic link, which is not followed: a service may have made it" \
            "see where it leads (ls -l $1), remove it, then run this again"
    elif [ -f "$1" ] && [ "$(stat --format %h "$1")" -gt 1 ]; then
        fail "$1 is a file that has another name, too: a service may have linked it here" \
            "see which (find / -xdev -samefile $1), put a copy in its place, then run this again"
    fi
}

# give_away PATH USER: from within its directory once that is known to be USER's, and by a chown
# that follows no link. So nothing changes hands that is not in a directory of USER's.
give_away() (
    cd -P "${1%/*}"
    [ "$(stat --format %U .)" = "$2" ] ||
        fail "$1 is not in a directory of $2's" "see who changed ${1%/*} (ls -ld ${1%/*}), and why"
    chown --no-dereference "$2:$2" "./${1##*/}"
)

# as_user USER COMMAND...: with the rights of USER and no others
as_user() {
    setpriv --reuid="$1" --regid="$1" --clear-groups --no-new-privs "${@:2}"
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
