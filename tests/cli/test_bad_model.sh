# Model files that are missing, cut short or lie: one line, nothing written.
. "$(dirname "$0")/lib.sh"
make_small_run
good=runs/small-001/model.safetensors
data=small-images-idx3-ubyte
mkdir bad

# The header: its length in 8 bytes, little-endian, then so many bytes of JSON.
length=$(head -c 8 $good | od -An -tu8 | tr -d ' ')
header() { head -c $((8 + length)) $good | tail -c +9; }
little_endian() { local i; for i in 0 8 16 24 32 40 48 56; do printf "\\$(printf %o $(($1 >> i & 255)))"; done; }
# A file with another header, its length said rightly.
with_header() { local text; text=$(cat) && little_endian ${#text} && printf %s "$text" && tail -c +$((9 + length)) $good; }

refused() { # NAME FILE [REGEX]
    check "$1"
    [ -f "$2" ] && cmp -s $good "$2" && fail "the test changes nothing"
    expect_refused "${3:-$2}" eval "$2" $data
    expect_refused "${3:-$2}" encode "$2" $data -o z.npy
    expect_refused "${3:-$2}" summary "$2"
}

header | with_header >bad/same.safetensors
check "the test makes sound files"
expect_same $good bad/same.safetensors

refused "a missing model" bad/missing.safetensors
refused "a run there is none of" no-run-007
mkdir bad/run
refused "a folder that is no run" bad/run

for size in 0 4 8 20 $((8 + length - 1)) $((8 + length)) $(($(wc -c <$good) - 1)); do
    head -c "$size" $good >"bad/cut-$size.safetensors"
    refused "a model cut to $size bytes" "bad/cut-$size.safetensors"
done

{ cat $good && printf x; } >bad/longer.safetensors
refused "a model with bytes to spare" bad/longer.safetensors

{ printf '\377\377\377\377\377\377\377\377' && tail -c +9 $good; } >bad/length.safetensors
refused "a header length beyond all measure" bad/length.safetensors
{ little_endian $((length + 100000000)) && tail -c +9 $good; } >bad/length2.safetensors
refused "a header length beyond the file" bad/length2.safetensors
{ little_endian $((length - 7)) && tail -c +9 $good; } >bad/length3.safetensors
refused "a header length that is too short" bad/length3.safetensors

for edit in 's/\("data_offsets": *\[\)0,/\14,/' 's/\("data_offsets": *\[\)0,/\1-4,/' \
    's/\("data_offsets": *\[[0-9]*, *\)\([0-9]*\)\]/\1999999999999\]/' \
    's/\("data_offsets": *\[[0-9]*, *\)\([0-9]*\)\]/\118446744073709551615\]/' \
    's/\("shape": *\[\)\([0-9]*\)/\11\2/' 's/\("shape": *\[\)\([0-9]*\)/\1-\2/' \
    's/"F32"/"F64"/' 's/"F32"/"Q17"/' 's/"data_offsets"/"data_offzets"/' 's/kernel/kernle/' 's/^{/[/'; do
    name=$(printf %s "$edit" | cksum | cut -d' ' -f1)
    header | sed "$edit" | with_header >"bad/$name.safetensors"
    refused "a header changed by $edit" "bad/$name.safetensors"
done

cp small.yaml bad/recipe.safetensors
refused "a recipe named as a model" bad/recipe.safetensors

check "a model and data that do not fit name both shapes"
make_images big 10
{ printf '\0\0\10\3\0\0\0\12\0\0\0\6\0\0\0\30' && tail -c +17 big-images-idx3-ubyte; } >wide-images-idx3-ubyte
cp big-labels-idx1-ubyte wide-labels-idx1-ubyte
expect_refused '6 ?[×x] ?24 ?[×x] ?1.*12|12.*6 ?[×x] ?24' encode small-001 wide-images-idx3-ubyte -o z.npy

check "latents of another width name both"
"$program" reconstruct small-001 $data -o x.npy >"$out" 2>"$err"
expect_refused '144.*8|8.*144|8.*12 ?[×x] ?12|12 ?[×x] ?12.*8' decode small-001 x.npy -o y.npy

check "latents that are no file of numbers"
expect_refused 'none.npy' decode small-001 none.npy -o y.npy
expect_refused 'small.yaml' decode small-001 small.yaml -o y.npy
head -c 100 x.npy >cut.npy
expect_refused 'cut.npy' decode small-001 cut.npy -o y.npy
head -c 1000 x.npy >cut2.npy
expect_refused 'cut2.npy' decode small-001 cut2.npy -o y.npy

finish
