# Data that is missing, cut short or wrong: one clear line, nothing written.
. "$(dirname "$0")/lib.sh"
make_images good 40
make_recipe small.yaml good-images-idx3-ubyte 1
mkdir bad
cp good-labels-idx1-ubyte bad/

# Every command that reads data must refuse the same way.
refused() { # NAME REGEX SOURCE
    check "$1"
    expect_refused "$2" data info "$3"
    expect_refused "$2" train small.yaml --data "$3"
    expect_refused "$2" data show "$3" -o sheet.png
}

# A pair of files NAME-images, NAME-labels in bad/, the labels good.
pair() { cp good-labels-idx1-ubyte "bad/$1-labels-idx1-ubyte"; cat >"bad/$1-images-idx3-ubyte"; }

refused "a missing file" 'missing-images-idx3-ubyte' missing-images-idx3-ubyte
refused "an unknown name" 'no-such-data' no-such-data
refused "a folder" 'bad' bad

: >bad/empty
refused "an empty file" 'bad/empty.*empty' bad/empty

head -c 3000 good-images-idx3-ubyte | pair short
refused "an IDX file cut short" 'bad/short-images-idx3-ubyte' bad/short-images-idx3-ubyte

head -c 10 good-images-idx3-ubyte | pair header
refused "an IDX file cut short in its header" 'bad/header-images-idx3-ubyte' bad/header-images-idx3-ubyte

gzip -c good-images-idx3-ubyte >good.gz
head -c $(($(wc -c <good.gz) / 2)) good.gz >bad/cut-images-idx3-ubyte.gz
cp good-labels-idx1-ubyte bad/cut-labels-idx1-ubyte
refused "a gzip file cut short" 'bad/cut-images-idx3-ubyte.gz' bad/cut-images-idx3-ubyte.gz

{ head -c $(($(wc -c <good.gz) - 8)) good.gz && printf '\1\2\3\4\5\6\7\10'; } >bad/sum-images-idx3-ubyte.gz
cp good-labels-idx1-ubyte bad/sum-labels-idx1-ubyte
refused "a gzip file whose checksum is wrong" 'bad/sum-images-idx3-ubyte.gz' bad/sum-images-idx3-ubyte.gz

{ printf '\1\2\3\4' && tail -c +5 good-images-idx3-ubyte; } | pair magic
refused "a wrong magic number" 'bad/magic-images-idx3-ubyte' bad/magic-images-idx3-ubyte

echo "just some text, longer than any header of sixteen bytes" >bad/text
refused "a text file" 'bad/text' bad/text

{ printf '\0\0\10\3\377\377\377\377\0\0\0\14\0\0\0\14' && tail -c +17 good-images-idx3-ubyte; } | pair lying
refused "a header that promises more images than there are" 'bad/lying-images-idx3-ubyte' bad/lying-images-idx3-ubyte

{ printf '\0\0\10\3\0\0\0\50\0\0\0\0\0\0\0\14' && tail -c +17 good-images-idx3-ubyte; } | pair flat
refused "images without height" 'bad/flat-images-idx3-ubyte' bad/flat-images-idx3-ubyte

cp good-images-idx3-ubyte bad/few-images-idx3-ubyte
{ printf '\0\0\10\1\0\0\0\12' && tail -c +9 good-labels-idx1-ubyte | head -c 10; } >bad/few-labels-idx1-ubyte
refused "fewer labels than images" '(10.*40|40.*10)' bad/few-images-idx3-ubyte

printf '\223NUMPY\1\0\377\377{' >bad/short.npy
refused "a .npy file cut short" 'bad/short.npy' bad/short.npy

# libhdf5 1.10 reads a wild address here; another may find what is wrong, and say so.
cp "$source_root/fuzz/corpus/hdf5/crash" bad/crash.h5ad
refused "an HDF5 file that libhdf5 crashes on" 'bad/crash.h5ad: ' bad/crash.h5ad

mkdir bad/links && ln -s nothing bad/links/a.png
mkfifo bad/pipe bad/pipe.tfrecord && mkdir bad/pipes && mkfifo bad/pipes/a.png
refused "a pipe" 'bad/pipe: is a pipe or a device' bad/pipe
refused "a pipe among shards" 'bad/pipe.tfrecord: is not a file' 'bad/*.tfrecord'
refused "a pipe among images" 'bad/pipes/a.png: is not a file' bad/pipes
refused "a device" '/dev/null: is a pipe or a device' /dev/null
refused "a link to nothing among images" 'bad/links/a.png: no such file' bad/links

check "a split there is none of"
expect_refused 'good-images-idx3-ubyte' data info 'good-images-idx3-ubyte#test'
expect_refused 'validation|test' train small.yaml --set data.validation=test

check "more memory than there is is not asked for by a header"
printf '\0\0\10\3\177\377\377\377\177\377\377\377\177\377\377\377' | pair huge
limit=4000000
(ulimit -v $limit && "$program" --version) >/dev/null 2>&1 || limit=unlimited # an address sanitizer needs all addresses
(ulimit -v $limit && exec "$program" data info bad/huge-images-idx3-ubyte >"$out" 2>"$err" </dev/null)
code=$?
expect_exit 1
expect_error 'bad/huge-images-idx3-ubyte'

finish
