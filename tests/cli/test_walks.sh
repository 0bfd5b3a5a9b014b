# strait scatter and pictures of maps; interpolate, perturb, sample, manifold, components.
. "$(dirname "$0")/lib.sh"
make_small_run
run encode small-001 small-images-idx3-ubyte -o z.npy

# A variational model of the same data.
sed 's/name: small/name: vae/; s/dense: {units: 8, activation: relu}/gaussian: {units: 2, beta: 0.001}/' small.yaml >vae.yaml
"$program" train vae.yaml --quiet >"$out" 2>"$err" || { cat "$err"; echo "FAIL no variational run"; exit 1; }

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] || fail "$1 is no PNG"; }
is_svg() { grep -q '^<svg ' "$1" && [ "$(tail -1 "$1")" = '</svg>' ] || fail "$1 is no SVG"; }
rows() { wc -l <"$1" | tr -d ' '; }

check "scatter draws two axes of the latents, by label, light and dark"
run scatter small-001 small-images-idx3-ubyte --axes 0,2 -o axes.png --json
expect_exit 0
expect_json samples axes picture
is_png axes.png
run scatter small-001 small-images-idx3-ubyte --axes 0,2 -o axes.svg --theme dark
expect_exit 0
expect_stdout '^axes.svg  200 samples'
is_svg axes.svg
grep -q '>latent 2</text>' axes.svg && grep -q '>Latents of small-images-idx3-ubyte</text>' axes.svg || fail "words are missing"
[ "$(grep -c '<circle' axes.svg)" = 204 ] || fail "not 200 points and 4 entries of the legend"
grep -q '#181a1f' axes.svg || fail "it is not dark"

check "scatter of latents that encode wrote, with labels of another; three axes"
run scatter z.npy --data small-images-idx3-ubyte --axes 0,1,2 -o three.svg
expect_exit 0
grep -q '>value 2</text>' three.svg && [ "$(grep -c '<circle' three.svg)" = 204 ] || fail "not three axes by label"
run scatter z.npy -o plain.svg
expect_exit 0
[ "$(grep -c '<circle' plain.svg)" = 200 ] || fail "without labels there is no legend"

check "points coloured by a table, a value, an array"
run cluster z.npy -k 3 -o clusters.csv --seed 1
run scatter z.npy --color clusters.csv -o by.svg
expect_exit 0
[ "$(grep -c '<circle' by.svg)" = 203 ] || fail "not three clusters"
{ echo 'a,"b ""c"""' && seq 1 200 | sed 's/.*/x&,0.&/'; } >table.csv
run scatter z.npy --color 'table.csv:b "c"' -o by.svg
expect_exit 0
grep -q '>b &quot;c&quot;</text>' by.svg || fail "the column's name is not told"
run scatter z.npy --color 3 -o by.svg
expect_exit 0
grep -q '>value 3</text>' by.svg || fail "no scale of value 3"
run scatter small-001 small-images-idx3-ubyte --color none -o by.svg
[ "$(grep -c '<circle' by.svg)" = 200 ] || fail "there is a legend"

check "thumbnails on a map, in SVG too"
run umap z.npy --epochs 20 --data small-images-idx3-ubyte --picture map.svg --thumbnails
expect_exit 0
[ "$(grep -c '<image' map.svg)" = 1 ] && grep -q '>UMAP 1</text>' map.svg || fail "not one image"
run tsne small-001 small-images-idx3-ubyte --iterations 50 -o map.npy --picture map.png --thumbnails --json
expect_exit 0
expect_json file picture
is_png map.png
run pca small-images-idx3-ubyte --map pca.svg --picture variance.svg --components parts.svg --theme dark
expect_exit 0
expect_stdout '^pca.svg'
grep -q '>component 1 (' pca.svg || fail "no axis of the first component"
is_svg variance.svg
is_svg parts.svg
run neighbors small-001 small-images-idx3-ubyte --of 3 -n 4 --picture near.svg
expect_exit 0
is_svg near.svg

