# Folders that take no file, disks that are full, files that may not grow: one line, and what was good stays good.
. "$(dirname "$0")/lib.sh"
make_small_run
model=runs/small-001
data=small-images-idx3-ubyte

closed=() # folders in which nobody can write, root neither
[ -d /proc/self ] && closed+=(/proc)
closed+=(small.yaml/below no/such/folder)
if [ "$(id -u)" != 0 ]; then
    mkdir shut && chmod a-w shut
    closed+=(shut)
fi

for folder in "${closed[@]}"; do
    check "nothing can be written in $folder"
    for command in "encode $model $data -o" "reconstruct $model $data -o" "data show $data -o"; do
        ending=npy && [[ $command == data* ]] && ending=png
        expect_refused "$folder" $command "$folder/x.$ending"
    done
    # train makes folders that are missing; in a path through a file it names the file
    [ "$folder" = no/such/folder ] || expect_refused "${folder%/below}" train small.yaml --out "$folder"
done

check "a folder in the place of the file"
mkdir place.npy
expect_refused 'place.npy' encode $model $data -o place.npy
rmdir place.npy

check "the folder is looked at before the work"
expect_refused 'no/such/folder' encode no-such-model no-such-data -o no/such/folder/z.npy

# ulimit -f counts in KiB; the shell's own files, stdout and stderr, stay far below.
check "a file that may not grow is told of, and leaves nothing"
before=$(find . | sort)
(ulimit -f 4 && exec "$program" encode $model $data -o z.npy >"$out" 2>"$err" </dev/null)
code=$?
expect_exit 1
expect_error 'z.npy.*(ulimit -f|too large)'
[ "$before" = "$(find . | sort)" ] || fail "left something behind"

check "an old file survives a new one that may not grow"
run encode $model $data -o z.npy
cp z.npy kept.npy
(ulimit -f 4 && exec "$program" encode $model $data -o z.npy >"$out" 2>"$err" </dev/null)
code=$?
expect_exit 1
expect_same z.npy kept.npy

check "a training whose files may not grow says so"
(ulimit -f 8 && exec "$program" train small.yaml --out tight --quiet >"$out" 2>"$err" </dev/null)
code=$?
expect_exit 1
expect_error 'tight/small-001/.*(ulimit -f|too large)'

if small_disk disk 600k; then
    check "a full disk: one line, nothing half written"
    before=$(find . | sort)
    dd if=/dev/zero of=disk/filler bs=4k >/dev/null 2>&1
    run encode $model $data -o disk/z.npy
    expect_exit 1
    expect_error 'disk/z.npy.*(disk is full|No space left on device)'
    rm disk/filler
    [ "$before" = "$(find . | sort)" ] || fail "left something behind"

    check "a disk that fills up leaves the last good checkpoint"
    run train small.yaml --out disk --quiet
    expect_exit 0
    cp -r disk/small-001 good
    dd if=/dev/zero of=disk/filler bs=4k >/dev/null 2>&1
    run train --resume disk/small-001 --epochs 4
    expect_exit 1
    [ "$(grep -c '^strait: ' "$err")" = 1 ] || fail "not one line of error"
    expect_stderr '^strait: .*(disk is full|No space left on device)'
    for file in checkpoint model; do expect_same disk/small-001/$file.safetensors good/$file.safetensors; done

    check "and goes on once there is space"
    rm disk/filler
    run train --resume disk/small-001 --epochs 4 --quiet
    expect_exit 0
    run train small.yaml --epochs 4 --quiet --out whole
    expect_same disk/small-001/model.safetensors whole/small-001/model.safetensors
fi

finish
