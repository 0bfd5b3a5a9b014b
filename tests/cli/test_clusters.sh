# strait cluster, represent.
. "$(dirname "$0")/lib.sh"
make_small_run
run encode small-001 small-images-idx3-ubyte -o z.npy

check "cluster of latents: files, numbers, the table by labels"
run cluster small-001 small-images-idx3-ubyte -o c.csv --centres c.png --json
expect_exit 0
expect_json method samples k sizes inertia iterations silhouette accuracy nmi ari labels table
expect_file c.png
[ "$(json .k)" = 4 ] || fail "not as many clusters as labels"
[ "$(head -1 c.csv)" = sample,label,cluster ] && [ "$(wc -l <c.csv)" = 201 ] || fail "c.csv is not 200 clusters"

check "cluster of what encode wrote is the same, with another's labels"
run cluster z.npy --data small-images-idx3-ubyte -o again.csv --threads 1
expect_exit 0
expect_stdout '^4 clusters of 200 samples, by kmeans'
expect_stdout '^accuracy +0\.[0-9]{4}  '
expect_stdout '^ARI '
cmp -s c.csv again.csv || fail "the clusters differ"

check "cluster sizes add up, largest first"
tail -n +2 c.csv | cut -d, -f3 | sort -n | uniq -c | awk '{ print $2, $1 }' >sizes
[ "$(awk '{ n += $2 } END { print n }' sizes)" = 200 ] || fail "sizes do not add up"
sort -s -k2,2nr sizes | cmp -s - sizes || fail "not the largest first"

is_dark_svg() { grep -q '^<svg ' "$1" && grep -q '#181a1f' "$1" || fail "$1 is no SVG in the dark"; }

check "clusters and their centres as pictures, in the dark as well; samples all the same lie at one place"
run cluster small-001 small-images-idx3-ubyte --picture c.svg --centres centres.svg --theme dark
expect_exit 0
is_dark_svg c.svg
is_dark_svg centres.svg
[ "$(grep -c '<circle' c.svg)" = 204 ] || fail "not 200 points and 4 entries of the legend"
run cluster z.npy -k 2 --picture c.png
expect_exit 0
expect_file c.png
printf '%s\n' 1,2 1,2 1,2 >same.csv
run cluster same.csv -k 2 -o same-clusters.csv --picture same.svg
expect_exit 0
expect_stdout '2 were asked for'
grep -q 'all samples are the same' same.svg || fail "the picture does not say so"
printf '%s\n' 1,1 2,2 3,3 >line.csv
run cluster line.csv -k 2 --picture line.png
expect_exit 0

check "mixture and leiden; npy; without labels"
run cluster z.npy -k 3 --method mixture -o m.npy
expect_exit 0
expect_stdout '^log likelihood '
expect_file m.npy
run cluster z.npy --method leiden --resolution 0.5 --neighbors 10 --seed 3 --json
expect_exit 0
expect_json modularity k silhouette
run cluster small-images-idx3-ubyte --metric cosine --centres images.png
expect_exit 0
expect_file images.png

check "fewer distinct samples than clusters, and one cluster"
for i in 1 2 3 4; do echo 1,2; echo 3,4; done >two.csv
run cluster two.csv -k 5
expect_exit 0
expect_stdout '^2 clusters of 8 samples'
expect_stdout '5 were asked for'
expect_stdout '^silhouette +1.0000'
run cluster two.csv -k 1
expect_exit 0
expect_stdout 'none: there is one cluster'
run cluster two.csv -k 1 --json
expect_exit 0
tail -1 "$out" | grep -q '"silhouette": null' || fail "a silhouette of one cluster"
yes 7,7 | head -20 >same.csv
for method in kmeans mixture; do
    run cluster same.csv -k 3 --method $method
    expect_exit 0
    expect_stdout '^1 cluster of 20 samples'
done
run cluster same.csv --method leiden
expect_exit 0

check "one label, and one label alone for each sample"
for i in 1 2 3 4 5 6; do echo "$i,0,a"; done >one.csv && sed -i '1i x,y,label' one.csv
run cluster one.csv -k 2 --json
expect_exit 0
expect_json accuracy nmi ari
expect_near nmi "$(json .nmi)" 0 0

check "represent all: centre, ranks, sheet"
run represent small-001 small-images-idx3-ubyte -o ranks.csv --picture sheet.png --decoded d.npy --centres z.csv -n 25
expect_exit 0
expect_stdout '^ +all +1 '
expect_file sheet.png
expect_file d.npy
[ "$(head -1 ranks.csv)" = sample,label,rank,distance ] && [ "$(wc -l <ranks.csv)" = 201 ] || fail "not 200 ranks"
tail -n +2 ranks.csv | sort -t, -s -gk4 | cmp -s - <(tail -n +2 ranks.csv) || fail "not nearest first"
[ "$(tail -n +2 ranks.csv | cut -d, -f1 | sort -n | uniq | wc -l)" = 200 ] || fail "not every sample once"

check "no samples, a value that is no number, a value a sample"
header() { printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($1), }"; }
header '0, 5' >none.npy
{ header '2, 2' && printf '\0\0\200\077\0\0\300\177\0\0\200\077\0\0\200\077'; } >nan.npy
{ header '3,' && printf '\0\0\200\077\0\0\0\100\0\0\200\077'; } >line.npy
for command in represent cluster pca "scatter -o m.svg" neighbors "umap -o m.npy"; do
    expect_refused 'none.npy: no samples' $command none.npy
    expect_refused 'nan.npy: value 1 of sample 0 is NaN' $command nan.npy
done
run represent line.npy -o ranks.npy --picture line.svg
expect_exit 0
expect_file line.svg
expect_refused 'one alone' pca line.npy -o scores.npy --map map.svg

