# What the checks on a real systemd share; sourced, never run.
# shellcheck shell=bash

# Everything is installed, started, killed and purged here.
if [[ ${SOS_HUB_THROW_AWAY_MACHINE:-} != yes ]]; then
    echo "This takes the machine that it runs on to pieces: set SOS_HUB_THROW_AWAY_MACHINE=yes in a guest for it." >&2
    exit 64
fi
((EUID == 0)) || { echo "run this as root" >&2; exit 64; }
[[ -d /run/systemd/system ]] || { echo "there is no systemd here" >&2; exit 64; }
for program in mosquitto mosquitto_pub jq; do
    command -v "$program" >/dev/null || { echo "install $program first (Debian: mosquitto mosquitto-clients jq)" >&2; exit 64; }
done

passed=0 failed=0
# What is put aside, and what is made for a check.
aside=/var/tmp/sos-hub-checks
mkdir -p "$aside"

# check SENTENCE COMMAND...: whether the promise is kept.
check() {
    local promise=$1
    shift
    if "$@" >"$aside/said" 2>&1; then
        passed=$((passed + 1))
        printf 'PASS  %s\n' "$promise"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s\n' "$promise"
        sed 's/^/      /' "$aside/said" | tail -n 20
    fi
}

# note TEXT...: a figure worth keeping.
note() { printf '      %s\n' "$*"; }

# within SECONDS COMMAND...: waits until the command succeeds. Sets TOOK, in milliseconds.
within() {
    local begun limit=$1
    shift
    begun=$(now)
    until "$@" >/dev/null 2>&1; do
        TOOK=$(($(now) - begun))
        ((TOOK < limit * 1000)) || { echo "not within $limit s: $*"; return 1; }
        sleep 0.05
    done
    TOOK=$(($(now) - begun))
    # The last look may have been a long one.
    ((TOOK <= limit * 1000)) || { echo "only after $TOOK ms: $*"; return 1; }
}

# The time since the boot in milliseconds.
now() {
    local up
    read -r up _ </proc/uptime
    echo "$((10#${up/./} * 10))"
}

end_of_checks() {
    printf '%s of %s promises are kept\n' "$passed" $((passed + failed))
    ((failed == 0))
}

unit() { systemctl show --value --property "$2" "$1"; }
is() { [[ $1 == "$2" ]] || { echo "'$1' is not '$2'"; return 1; }; }
nothing_failed() { is "$(systemctl --failed --plain --no-legend | grep -v mosquitto || true)" ""; }
is_active() { systemctl --quiet is-active "$1"; }
refused() { ! "$@"; }

# The state that the hub has published last.
state() { sos-hub status --json; }
state_is() { [[ $(state | jq -r "$1") == "$2" ]] || { state; return 1; }; }
# The incident that is open, or came last.
incident() { state | jq -r '.incidents[-1].id'; }

# As an app does it.
publish() { # TOPIC PAYLOAD
    mosquitto_pub -u sos-app -P "$(</etc/sos-hub/client-app.password)" -t "sos/home/$1" -m "$2"
}

# A monitoring center on this machine, with a broker of its own and an account for the hub: its bundle is in $aside/bundle.
# It runs in "operator" mode, where an alarm stays open until a person does something.
start_center() {
    printf 'listener 1884 127.0.0.1\nallow_anonymous true\n' >/run/center-broker.conf
    systemd-run --quiet --unit=center-broker mosquitto -c /run/center-broker.conf
    cat >/etc/sos-hub/center.toml <<'TOML'
[broker]
host = "127.0.0.1"
port = 1884
TOML
    sos-center account add a-1 --name "The Millers" --address "12 Elm Street" --plan protect_plus \
        --contact "Ann:+1 555 0101" --password heron --out $aside/bundle >/dev/null || return
    systemctl start sos-center
}
