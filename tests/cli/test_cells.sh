# Cells: h5ad, 10x, HDF5 from outside, beside what h5py and anndata make of them.
. "$(dirname "$0")/lib.sh"

python=''
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import h5py, anndata, numpy' 2>/dev/null && python=$candidate && break
done
[ -n "$python" ] || skip "no python3 with h5py and anndata"
cells=$STRAIT_DATA/cells

# A small h5ad file by anndata: 30 cells, 12 genes, counts; three kinds of columns.
"$python" - <<'PY'
import anndata, numpy as np, pandas as pd, scipy.sparse as sp
r = np.random.RandomState(1)
x = r.poisson(np.linspace(0.5, 6, 12), (30, 12)).astype('f4')
obs = pd.DataFrame({'kind': pd.Categorical(['t', 'b', 't', 'nk', 'b'] * 6), 'depth': np.arange(30) % 3,
                    'name': ['x', 'y', 'z'] * 10, 'share': np.linspace(0, 1, 30), 'good': [True, False] * 15},
                   index=['cell%d' % i for i in range(30)])
var = pd.DataFrame(index=['gene%d' % i for i in range(12)])
a = anndata.AnnData(sp.csr_matrix(x), obs=obs, var=var, dtype='f4')
a.layers['doubled'] = 2 * x
a.obsm['protein_expression'] = pd.DataFrame(r.poisson(9, (30, 3)), columns=['CD3', 'CD4', 'CD8'], index=obs.index)
a.obsp['near'] = sp.csr_matrix(np.eye(30))
a.write('small.h5ad')
np.savetxt('small.txt', x)
part = a[:, ['gene%d' % i for i in (11, 3, 0, 7, 5, 9, 1, 2, 4, 6)]].copy()
part.write('part.h5ad', compression='gzip')
PY
cat >small.yaml <<'YAML'
name: small
data:
  validation: 0.2
  scale: none
  label: kind
  genes: {total_count: true, log1p: true, scale: true, max_value: 10}
  proteins: {clr: feature, scale: true}
model:
  input: [2]
  input_from_data: true
  encoder: [dense: {units: 4, activation: relu}]
  decoder: [dense: {units: input}]
train: {epochs: 2, batch_size: 8}
YAML

check "data info of an h5ad file"
run data info small.h5ad --json
expect_exit 0
[ "$(json .shape)" = "[12]" ] || [ "$(json '.shape[0]')" = 12 ] || fail "shape $(json .shape)"
expect_near mean "$(json .mean)" "$(awk '{ for (i = 1; i <= NF; i++) { s += $i; n++ } } END { print s / n }' small.txt)" 1e-5
expect_stdout '"note": "12 genes; sparse, .*; proteins in obsm/protein_expression; columns of obs: kind, depth'

check "a matrix by its name; another data set of an HDF5 file"
run data info 'small.h5ad#layers/doubled'
expect_exit 0
expect_stdout '^note +12 genes; layers/doubled'
run data info 'small.h5ad#obsm/protein_expression'
expect_stdout '^shape +3$'
expect_stdout '^note +3 proteins'
expect_refused 'small.h5ad: layers/other: there is no such matrix in the file' data info 'small.h5ad#layers/other'
"$python" -c '
import h5py, numpy as np
with h5py.File("plain.h5", "w") as f:
    f["train/images"] = np.arange(5 * 6 * 7, dtype="u1").reshape(5, 6, 7)
    f["train/labels"] = [0, 1, 0, 1, 2]
    f["one/numbers"] = np.arange(10.0)
with h5py.File("two.h5", "w") as f:
    f["a"] = np.zeros((3, 4)); f["b"] = np.zeros((3, 4))'
run data info plain.h5
expect_exit 0
expect_stdout '^format +hdf5, stored as u8$'
expect_stdout '^shape +6 × 7 × 1$'
expect_refused 'two.h5: holds several data sets: name one as two.h5#PATH: a, b$' data info two.h5
run data info 'two.h5#b'
expect_exit 0
expect_refused 'two.h5: c: there is no such data set in the file' data info 'two.h5#c'