check "interpolate: ends are those of the samples, decoded"
run interpolate small-001 small-images-idx3-ubyte --from 3 --to 9 --steps 5 --latents line.csv -o line.npy --picture line.png --json
expect_exit 0
expect_json from to distance samples picture output latents
is_png line.png
[ "$(rows line.csv)" = 5 ] || fail "not 5 latents"
run encode small-001 small-images-idx3-ubyte -o z.csv
[ "$(sed -n 4p z.csv)" = "$(sed -n 1p line.csv)" ] && [ "$(sed -n 10p z.csv)" = "$(sed -n 5p line.csv)" ] ||
    fail "the ends are other latents"
run decode small-001 z.npy -o all.csv
run interpolate small-001 small-images-idx3-ubyte --from 3 --to 9 --steps 1 -o one.csv
[ "$(rows one.csv)" = 1 ] || fail "one step is not one sample"
awk -F, 'NR == FNR { if (FNR == 4) for (i = 1; i <= NF; i++) a[i] = $i; next } { for (i = 1; i <= NF; i++) if ((a[i] - $i) ^ 2 > 1e-10) bad = 1 } END { exit bad || !(1 in a) }' all.csv one.csv ||
    fail "the first is not what decode makes of the sample's latent"

check "interpolate along a great circle; equal ends"
run interpolate small-001 small-images-idx3-ubyte --from 3 --to 9 --spherical --latents arc.csv
expect_exit 0
[ "$(rows arc.csv)" = 11 ] || fail "not 11 steps"
cmp -s arc.csv line.csv && fail "the arc is the line"
run interpolate small-001 small-images-idx3-ubyte --from 3 --to 3 --spherical --latents same.csv
expect_exit 0
[ "$(sort -u same.csv | wc -l | tr -d ' ')" = 1 ] || fail "equal ends give different latents"

check "samples by name"
mkdir pictures
if command -v python3 >/dev/null; then
    python3 - <<'PY'
import struct, zlib
def chunk(kind, body):
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
for name, level in (('dark', 20), ('light', 230)):
    lines = b''.join(b'\0' + bytes([level] * 12) for _ in range(12))
    open('pictures/%s.png' % name, 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 12, 12, 8, 0, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(lines)) + chunk(b'IEND', b''))
PY
    run interpolate small-001 pictures --from light.png --to dark.png --steps 3 --latents named.csv --json
    expect_exit 0
    [ "$(json .from)" = 1 ] && [ "$(json .to)" = 0 ] || fail "not the samples of these names"
    expect_refused 'no sample grey.png.*none is called so' interpolate small-001 pictures --from grey.png --to dark.png --latents x.csv
fi

check "perturb: the first is the sample's own, the others lie at the radius"
run perturb small-001 small-images-idx3-ubyte --of 17 --radius 0.5 -n 6 --latents around.csv --picture around.svg --json
expect_exit 0
expect_json of radius samples
is_svg around.svg
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) a[i] = $i; next } { s = 0; for (i = 1; i <= NF; i++) s += (a[i] - $i) ^ 2; if (sqrt(s) < 0.4999 || sqrt(s) > 0.5001) exit 1; n++ } END { if (n != 6) exit 1 }' around.csv ||
    fail "not six at the radius"
run perturb small-001 small-images-idx3-ubyte --of 17 --radius 0.5 -n 6 --latents again.csv
cmp -s around.csv again.csv || fail "the same seed gives others"
run perturb small-001 small-images-idx3-ubyte --of 17 --radius 0.5 -n 6 --latents again.csv --seed 1
cmp -s around.csv again.csv && fail "another seed gives the same"

check "sample: from the prior of a variational model, else from a mixture"
run sample vae-001 -n 9 --picture new.png --latents prior.csv --json
expect_exit 0
[ "$(json .distribution)" = prior ] && [ "$(rows prior.csv)" = 9 ] || fail "not nine of the prior"
run sample small-001 small-images-idx3-ubyte -k 2 -n 9 -o new.csv --json
expect_exit 0
[ "$(json .distribution)" = mixture ] && [ "$(json .components)" = 2 ] && [ "$(rows new.csv)" = 9 ] || fail "not of a mixture"

