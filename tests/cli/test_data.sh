# data info, data show, info, bench.
. "$(dirname "$0")/lib.sh"
make_images small 200

check "data info tells what is in a file"
run data info small-images-idx3-ubyte
expect_exit 0
expect_stdout '^format +idx, stored as u8$'
expect_stdout '^samples +200$'
expect_stdout '^shape +12 × 12 × 1$'
expect_stdout '^labels +4$'
expect_stdout '^ +1 +50$'
mean=$(tail -c +17 small-images-idx3-ubyte | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) { s += $i; n++ } } END { print s / n }')
expect_near mean "$(sed -n 's/^values .*mean //p' "$out")" "$mean" 1e-4

check "data info --json"
run data info small-images-idx3-ubyte --json
expect_exit 0
expect_json source format storage samples shape minimum maximum mean labels
if can_read_json; then
    [ "$(json .maximum)" = 255.0 ] || [ "$(json .maximum)" = 255 ] || fail "maximum is $(json .maximum)"
    [ "$(json '.labels[3].count')" = 50 ] || fail "label 4 has $(json '.labels[3].count')"
fi

check "gzip or not, the same"
gzip -k small-images-idx3-ubyte small-labels-idx1-ubyte
run data info small-images-idx3-ubyte --json
sed 's/"source": "[^"]*"//' "$out" >plain
run data info small-images-idx3-ubyte.gz --json
expect_exit 0
sed 's/"source": "[^"]*"//' "$out" >zipped
expect_same plain zipped

check "data show writes a sheet"
run data show small-images-idx3-ubyte -o sheet.png -n 95
expect_exit 0
expect_stdout '^sheet.png  95 samples of 200$'
[ "$(head -c 4 sheet.png | tail -c 3)" = PNG ] || fail "no PNG"
run data show small-images-idx3-ubyte -o few.png -n 1 --json
expect_exit 0
expect_json file samples
run data show small-images-idx3-ubyte -o all.png -n 100000
expect_exit 0
expect_stdout '200 samples of 200'

check "a table: labels by the name of their column"
printf 'x,y,label\n1,2,pear\n3,4,fig\n' >table.csv
run data info table.csv
expect_exit 0
expect_stdout '^format +csv, stored as f32$'
expect_stdout '^shape +2$'
expect_stdout "^note +column 'label' \(2\) holds the labels$"
expect_stdout '^ +0  fig +1$'

check "labels in a column that nothing marks: told, and taken with --label"
for i in $(seq 0 39); do echo "$i.5,$((i * i)),$((i % 3))"; done >plain.csv
run data info plain.csv
expect_exit 0
expect_stdout '^shape +3$'
expect_stdout '^warning +the last column holds only the numbers 0 to 2: if they are labels, use --label last'
for label in last 2; do
    run data info plain.csv --label $label
    expect_exit 0
    expect_stdout '^shape +2$'
    expect_stdout '^ +1 +13$'
done
run data info table.csv --label none
expect_exit 1
expect_error "column 'label' .2.: 'pear' is not a number"
expect_refused "there is no column 'lable'; did you mean 'label'" data info table.csv --label lable
expect_refused 'label: idx has no columns' data info small-images-idx3-ubyte --label last

check "the only column of words holds the labels; the first one names"
printf 'id,x,kind\nr1,1,pear\nr2,3,fig\n' >words.csv
run data info words.csv
expect_exit 0
expect_stdout '^shape +1$'
expect_stdout "^note +column 'kind' .2. holds the labels, column 0 the rows' names$"
expect_stdout '^ +0  fig +1$'

check "nothing a file says of itself reaches the terminal as more than text; infinity is counted"
printf 'x,y,label\n1,inf,\033[31mred\n2,-Infinity,b\n' >hostile.csv
mkdir -p hostile/a$'\033'b && cp sheet.png hostile/a$'\033'b/
for source in hostile.csv hostile; do
    run data info $source
    expect_exit 0
    grep -q $'\033' "$out" && fail "$source: an escape sequence is printed"
done
run data info hostile.csv --json
[ "$(json .missing)" = 2 ] || fail "$(json .missing) values missing, not 2"

