# Every file of the real data: shape, type, labels and sums as its README or an independent reader has them.
. "$(dirname "$0")/lib.sh"
[ -f "$STRAIT_DATA/README.md" ] || skip "no real data in $STRAIT_DATA"
can_read_json || skip "neither jq nor python3"

# facts SOURCE SAMPLES SHAPE STORAGE SUM LABELS: sum of all values as stored, labels as COUNT+COUNT+... in their order.
facts() {
    local source=$1 seen # the rest: options
    shift
    check "${source##*/}"
    run data info "$STRAIT_DATA/$source" "${@:6}" --json
    expect_exit 0
    seen="$(json .samples) $(json .shape | tr -d ' \n' | tr , x | tr -d '[]') $(json .storage)"
    [ "$seen" = "$1 $2 $3" ] || fail "is $seen, not $1 $2 $3"
    [ "$4" = - ] || expect_near sum "$(awk -v m="$(json .mean)" -v n="$1" -v s="$2" \
        'BEGIN { k = split(s, d, "x"); for (i = 1; i <= k; i++) n *= d[i]; printf "%.6f", m * n }')" "$4" 1e-6
    seen=$(tail -n 1 "$out" | grep -o '"count": [0-9]*' | grep -o '[0-9]*' | paste -sd+)
    [ "$seen" = "$5" ] || fail "labels $seen, not $5"
}
pbmc=68+8+19+54+43+129+95+13+31+240 # obs/bulk_labels by anndata

# Shapes, labels and sums by the data's README, and by numpy, scipy, h5py, anndata and PIL.
facts mnist 60000 28x28x1 u8 1567298545 5923+6742+5958+6131+5842+5421+5918+6265+5851+5949
facts mnist/t10k-images-idx3-ubyte.gz 10000 28x28x1 u8 264923200 980+1135+1032+1010+982+892+958+1028+974+1009
facts ecg5000/ecg.csv.gz 4998 140 f32 - 2079+2919 --label last
facts ecg5000/ECG5000_TRAIN.arff 500 140 f32 - 292+177+10+19+2
facts cifar10 4000 32x32x3 u8 1481085868 396+366+420+384+422+393+414+385+407+413
facts nuclei/gray256 334 256x256x1 u8 275279406 ''
facts nuclei/nuclei_crops_64.npy 5189 64x64x1 u8 431513244 ''
facts ecg_mitbih/record208.npz 108000 1 u16 107025651 ''
facts cells/10x_pbmc68k_reduced_2025_modern.h5ad 700 765 f32 -243.681 $pbmc
facts cells/10x_pbmc68k_reduced_2018b_h5sparse.h5ad 700 765 f32 -243.681 $pbmc
for kind in csr csr_gzip csc dense_lzf; do
    facts cells/pbmc68k_counts_anndata08_$kind.h5ad 700 765 f32 486651 $pbmc
done
facts cells/pbmc_5k_protein_v3.h5ad 200 16581 f32 1351231 ''
facts 'cells/pbmc_5k_protein_v3.h5ad#obsm/protein_expression' 200 29 f32 628093 ''
facts cells/citefuse_10x 500 19570 f32 2647717 ''
facts cells/citefuse_adt_counts.csv 500 49 f32 927766 ''
facts cells/pbmc_small_10x 80 230 f32 19633 ''
facts cells/pbmc_small_counts.csv 80 230 f32 19633 36+25+19
facts cells/3.0.0_filtered_feature_bc_matrix.h5 1107 507 f32 41549 ''
facts tfrecord/mnist100_raw_u8.tfrecords 100 28x28x1 u8 2716373 ''
facts tfrecord/fruit10_rgb_raw_100x100.tfrecords 10 100x100x3 u8 39836672 5+5
facts tfrecord/bccd_blood_cells_jpeg_test.record 64 480x640x3 u8 10926320224 ''
facts tables/digits.csv.gz 1797 64 f32 561718 178+182+177+183+181+182+181+179+174+180 --label last
facts tables/breast_cancer.csv 569 30 f32 1056474.46 212+357
facts microscopy/rgb8.tif 1 264x542x3 u8 8661858 ''
facts microscopy/u16_be.tif 1 1000x1200x1 u16 551636230 ''
facts microscopy/u16_le_a.tif 1 520x696x1 u16 178217022 ''
facts microscopy/u16_le_b.tif 1 520x696x1 u16 74297772 ''
facts microscopy/u8_packbits.tif 1 512x512x1 u8 4533639 ''
facts microscopy/u8_palette.tif 1 512x512x3 u8 38559549 ''
facts tables/biochemists.tsv 915 6 f32 - ''

check "folders of several kinds, and labels alone, say what to do"
expect_refused 'holds 10000 numbers, one each, such as labels' data info "$STRAIT_DATA/mnist/t10k-labels-idx1-ubyte.gz"
expect_refused "u16_be.tif: is 16-bit grey, and .*rgb8.tif is 8-bit RGB" data info "$STRAIT_DATA/microscopy"
expect_refused 'cells: no data set in this folder' data info "$STRAIT_DATA/cells"
expect_refused 'has no feature' data info "$STRAIT_DATA/tfrecord"

finish
