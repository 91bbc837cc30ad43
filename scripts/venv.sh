# Sourced by the scripts beside it: makes the virtual environment, and installs into it what changed.
# GNODE_ORM_VENV names another folder than .venv.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV=${GNODE_ORM_VENV:-$PWD/.venv}

find_python() {
    local candidate
    for candidate in python3.12 python3.11 python3.13 python3 python; do
        # Asked to run, as some names on the PATH are only shims of versions that are not installed.
        if "$candidate" -c 'import ensurepip, sqlite3, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python 3.11 or later with the modules venv and sqlite3 on the PATH" >&2
    return 1
}

make_venv() {
    if ! "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
        local python
        python=$(find_python)
        echo "== making $VENV with $("$python" --version)"
        "$python" -m venv "$VENV"
    fi
}

# install NAME [EXTRAS]: skipped while the stamp of that name is that of this clone and this pyproject.toml.
install() {
    local stamp="$VENV/installed-$1" wanted
    wanted=$(echo "$PWD"; cat pyproject.toml)
    make_venv
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "== installing gnode-orm${2:-} into $VENV"
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".${2:-}" </dev/null
        echo "$wanted" >"$stamp"
    fi
}