check "tables as scikit-learn and Weka have them"
printf '2,2,ham,eggs\n1,2,0\n3,4,1\n' >sklearn.csv
run data info sklearn.csv
expect_exit 0
expect_stdout '^ +1  eggs +1$'
printf '%% x\n@RELATION r\n@ATTRIBUTE a real\n@ATTRIBUTE class {u,v}\n@DATA\n1,u\n2,v\n' >weka.arff
run data info weka.arff
expect_exit 0
expect_stdout '^ +1  v +1$'

check "a folder of images, and a pattern"
mkdir -p images/a images/b && cp sheet.png images/a/1.png && cp sheet.png images/b/2.png
run data info images
expect_exit 0
expect_stdout '^format +png, stored as u8$'
expect_stdout '^ +1  b +1$'
run data info 'images/*/1.png'
expect_exit 0
expect_stdout '^samples +1$'

check "data show without a terminal says to use -o"
expect_refused 'use -o FILE.png' data show small-images-idx3-ubyte

for name in fashion-mnist mnist; do
    "$program" data info $name >/dev/null 2>&1 || { check "$name is not here: not looked at" && continue; }
    check "$name and its splits"
    run data info "$name#test"
    expect_exit 0
    expect_stdout '^samples +10,000$'
    run data info $name
    expect_exit 0
    expect_stdout '^samples +60,000$'
    expect_stdout '^shape +28 × 28 × 1$'
    expect_stdout '^labels +10$'
    expect_refused "train" data info "$name#tset"
done

if "$program" data info cifar10 >/dev/null 2>&1; then
    check "cifar10 in colours"
    run data info cifar10
    expect_stdout '^shape +32 × 32 × 3$'
    expect_stdout '^ +9  truck '
    run data show cifar10 -o cifar.png
    expect_exit 0
    [ "$(od -An -tu1 -j25 -N1 cifar.png | tr -d ' ')" = 2 ] || fail "the sheet is not RGB"
fi
if "$program" data info ecg5000 >/dev/null 2>&1; then
    check "ecg5000 and its splits"
    run data info ecg5000
    expect_stdout '^samples +3,998$'
    run data info ecg5000#test
    expect_stdout '^samples +1,000$'
    expect_stdout '^ +1  normal '
fi

check "info"
run info
expect_exit 0
expect_stdout '^processor '
expect_stdout '^kernels +(avx512|avx2|generic) \(the peak measured with oneDNN [0-9]'
expect_stdout '^recipes +[a-z]'
expect_stdout ' fashion-basic$'
run info --json
expect_exit 0
expect_json version processor instructions processors memory onednn data_folders recipe_folders recipes

check "bench of one recipe"
run bench fashion-basic --seconds 0.2 --layers --json
expect_exit 0
expect_json threads peak_gflops peak_gbytes workloads
if can_read_json; then
    for key in name batch samples_per_second ms_per_step gflops fraction_of_peak peak_memory_mb; do
        value=$(json ".workloads[0].$key")
        [ -n "$value" ] && [ "$value" != null ] || fail "no $key"
    done
    [ "$(json '.workloads[0].batch')" = 32 ] || fail "batch is $(json '.workloads[0].batch')"
    expect_near ms_per_step "$(json '.workloads[0].ms_per_step')" \
        "$(awk -v r="$(json '.workloads[0].samples_per_second')" 'BEGIN { print 32 / r * 1000 }')" 0.01
    [ "$(json '.workloads[0].layers | map(.layer) | join(" ")')" = "encoder.1 decoder.0 loss optimizer other" ] ||
        fail "layers are $(json '.workloads[0].layers | map(.layer)')"
    expect_near "all shares" "$(json '[.workloads[0].layers[].share] | add')" 1 0.001
    for key in samples_per_second gflops fraction_of_peak memory_mb; do
        value=$(json ".workloads[0].encoding.$key")
        [ -n "$value" ] && [ "$value" != null ] || fail "no encoding.$key"
    done
fi
run bench ecg-anomaly fashion-denoise-conv --seconds 0.1 --layers
expect_exit 0
expect_stdout '^decoder.1 +conv2d_transpose'
expect_refused 'fashion-basic' bench fashion-basik --seconds 0.2

finish
