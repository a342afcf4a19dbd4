#!/bin/sh
# Install the Debian packages that the full tests use: a browser without a screen, a font, a Litecoin node as the real
# node to test against, PostgreSQL, of which the tests start a server of their own, and faketime, which sets the clock of one
# process. `make system-deps`, as root.
#
# Does nothing, at once, when they are there. Where it cannot install (no apt-get, or not root) it says so: in CI that is a
# failure; elsewhere the tests that need them are skipped and counted.
set -eu

has_browser() {
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

has_font() {
    ls /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf >/dev/null 2>&1
}

has_node() {
    command -v litecoind >/dev/null 2>&1
}

has_postgresql() {
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

has_faketime() {
    command -v faketime >/dev/null 2>&1
}

give_up() {
    echo "system-deps: $1" >&2
    [ -z "${CI:-}" ] || exit 1
    echo "system-deps: tests that need a browser, a node, PostgreSQL or faketime will be skipped" >&2
    exit 0
}

if has_browser && has_font && has_node && has_postgresql && has_faketime; then
    echo "system-deps: all there"
    exit 0
fi
command -v apt-get >/dev/null 2>&1 || give_up "no apt-get here; install chromium, the DejaVu fonts, litecoind, postgresql and faketime by this system's own means"
[ "$(id -u)" = 0 ] || give_up "installing needs root; run: sudo make system-deps"

export DEBIAN_FRONTEND=noninteractive
install="apt-get install --yes --quiet=2 --no-install-recommends"
apt-get update --quiet=2
has_font || $install fonts-dejavu-core
has_browser || $install chromium-headless-shell || $install chromium
has_node || $install litecoind
# the package starts a cluster of its own as it is installed; the tests do not use it
has_postgresql || $install postgresql
has_faketime || $install faketime
has_browser || give_up "apt-get has brought no browser"
has_node || give_up "apt-get has brought no litecoind"
has_postgresql || give_up "apt-get has brought no PostgreSQL"
has_faketime || give_up "apt-get has brought no faketime"