check "every value as anndata reads it, from every place and storage"
"$python" - <<'PY'
import warnings
warnings.simplefilter('ignore')
import anndata, h5py, numpy as np, scipy.sparse as sp
a = anndata.read_h5ad('small.h5ad')
x = a.X.toarray()
a.raw = a
a.obsm['X_plain'] = np.random.RandomState(2).normal(size=(30, 5))
a.obsm['counts'] = sp.csr_matrix(x[:, :6])
a.layers['columns'] = sp.csc_matrix(3 * x)
a.layers['halved'] = x.astype('f8') / 2
a.write('csr.h5ad', compression='gzip')
a.X = sp.csc_matrix(x)
a.write('csc.h5ad')
a.X = np.asfortranarray(x)
a.write('dense.h5ad', compression='lzf')
with h5py.File('old.h5ad', 'w') as f:  # h5sparse, as anndata before 0.7 wrote it
    m = sp.csr_matrix(x)
    g = f.create_group('X')
    g.attrs['h5sparse_format'], g.attrs['h5sparse_shape'] = 'csr', m.shape
    for key in 'data', 'indices', 'indptr':
        g.create_dataset(key, data=getattr(m, key), compression='lzf')
    for name, index in ('obs', a.obs_names), ('var', a.var_names):
        table = np.zeros(len(index), dtype=[('index', 'S8')])
        table['index'] = list(index)
        f[name] = table
np.savez('wanted.npz', X=x, layers_doubled=2 * x, layers_columns=3 * x, layers_halved=x / 2, raw_X=x,
         obsm_X_plain=a.obsm['X_plain'], obsm_counts=x[:, :6], obsm_protein_expression=a.obsm['protein_expression'])
PY
for file in csr csc dense old; do
    for place in X layers/doubled layers/columns layers/halved raw/X obsm/X_plain obsm/counts obsm/protein_expression; do
        [ $file = old ] && [ $place != X ] && continue
        run data convert "$file.h5ad#$place" -o values.npy
        expect_exit 0
        "$python" -c "
import numpy as np
mine, theirs = np.load('values.npy'), np.load('wanted.npz')['$place'.replace('/', '_')].astype('f4')
assert mine.shape == theirs.shape and (mine == theirs).all()" 2>/dev/null || fail "$file: $place: other values than anndata's"
        rm -f values*.npy
    done
done

check "a training from counts: fitted on training cells, widths from the data"
run train small.yaml --data small.h5ad --quiet
expect_exit 0
grep -q 'input: \[15\]' runs/small-001/recipe.yaml || fail "the input is not 15 wide"
grep -q 'units: 15' runs/small-001/recipe.yaml || fail "the output is not 15 wide"
expect_refused "plain.h5: label: there is no data set 'kind' in the file" \
    train small.yaml --data 'plain.h5#train/images' --quiet

check "eval, and resuming, with what the training found"
run eval small-001 small.h5ad
expect_exit 0
cp -r runs/small-001 runs/small-002
run train --resume small-002 --epochs 3 --quiet
expect_exit 0

check "encode into a copy that anndata reads, all of the input in it"
cp small.h5ad before.h5ad
run encode small-001 small.h5ad -o z.npy
expect_exit 0
run encode small-001 small.h5ad -o out.h5ad
expect_exit 0
expect_stdout '^out.h5ad  30 × 4'
expect_same small.h5ad before.h5ad
cat >compare.py <<'PY'
import sys, warnings
warnings.simplefilter('ignore')
import anndata, h5py, numpy as np
source, made, latent = sys.argv[1:4]
a = anndata.read_h5ad(made)
z = np.load(latent)
assert np.array_equal(a.obsm['X_strait'], z), 'rows differ'
assert a.uns['strait']['latent_size'] == z.shape[1] and a.uns['strait']['recipe'], 'uns'
assert a.uns['strait']['latent'] == 'obsm/X_strait'
b = anndata.read_h5ad(source)
assert list(a.obs_names) == list(b.obs_names) and list(a.var_names) == list(b.var_names)
assert set(a.obsm) == set(b.obsm) | {'X_strait'}, 'obsm'
with h5py.File(source) as old, h5py.File(made) as new:
    def same(name, item):
        other = new[name]
        if isinstance(item, h5py.Dataset):
            if item.dtype.names: # the old layout's records, which may have one more
                for member in item.dtype.names:
                    assert item[member].tobytes() == other[member].tobytes() or \
                        np.array_equal(item[member], other[member]), name
            else:
                assert item.shape == other.shape and item.dtype == other.dtype and item.compression == other.compression, name
                if item.dtype.kind in 'fiub':
                    assert np.asarray(item).tobytes() == np.asarray(other).tobytes(), name # NaN is there too
                elif item.dtype != h5py.ref_dtype:
                    assert np.array_equal(item[()], other[()]), name
        for key in item.attrs:
            assert key in other.attrs, name + key
    old.visititems(same)