check "manifold: quantiles of the prior, or the latents' plane"
run manifold vae-001 --steps 3 --range 1.6448536269514729 --latents plane.csv --picture plane.png --json
expect_exit 0
[ "$(json .plane)" = axes ] && [ "$(rows plane.csv)" = 9 ] || fail "not 3 by 3"
# From 5 % to 95 %, the top left first: across less, up more.
expect_near "the top left" "$(head -1 plane.csv | cut -d, -f1)" -1.6448536 1e-6
expect_near "the top left" "$(head -1 plane.csv | cut -d, -f2)" 1.6448536 1e-6
run manifold small-001 small-images-idx3-ubyte --steps 4 -o plane.npy --picture plane.svg --json
expect_exit 0
[ "$(json .plane)" = components ] && [ "$(grep -c '<image' plane.svg)" = 16 ] || fail "not 4 by 4 along components"
run manifold small-001 small-images-idx3-ubyte --axes 1,5 --steps 2 --latents plane.csv
expect_exit 0
[ "$(rows plane.csv)" = 4 ] || fail "not 2 by 2"

check "components: rows from -3 to 3 deviations, the mean in the middle"
run components small-001 small-images-idx3-ubyte -k 2 --steps 3 --latents parts.csv --picture parts.png --json
expect_exit 0
expect_json k steps variance explained
[ "$(rows parts.csv)" = 6 ] || fail "not 2 of 3"
[ "$(sed -n 2p parts.csv)" = "$(sed -n 5p parts.csv)" ] || fail "the mean is not in the middle of each"
run components small-001 small-images-idx3-ubyte --steps 1 -k 1 --latents parts.csv
[ "$(rows parts.csv)" = 1 ] || fail "one step is not the mean alone"

check "what cannot be"
expect_refused 'axes takes 2 or 3 different numbers' scatter z.npy --axes 0 -o x.png
expect_refused 'axes takes 2 or 3 different numbers' scatter z.npy --axes 1,1 -o x.png
expect_refused 'there is no axis 8' scatter z.npy --axes 0,8 -o x.png
expect_refused 'light or dark' scatter z.npy --theme grey -o x.png
expect_refused '\.png or \.svg' scatter z.npy -o x.gif
expect_refused 'there are no labels' scatter z.npy --color label -o x.png
expect_refused 'a point has 8 values' scatter z.npy --color 8 -o x.png
expect_refused "no column 'nothing'" scatter z.npy --color clusters.csv:nothing -o x.png
expect_refused 'none of: labels' scatter z.npy --color blue -o x.png
head -5 clusters.csv >short.csv
expect_refused 'short.csv has 4 rows.*200 points' scatter z.npy --color short.csv -o x.png
printf 'a,b\n1\n' >ragged.csv
expect_refused 'ragged.csv:2: the line has 1 fields' scatter z.npy --color ragged.csv:b -o x.png
expect_refused 'no.csv: No such file' scatter z.npy --color no.csv -o x.png
expect_refused 'takes images' scatter z.npy --thumbnails -o x.png
expect_refused 'of a picture, and none is asked for' tsne z.npy -o m.npy --thumbnails
expect_refused 'add --data DATA' pca pca.safetensors --map x.png
expect_refused '\-\-from A and --to B' interpolate small-001 small-images-idx3-ubyte --from 1 --latents x.csv
expect_refused 'where to' interpolate small-001 small-images-idx3-ubyte --from 1 --to 2
expect_refused 'no sample 200: the data has 200' interpolate small-001 small-images-idx3-ubyte --from 1 --to 200 --latents x.csv
expect_refused 'no sample seven.*have no names' perturb small-001 small-images-idx3-ubyte --of seven --latents x.csv
expect_refused 'not variational.*add DATA' sample small-001 --latents x.csv
expect_refused 'not variational.*add DATA' manifold small-001 --latents x.csv
expect_refused 'DATA, which is missing' sample vae-001 -k 3 --latents x.csv
expect_refused 'there is no axis 2: a sample has 2 values' manifold vae-001 --axes 0,2 --latents x.csv
expect_refused 'axes takes 2 different numbers' manifold vae-001 --axes 0,1,2 --latents x.csv
expect_refused '3 components' components vae-001 small-images-idx3-ubyte -k 3 --latents x.csv
expect_refused '\.npy or \.csv' components vae-001 small-images-idx3-ubyte -o x.png
expect_refused 'steps' components vae-001 small-images-idx3-ubyte --steps 0 --latents x.csv

finish