check "two outputs of one name; what is refused after the work leaves nothing"
expect_refused 'two outputs are both called' cluster z.npy -k 3 -o both.csv --centres both.csv
expect_refused 'two outputs are both called' pca z.npy --picture both.png --map both.png
expect_refused 'no-such' umap z.npy --epochs 5 -o map.npy --new no-such.npy --new-output new.npy
expect_refused 'no-such' umap z.npy --epochs 5 -o map.npy --picture map.png --color no-such.csv

check "represent as pictures in the dark"
run represent small-001 small-images-idx3-ubyte --picture sheet.svg --decoded d.svg --theme dark
expect_exit 0
is_dark_svg sheet.svg
is_dark_svg d.svg
run represent z.npy --picture sheet.png --theme grey
expect_exit 2

check "represent by label: centres and metrics differ, ranks are within labels"
run represent small-001 small-images-idx3-ubyte --by label -o mean.csv --json
expect_exit 0
expect_json centre metric groups
[ "$(json .groups[3].samples)" = 50 ] || fail "not 50 of a label"
awk -F, 'NR > 1 && $2 != $3 { exit 1 }' mean.csv || fail "a sample in another label's ranks"
for kind in median geometric; do
    run represent small-001 small-images-idx3-ubyte --by label --centre $kind -o $kind.csv
    expect_exit 0
    cmp -s mean.csv $kind.csv && fail "$kind is the mean"
done
run represent small-001 small-images-idx3-ubyte --by label --metric cosine -o cosine.csv --picture by.png
expect_exit 0
cmp -s mean.csv cosine.csv && fail "the metric changes nothing"

check "files are told in JSON"
run represent small-001 small-images-idx3-ubyte -o ranks.csv --centres zc.npy --decoded d.npy --picture sheet.png --json
[ "$(json .output),$(json .centres),$(json .decoded),$(json .picture)" = ranks.csv,zc.npy,d.npy,sheet.png ] || fail "of represent"
run cluster z.npy -k 2 -o c2.csv --centres zc.npy --picture c.svg --json
[ "$(json .output),$(json .centres),$(json .picture)" = c2.csv,zc.npy,c.svg ] || fail "of cluster"
run pca z.npy -k 2 -o scores.csv --save p.safetensors --picture v.svg --map m.svg --json
[ "$(json .output),$(json .save),$(json .picture),$(json .map)" = scores.csv,p.safetensors,v.svg,m.svg ] || fail "of pca"
run compare-pca small-001 small-images-idx3-ubyte -o e.csv --picture v.svg --sheet s.png --json
[ "$(json .output),$(json .picture),$(json .sheet)" = e.csv,v.svg,s.png ] || fail "of compare-pca"

check "represent by cluster: k-means' are those that cluster wrote"
run represent small-001 small-images-idx3-ubyte --by cluster -o one.txt.csv
expect_exit 0
run represent small-001 small-images-idx3-ubyte --by cluster --clusters c.csv -o two.txt.csv
expect_exit 0
cmp -s one.txt.csv two.txt.csv || fail "the ranks differ"
run cluster z.npy -k 4 -o plain.csv --seed 5
run represent z.npy --by cluster --clusters plain.csv -o plain-ranks.csv
expect_exit 0
awk -F, 'FNR == 1 { file++; next } file == 1 { of[$1] = $2; next } of[$1] != $2 { exit 1 }' plain.csv plain-ranks.csv ||
    fail "other clusters than in the table"
run cluster z.npy -k 4 -o c.npy
run represent z.npy --by cluster --clusters c.npy -o ranks.npy --centres centres.npy
expect_exit 0
expect_file ranks.npy
expect_file centres.npy

check "represent of curves and of plain samples"
run represent one.csv --picture curves.png -n 3
expect_exit 0
expect_file curves.png

check "represent with names"
printf 'name,x,y\nfirst,0,0\n"a,b",1,0\nlast,9,9\n' >named.csv
run represent named.csv --centre median -o names.csv
expect_exit 0
[ "$(sed -n 2p names.csv)" = '1,"a,b",1,0' ] || fail "not the name of the nearest"
expect_stdout 'a,b'

check "what cannot be"
expect_refused '-k K is missing' cluster z.npy
expect_refused '201 clusters of 200 samples' cluster z.npy -k 201
expect_refused 'use kmeans, mixture or leiden' cluster z.npy -k 2 --method ward
expect_refused '--k means nothing to --method leiden' cluster z.npy -k 2 --method leiden
expect_refused '--resolution is for --method leiden' cluster z.npy -k 2 --resolution 2
expect_refused 'no metric but euclidean' cluster z.npy -k 2 --method mixture --metric cosine
expect_refused '201 neighbours' cluster z.npy --method leiden --neighbors 201
expect_refused 'has 8 samples, but there are 200' cluster z.npy --data two.csv -k 2
expect_refused '\.csv' cluster z.npy -k 2 -o c.txt
expect_refused 'use mean, median or geometric' represent z.npy --centre middle
expect_refused 'use label or cluster' represent z.npy --by colour
expect_refused 'have no labels' represent z.npy --by label
expect_refused '-k K, or --clusters' represent z.npy --by cluster
expect_refused 'goes with --by cluster' represent z.npy -k 3
expect_refused '8 rows, but there are 200 samples' represent z.npy --by cluster --clusters two.csv
expect_refused 'row 0 ends in .*, which is no cluster' represent z.npy --by cluster --clusters z.npy
printf '1,2\n3,nan\n5,6\n' >odd.csv
for command in 'cluster -k 2' 'cluster --method leiden' 'cluster -k 2 --method mixture' represent; do
    expect_refused 'odd.csv|sample 1' $command odd.csv
done

finish
