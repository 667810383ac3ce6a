#!/bin/sh
# Runs the Verifpal models and their variants, and compares each with expected.tsv.
#
#   run.sh             all
#   run.sh NAME...     only models whose name contains one of NAMEs
#   run.sh --keep DIR  leaves the variants in DIR, to read or to run by hand
#
# TIMEOUT is the time for one model in seconds (600). VERIFPAL names the program.
# Exit: 0 all as expected; 1 a difference, a timeout or an error; 77 nothing ran, because a tool is missing.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
limit=${TIMEOUT:-600}
recorded=1.6.7
keep=
if [ "${1:-}" = --keep ]; then
	keep=${2:?--keep needs a directory}
	shift 2
fi

verifpal=${VERIFPAL:-verifpal}
if ! command -v "$verifpal" >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/verifpal" ]; then
	verifpal=$HOME/.cargo/bin/verifpal
fi
for tool in "$verifpal" timeout awk; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "SKIPPED: all Verifpal models, because $tool is not installed"
		exit 77
	fi
done
version=$("$verifpal" --version | awk '{ print $2 }')
echo "verifpal $version, at most $limit s a model"
[ "$version" = "$recorded" ] || echo "note: expected.tsv was recorded with $recorded"

if [ -n "$keep" ]; then
	mkdir -p "$keep" && out=$(cd "$keep" && pwd) || exit 1
else
	out=$(mktemp -d) || exit 1
	trap 'rm -rf "$out"' EXIT
	trap 'exit 1' INT TERM
fi
cp "$here"/*.vp "$out"/ || exit 1
awk -v out="$out" -f "$here/variants.awk" "$here/variants.txt" || exit 1

wanted() {
	[ $# -eq 1 ] && return 0
	model=$1
	shift
	for part in "$@"; do
		case $model in *"$part"*) return 0 ;; esac
	done
	return 1
}

# The queries of a model that a result code like c0a1 marks with the digit given, as text.
queries() {
	awk -v code="$2" -v digit="$3" '
		/^queries\[/ { inside = 1; next }
		inside && NF && !/^\]/ {
			sub(/^[ \t]+/, "")
			if (substr(code, 2 * ++i, 1) == digit) printf "%s%s", n++ ? "; " : "", $0
		}' "$1"
}

good=0 bad=0 left=0 start=$(date +%s)
tab=$(printf '\t')
while IFS=$tab read -r model sessions expected; do
	case $model in '' | '#'*) continue ;; esac
	if ! wanted "$model" "$@"; then
		left=$((left + 1))
		continue
	fi
	if [ ! -f "$out/$model.vp" ]; then
		echo "DIFFERS  $model: no such model or variant"
		bad=$((bad + 1))
		continue
	fi
	began=$(date +%s)
	got=$(timeout "$limit" "$verifpal" verify "$out/$model.vp" --sessions "$sessions" --quiet --result-code 2>"$out/stderr")
	status=$?
	took=$(($(date +%s) - began))
	got=$(printf '%s\n' "$got" | tail -n 1)
	if [ $status -eq 124 ]; then
		echo "TIMEOUT  $model, $sessions session(s), $limit s"
		bad=$((bad + 1))
	elif [ $status -ne 0 ]; then
		echo "ERROR    $model, $sessions session(s):"
		sed 's/^/         /' "$out/stderr"
		bad=$((bad + 1))
	elif [ "$got" != "$expected" ]; then
		echo "DIFFERS  $model, $sessions session(s), $took s: expected $expected, got $got"
		bad=$((bad + 1))
	else
		attacks=$(queries "$out/$model.vp" "$got" 1)
		echo "ok       $model, $sessions session(s), $took s: ${attacks:+attack on }${attacks:-no attack found}"
		good=$((good + 1))
	fi
done <"$here/expected.tsv"
rm -f "$out/stderr"

# Whatever expected.tsv does not name was not run.
for file in "$out"/*.vp; do
	name=$(basename "$file" .vp)
	if ! awk -F "$tab" -v name="$name" '$1 == name { found = 1 } END { exit !found }' "$here/expected.tsv"; then
		echo "DIFFERS  $name: not in expected.tsv"
		bad=$((bad + 1))
	fi
done

[ $left -eq 0 ] || echo "SKIPPED: $left run(s), not asked for"
echo "$good as expected, $bad not, in $(($(date +%s) - start)) s"
[ $bad -eq 0 ] && [ $good -gt 0 ]
