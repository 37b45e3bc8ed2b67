# The virtual environment `.venv`, with every package at the version in constraints.txt. Where
# packages come from is pip's own configuration.
# shellcheck shell=bash

readonly venv=$checkout/.venv
readonly pins=$checkout/scripts/constraints.txt
readonly without_dependencies=$checkout/scripts/requirements-nodeps.txt

have_python() { [ "$(stamp_of "$1")" = "$(cat "$venv/.kai-$1" 2>/dev/null)" ] && venv_works; }

venv_works() { [ -x "$venv/bin/kai-ari" ] && "$venv/bin/python" -c '' 2>/dev/null; }

# What the environment was made from, and where: one that was moved does not work.
stamp_of() {
    printf '%s\n' "$venv" | cat - pyproject.toml "$pins" "$without_dependencies" scripts/lib/python.sh | sha256sum
}

# The first Python that is new enough. `python3.11` first: it is what the pins were made on.
find_python() {
    local name
    for name in python3.11 python3 python3.12 python3.13; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$name"
            return
        fi
    done
    return 1
}

# Debian keeps venv in a package of its own.
venv_package() {
    local python
    [ -d "$venv" ] && return
    if python=$(find_python) && ! "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    fi
}

install_python() {
    local python extras
    python=$(find_python) ||
        fail "Kai needs Python 3.11 or later, this machine has $(python3 -V 2>&1 || true)" \
            "install one: on Debian 12, apt-get install python3"
    need_space "$checkout" 3000
    if ! venv_works; then
        say "making the virtual environment"
        quietly "$python" -m venv --clear "$venv" ||
            fail_with_log "could not make $venv" "is there space, and may root write there?"
    fi
    rm -f "$venv"/.kai-*
    extras=vosk,phones
    [ "$1" = tests ] && extras+=,test,lint
    say "installing Python packages ($extras)"
    install_pinned --upgrade setuptools wheel
    install_pinned --no-build-isolation -e "$checkout[$extras]"
    install_pinned --no-deps -r "$without_dependencies"
    venv_works || fail "$venv does not work" "remove it and run set-up again; see $log"
    stamp_of run >"$venv/.kai-run"
    if [ "$1" = tests ]; then stamp_of tests >"$venv/.kai-tests"; fi
}

install_pinned() {
    quietly "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
        --constraint "$pins" "$@" || fail_with_log "could not install Python packages" \
        "is the package index there (pip config list)? then run set-up again"
}
