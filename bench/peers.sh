#!/usr/bin/env bash
# Runs Sonde through agent-cost.py, the script with which other agents were measured, so that its report can be read
# beside theirs: nginx under wrk or h2load, in pairs with and without the agent.
#
#   bench/peers.sh AGENT-COST.PY [PAIRS]      PAIRS pairs (default 5), then the report
#
# SEC (seconds a run, default 10), RATES and OUT are handed on as the script knows them.
set -euo pipefail
if [ $# -lt 1 ] || [ ! -r "$1" ]; then
  echo 'usage: bench/peers.sh AGENT-COST.PY [PAIRS]' >&2
  exit 2
fi
script=$(realpath "$1")
pairs=${2:-5}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

work=$(mktemp -d "${TMPDIR:-/tmp}/sonde-peers-XXXXXX")
chmod 755 "$work"
# The script puts server and client into control groups below this one.
CG=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/sonde-peers-$$
export CG
trap 'rm -rf "$work"; rmdir "$CG"/* "$CG" 2>/dev/null || true' EXIT

# The script asks for a page at a URL that it knows before the agent runs, so the ports are chosen here.
free_port() {
  node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}
metrics_port=$(free_port)
# Counts appear when their window closes, and the script takes a count that stood still for 0.7 s for the last one.
cat >"$work/sonde.yaml" <<YAML
processors:
  aggregate:
    window: 1s
exporters:
  prometheus:
    listen: 127.0.0.1:$metrics_port
control:
  listen: 127.0.0.1:0
YAML

export BASE=$work OUT=${OUT:-$work/runs} PORT
PORT=$(free_port)
export AGENT_NAME=sonde
export AGENT_CMD="'$root/bin/sonde' run --config '$work/sonde.yaml'"
export AGENT_METRICS=http://127.0.0.1:$metrics_port/metrics
# Labels come in any order.
export AGENT_COUNT_IN='^sonde_exchanges_total\{(?=[^}]*protocol="http")[^}]*role="server"'
export AGENT_COUNT_OUT='^sonde_exchanges_total\{(?=[^}]*protocol="http")[^}]*role="client"'
export AGENT_LOST_METRIC='^sonde_dropped_total\{'

python3 "$script" conf
python3 "$script" pairs "$pairs"
python3 "$script" report
