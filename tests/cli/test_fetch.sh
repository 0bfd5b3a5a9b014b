# data fetch, from a server of this test's own: whole, broken off and gone on with, through a proxy, wrong, missing.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
[ -f "$STRAIT_DATA/ecg5000/ecg.csv.gz" ] || skip "no ecg5000"
$python -c 'import http.server' 2>/dev/null || skip "no $python"

mkdir served wrong
gunzip -c "$STRAIT_DATA/ecg5000/ecg.csv.gz" >served/ecg.csv
head -c 1000000 served/ecg.csv >wrong/ecg.csv

# A server that knows Range (as the RFC 9110 has it), logs what was asked for, and is a proxy for whole addresses.
cat >server.py <<'PY'
import http.server, os, re, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = re.sub('^http://[^/]*', '', self.path).lstrip('/')
        with open('log', 'a') as log: log.write('%s %s\n' % (self.path, self.headers.get('Range')))
        if not os.path.isfile(path): return self.send_error(404)
        data = open(path, 'rb').read()
        wanted = re.match(r'bytes=(\d+)-$', self.headers.get('Range', ''))
        if wanted and 'norange' not in self.path:
            first = int(wanted.group(1))
            if first >= len(data): return self.send_error(416)
            self.send_response(206)
            self.send_header('Content-Range', 'bytes %d-%d/%d' % (first, len(data) - 1, len(data)))
            data = data[first:]
        else:
            self.send_response(200)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
open('port.new', 'w').write(str(server.server_port))
os.rename('port.new', 'port')
server.serve_forever()
PY
$python server.py &
server=$!
trap 'kill $server; clean_up' EXIT
for i in $(seq 200); do [ -f port ] && break; sleep 0.05; done
[ -f port ] || { echo "FAIL the server did not start"; exit 1; }
home=http://127.0.0.1:$(cat port)
mkdir norange && cp served/ecg.csv norange
export XDG_DATA_HOME=$PWD/data no_proxy=127.0.0.1
unset http_proxy https_proxy HTTPS_PROXY ALL_PROXY all_proxy
into=data/strait/ecg5000

check "a data set is fetched, and found by its name"
run data fetch ecg5000 --url "$home/served"
expect_exit 0
expect_stdout 'ecg5000 .*/data/strait/ecg5000$'
expect_same served/ecg.csv $into/ecg.csv
STRAIT_DATA=/nowhere run data info ecg5000
expect_exit 0
expect_stdout '^samples +3,998$'

check "what is there and right is not fetched again"
rm log
run data fetch ecg5000 --url "$home/served" --json
expect_exit 0
expect_json name folder
[ ! -e log ] || fail "it was: $(cat log)"

check "what was broken off goes on where it ended"
rm -f log && mv $into/ecg.csv whole && head -c 3000000 whole >$into/ecg.csv.part
run data fetch ecg5000 --url "$home/served"
expect_exit 0
expect_same whole $into/ecg.csv
grep -q 'bytes=3000000-' log || fail "asked for $(cat log)"
[ ! -e $into/ecg.csv.part ] || fail "the part is still there"

check "a server that cannot go on sends all of it"
rm $into/ecg.csv && head -c 3000000 whole >$into/ecg.csv.part
run data fetch ecg5000 --url "$home/norange"
expect_exit 0
expect_same whole $into/ecg.csv

check "a part of something else is fetched anew"
rm $into/ecg.csv && head -c 3000000 /dev/zero >$into/ecg.csv.part
run data fetch ecg5000 --url "$home/served"
expect_exit 0
expect_same whole $into/ecg.csv

check "a part that is all there is needs no more"
rm $into/ecg.csv && cp whole $into/ecg.csv.part
run data fetch ecg5000 --url "$home/served"
expect_exit 0
expect_same whole $into/ecg.csv

check "through a proxy"
rm -f log $into/ecg.csv
no_proxy='' http_proxy=$home run data fetch ecg5000 --url http://strait.invalid/served
expect_exit 0
expect_same whole $into/ecg.csv
grep -q '^http://strait.invalid/served/ecg.csv' log || fail "the proxy was asked for $(cat log)"

check "another file than it should be is refused and removed"
rm $into/ecg.csv
run data fetch ecg5000 --quiet --url "$home/wrong"
expect_exit 1
expect_error 'is not the file it should be: its SHA-256 is'
[ "$(find $into -type f | wc -l)" = 0 ] || fail "there is $(ls $into)"

check "CIFAR-10 that has been unpacked is not fetched again"
mkdir -p data/strait/cifar10
for batch in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    truncate -s 30730000 data/strait/cifar10/$batch.bin
done
run data fetch cifar10 --url http://127.0.0.1:9
expect_exit 0
expect_stdout 'cifar10 .*/data/strait/cifar10$'
truncate -s 30729999 data/strait/cifar10/test_batch.bin
run data fetch cifar10 --quiet --url http://127.0.0.1:9
expect_exit 1
expect_error 'cifar-10-binary.tar.gz: cannot be fetched'
rm -r data/strait/cifar10

check "what is missing, and who does not answer, is told"
run data fetch ecg5000 --quiet --url "$home/nothing"
expect_exit 1
expect_error '404'
run data fetch ecg5000 --quiet --url http://127.0.0.1:9
expect_exit 1
expect_error 'cannot be fetched'
run data fetch ecg5000 --quiet --url file:///etc
expect_exit 1
run data fetch ecg --url "$home/served"
expect_exit 1
expect_error 'no known data set'
finish