PY
"$python" compare.py small.h5ad out.h5ad z.npy 2>why || fail "$(tail -1 why)"

check "encoding what was encoded replaces the latents; the input itself is never written to"
run encode small-001 out.h5ad -o again.h5ad
expect_exit 0
"$python" compare.py small.h5ad again.h5ad z.npy 2>why || fail "$(tail -1 why)"
expect_refused 'small.h5ad: is the file that is encoded; name another one' encode small-001 small.h5ad -o small.h5ad
ln -s small.h5ad link.h5ad
expect_refused 'is the file that is encoded' encode small-001 small.h5ad -o link.h5ad
expect_same small.h5ad before.h5ad

check "only h5ad files are copied"
make_images img 20
make_recipe img.yaml img-images-idx3-ubyte 1
"$program" train img.yaml --quiet --out others >/dev/null 2>&1
expect_refused 'x.h5ad: an .h5ad file is written as a copy of the one that is encoded' \
    encode others/small-001 img-images-idx3-ubyte -o x.h5ad

check "genes in another order, some missing: found by name, and told"
run encode small-001 part.h5ad -o part.npy
expect_exit 0
expect_stderr "^note: 2 of the model's 12 genes are not in part.h5ad and count as 0: gene10, gene8$"
for command in "represent" "neighbors" "cluster -k 2" "compare-pca" "components --picture m.png" "scatter -o m.png" \
    "umap --epochs 5 -o m.npy" "activations -o m.png" "anomaly fit" "anomaly score"; do
    run $command small-001 part.h5ad
    expect_exit 0
    expect_stderr "^note: 2 of the model's 12 genes are not in part.h5ad"
done
run encode small-001 part.h5ad -o part.npy --quiet
expect_no_stderr

check "a kill leaves nothing under the final name"
for delay in 0.005 0.01 0.02 0.03 0.04 0.05 0.06 0.08; do
    rm -f killed.h5ad
    "$program" encode small-001 small.h5ad -o killed.h5ad >/dev/null 2>&1 &
    pid=$!
    sleep $delay
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ ! -e killed.h5ad ] || "$python" compare.py small.h5ad killed.h5ad z.npy 2>why || fail "half a file: $(tail -1 why)"
done
find . -name '.*.strait-*' -delete

check "labels of every kind"
for column in kind:3 depth:3 name:3 good:2 share:30; do
    run data show small.h5ad -n 1 -o /dev/null >/dev/null 2>&1
    sed "s/label: kind/label: ${column%:*}/" small.yaml >labelled.yaml
    run train labelled.yaml --data small.h5ad --epochs 1 --quiet
    expect_exit 0
done
sed 's/label: kind/label: kinds/' small.yaml >labelled.yaml
expect_refused "small.h5ad: label: obs has no column 'kinds'; it has: kind, depth, name, share, good" \
    train labelled.yaml --data small.h5ad --quiet

check "hostile files are refused in one line"
"$python" - <<'PY'
import h5py, numpy as np, shutil
def change(name, edit):
    shutil.copy('small.h5ad', name)
    with h5py.File(name, 'r+') as f:
        edit(f)
