# data list, data convert; what is told of copies and of what a training suffers from; images beside Pillow.
. "$(dirname "$0")/lib.sh"
make_images small 200

check "data list names the known data sets and the formats"
run data list
expect_exit 0
expect_stdout '^mnist '
expect_stdout '^formats +idx, npy, npz, '
run data list --json
expect_exit 0
expect_json known formats

check "data convert to every format and back"
run data convert small-images-idx3-ubyte -o small.npz
expect_exit 0
expect_stdout '^small.npz  200 samples$'
run data info small.npz --json
expect_exit 0
expect_json duplicates warnings missing
values=$(sed 's/.*\("minimum".*\)/\1/' "$out" | grep -o '"m[a-z]*": [0-9.]*')
for to in small.npy small.csv small; do
    run data convert small-images-idx3-ubyte -o $to
    expect_exit 0
    run data info $to --json
    expect_exit 0
    [ "$(sed 's/.*\("minimum".*\)/\1/' "$out" | grep -o '"m[a-z]*": [0-9.]*')" = "$values" ] || fail "$to differs"
done

check "what is there already is not overwritten by a folder"
run data convert small-images-idx3-ubyte -o small
expect_exit 1
expect_error 'small: is there already'
run data convert small-images-idx3-ubyte -o small.xyz
expect_exit 1
expect_error 'cannot tell the format'

check "a kill leaves nothing under the final name"
mkdir kill
for i in 1 2 3; do
    "$program" data convert small-images-idx3-ubyte -o kill/out >/dev/null 2>&1 &
    pid=$!
    sleep 0.0$i
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ -e kill/out ]; then
        [ "$(find kill/out -name '*.png' | wc -l)" = 200 ] || fail "kill/out is not whole"
        rm -r kill/out
    fi
done

check "copies are counted and warned of"
printf '1,2\n3,4\n1,2\n' >copies.csv
run data info copies.csv
expect_exit 0
expect_stdout '^copies +1, the first is sample 2 of sample 0$'
expect_stdout '^warning +33.3 % of the samples are copies'

python=/usr/bin/python3
if $python -c 'import PIL, numpy' 2>/dev/null; then
    check "pixels are those that Pillow reads"
    $python - <<'PY' || fail "Pillow could not write the files"
import numpy as np
from PIL import Image
r = np.random.default_rng(1)
c, w = r.integers(0, 256, (37, 53, 3), dtype=np.uint8), r.integers(0, 65536, (37, 53), dtype=np.uint16)
Image.fromarray(c).save('a.jpg', quality=80); Image.fromarray(c[..., 0]).save('b.jpg', progressive=True)
Image.fromarray(c).save('c.tif', compression='tiff_lzw'); Image.fromarray(w).save('d.tif', compression='tiff_adobe_deflate')
Image.fromarray(c).quantize(9).save('e.tif', compression='packbits'); Image.fromarray(c).save('f.png')
a = np.dstack([c, r.integers(0, 256, c.shape[:2], dtype=np.uint8)])
Image.fromarray(a).save('g.png'); Image.fromarray(a).save('h.tif', compression='tiff_adobe_deflate')
Image.fromarray(a[..., ::3].copy(), 'LA').save('i.png'); Image.fromarray(c[..., 0]).save('j.png')
Image.fromarray(w).save('k.png'); Image.fromarray(c).quantize(200).save('l.png')
Image.fromarray(c[..., 0]).convert('1').save('m.png')
Image.fromarray(c[..., 0]).save('n.tif', compression='packbits'); Image.fromarray(c).save('o.tif', compression='tiff_lzw')
Image.fromarray(w).save('p.tif', compression='packbits'); Image.fromarray(c[..., 1]).save('q.tif')
pages = [Image.fromarray(c[..., k]) for k in range(3)]
pages[0].save('r.tif', save_all=True, append_images=pages[1:], compression='tiff_deflate')
# Big-endian, which Pillow reads and does not write: a header and one strip (TIFF 6.0).
h, wide = w.shape
tags = [(256, 3, wide), (257, 3, h), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, h),
        (279, 4, 2 * h * wide)]
with open('s.tif', 'wb') as f:
    f.write(b'MM\0*' + (8 + 2 * h * wide).to_bytes(4, 'big') + w.astype('>u2').tobytes())
    f.write(len(tags).to_bytes(2, 'big'))
    for tag, kind, value in tags:
        f.write(tag.to_bytes(2, 'big') + kind.to_bytes(2, 'big') + (1).to_bytes(4, 'big'))
        f.write(value.to_bytes(2, 'big') + b'\0\0' if kind == 3 else value.to_bytes(4, 'big'))
    f.write(bytes(4))
PY
    files=$(echo [a-s].jpg [a-s].tif [a-s].png)
    [ -d "$STRAIT_DATA/microscopy" ] && files="$files $(echo "$STRAIT_DATA"/microscopy/*.tif)"
    for file in $files; do
        run data convert "$file" -o pixels.npy
        expect_exit 0
        $python - "$file" <<'PY' || fail "$file: other pixels than Pillow's"
import sys
import numpy as np
from PIL import Image
image = Image.open(sys.argv[1])
mine = np.load('pixels.npy')
for k in range(getattr(image, 'n_frames', 1)):
    image.seek(k)
    page = image.convert('RGB') if image.mode in ('P', 'RGBA') else image.convert('L') if image.mode in ('LA', '1') else image
    theirs = np.asarray(page)
    theirs = theirs[..., None] if mine.ndim == 4 and theirs.ndim == 2 else theirs
    assert mine[k].shape == theirs.shape and (mine[k] == theirs).all(), 'page %d' % k
assert len(mine) == k + 1
PY
    done
fi
finish
