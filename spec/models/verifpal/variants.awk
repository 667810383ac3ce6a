# Makes the variants of variants.txt. Usage: awk -v dir=MODELS -v out=DIR -f variants.awk variants.txt
# OUT gets a copy of every model in MODELS that a variant is made from, and one file for each variant.
function trim(s) { gsub(/^[ \t]+|[ \t\r]+$/, "", s); return s }
function fail(why) { print "variants.txt: " name ": " why > "/dev/stderr"; failed = 1; exit 1 }
function load(base,    file, line, got) {
	n = 0
	file = out "/" base ".vp"
	while ((got = (getline line < file)) > 0) text[++n] = line
	close(file)
	if (got < 0) fail("no base " base)
}
function finish(    i, file) {
	if (name == "") return
	apply()
	file = out "/" name ".vp"
	print "// Variant of " base ".vp, made from variants.txt:" note > file
	for (i = 1; i <= n; i++) print text[i] > file
	close(file)
	name = ""
}
# Replaces every line equal to `old` by the `k` lines of new[]; several lines taken out in a row are
# taken out one by one, and only the last of them is replaced.
function apply(    i, j, m, hits, made) {
	if (old == "") return
	m = 0
	for (i = 1; i <= n; i++) {
		if (trim(text[i]) != old) { made[++m] = text[i]; continue }
		hits++
		for (j = 1; j <= k; j++) made[++m] = "\t" new[j]
	}
	if (!hits) fail("no line `" old "'")
	n = m
	for (i = 1; i <= n; i++) text[i] = made[i]
	old = ""; k = 0
}
/^= / {
	finish()
	name = $2; base = $4; note = ""
	if ($3 != "<" || base == "") fail("expected `= NAME < BASE'")
	load(base)
	next
}
/^- / { apply(); old = trim(substr($0, 3)); next }
/^\+ / { if (old == "") fail("+ without -"); new[++k] = trim(substr($0, 3)); next }
name != "" && !/^#/ && trim($0) != "" { note = note " " trim($0) }
END { if (!failed) finish() }