def put(f, path, values):
    del f[path]
    f[path] = values
change('pointers.h5ad', lambda f: put(f, 'X/indptr', f['X/indptr'][()][::-1].copy()))
change('short.h5ad', lambda f: put(f, 'X/indices', f['X/indices'][:5]))
change('index.h5ad', lambda f: put(f, 'X/indices', f['X/indices'][()] + 2**20))
change('negative.h5ad', lambda f: put(f, 'X/indices', f['X/indices'][()] - 2**20))
change('shape.h5ad', lambda f: f['X'].attrs.__setitem__('shape', [2**40, 12]))
change('names.h5ad', lambda f: put(f, 'var/_index', [b'a', b'b']))
change('noname.h5ad', lambda f: f.__delitem__('X'))
def external(f):
    del f['X']
    f['X'] = h5py.ExternalLink('plain.h5', '/train/images')
change('external.h5ad', external)
def outside(f):
    del f['X']
    f.create_dataset('X', (30, 12), 'u1', external=[('/etc/passwd', 0, 360)])
change('outside.h5ad', outside)
def circle(f):
    del f['X']
    f['X'] = h5py.SoftLink('/Y')
    f['Y'] = h5py.SoftLink('/X')
change('circle.h5ad', circle)
def bomb(f):
    del f['X']
    f.create_dataset('X', (30, 2**32), 'f8', chunks=(1, 2**20), compression='gzip')
change('bomb.h5ad', bomb)
def huge(f):
    del f['X']
    f.create_dataset('X', (2**40, 2**20), 'f8', chunks=(1, 2**10))
change('huge.h5ad', huge)
change('codes.h5ad', lambda f: put(f, 'obs/kind/codes', np.full(30, 77, 'i1')))
def nan(f):
    v = f['X/data'][()]
    v[3] = np.nan
    v[5] = np.inf
    f['X/data'][...] = v
change('nan.h5ad', nan)
with h5py.File('loop.h5', 'w') as f:
    for i in range(8):
        f['self%d' % i] = f['/']
whole = open('small.h5ad', 'rb').read()
open('cut.h5ad', 'wb').write(whole[:len(whole) // 2])
spoiled = bytearray(whole)
for i in range(600, len(whole), 97):
    spoiled[i] ^= 0x5a
open('spoiled.h5ad', 'wb').write(bytes(spoiled))
PY
expect_refused 'pointers.h5ad: X: its pointers do not cut' data info pointers.h5ad
expect_refused 'short.h5ad: X: has [0-9]+ values, 5 indices and 31 pointers' data info short.h5ad
expect_refused 'index.h5ad: X: index 1048[0-9]+ of value 0 is not below 12' data info index.h5ad
expect_refused 'negative.h5ad: X: index -1048[0-9]+ of value 0 is not below 12' data info negative.h5ad
expect_refused 'shape.h5ad: X: has the shape 1099511627776 × 12' data info shape.h5ad
expect_refused 'names.h5ad: X has 12 columns, but var names 2' data info names.h5ad
expect_refused 'noname.h5ad: X: there is no such matrix in the file' data info noname.h5ad
expect_refused 'external.h5ad: X: there is no such matrix in the file' data info external.h5ad
expect_refused 'outside.h5ad: X: its values lie in other files, which are not followed' data info outside.h5ad
expect_refused 'circle.h5ad: X: there is no such matrix in the file' data info circle.h5ad
expect_refused 'bomb.h5ad: X: announces 1030792151040 bytes, but only 0 are stored' data info bomb.h5ad
expect_refused 'huge.h5ad: X: announces more than 1 TiB' data info huge.h5ad
expect_refused 'codes.h5ad: obs/kind: row 0 has code 77, but there are 3 categories' \
    train small.yaml --data codes.h5ad --quiet
expect_refused 'nan.h5ad: 2 values are not finite, the first .NaN. is value [0-9]+ .gene[0-9]+. of sample 0 .cell0.' \
    train small.yaml --data nan.h5ad --quiet
run data info nan.h5ad
grep -q '^missing  2 values are not finite' "$out" || fail "data info does not tell of missing values"
expect_refused 'loop.h5: holds no data set of numbers' data info loop.h5
expect_refused 'cut.h5ad: no HDF5 file that can be read' data info cut.h5ad
run data info spoiled.h5ad
[ "$code" -le 1 ] || fail "a spoiled file ends with status $code"

[ -d "$cells" ] || { end_check; echo "skipped the real files: no $cells"; finish; }

check "every real h5ad file as anndata reads it"
for file in "$cells"/*.h5ad; do
    run data info "$file" --json
    expect_exit 0
    cp "$out" seen.json
    "$python" - "$file" seen.json 2>why <<'PY' || fail "$(basename "$file"): $(tail -1 why)"
import json, sys, warnings
warnings.simplefilter('ignore')
import anndata, numpy as np
a = anndata.read_h5ad(sys.argv[1])
seen = json.loads(open(sys.argv[2]).read().splitlines()[-1])
x = a.X.toarray() if hasattr(a.X, 'toarray') else a.X
assert seen['samples'] == a.n_obs and seen['shape'] == [a.n_vars], 'shape'
assert abs(seen['mean'] - x.mean(dtype='f8')) < 1e-9 + 1e-7 * abs(x.mean()), 'mean'
assert np.float32(seen['minimum']) == x.min() and np.float32(seen['maximum']) == x.max(), 'range'
if 'bulk_labels' in a.obs:
    counts = a.obs['bulk_labels'].value_counts().to_dict()
    assert {l['name']: l['count'] for l in seen['labels']} == counts, 'labels'
else:
    assert seen['labels'] is None
PY
    run data convert "$file" -o values.npy
    "$python" - "$file" 2>why <<'PY' || fail "$(basename "$file"): $(tail -1 why)"
import sys, warnings
warnings.simplefilter('ignore')
import anndata, numpy as np
x = anndata.read_h5ad(sys.argv[1]).X
assert np.array_equal(np.load('values.npy'), np.asarray(x.toarray() if hasattr(x, 'toarray') else x, 'f4')), 'values'
PY
    rm -f values*.npy
done

check "citeseq trains from counts by its recipe alone"
run train citeseq --data "$cells/citefuse_10x" --epochs 1 --quiet
expect_exit 0
grep -q 'input: \[2049\]' runs/citeseq-001/recipe.yaml || fail "not 2000 genes and 49 proteins"
run train citeseq --data "$cells/pbmc_5k_protein_v3.h5ad" --epochs 1 --quiet
expect_exit 0
grep -q 'input: \[2029\]' runs/citeseq-002/recipe.yaml || fail "not 2000 genes and 29 proteins"
run encode citeseq-002 "$cells/pbmc_5k_protein_v3.h5ad" -o z.npy
run encode citeseq-002 "$cells/pbmc_5k_protein_v3.h5ad" -o cite.h5ad
expect_exit 0
"$python" compare.py "$cells/pbmc_5k_protein_v3.h5ad" cite.h5ad z.npy 2>why || fail "$(tail -1 why)"
expect_refused 'none of the 2000 genes the model was trained on is there' \
    encode citeseq-002 "$cells/citefuse_10x" -o none.npy

check "latents into copies of real files, of both layouts"
cat >dense.yaml <<'YAML'
name: dense
data: {scale: none, validation: 0.1}
model:
  input: [765]
  encoder: [dense: {units: 8}]
  decoder: [dense: {units: 765}]
train: {epochs: 1, batch_size: 64}
YAML
run train dense.yaml --data "$cells/10x_pbmc68k_reduced_2025_modern.h5ad" --quiet
expect_exit 0
for name in 2025_modern 2018b_h5sparse; do
    file=$cells/10x_pbmc68k_reduced_$name.h5ad
    run encode dense-001 "$file" -o z.npy
    run encode dense-001 "$file" -o out.h5ad
    expect_exit 0
    "$python" compare.py "$file" out.h5ad z.npy 2>why || fail "$name: $(tail -1 why)"
done
finish
