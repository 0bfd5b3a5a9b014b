"""Scores and centres against scikit-learn and scipy, on random cases: to 1e-6.

compare_sklearn.py LIBSTRAIT: exits with 77 where these are not installed (python3-sklearn).
"""
import ctypes
import sys

try:
    import numpy
    from scipy.optimize import linear_sum_assignment, minimize
    from sklearn import metrics
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

MAX_DIMS = 8
TOLERANCE = 1e-6


class Array(ctypes.Structure):
    _fields_ = [("n_dims", ctypes.c_int), ("dim", ctypes.c_int64 * MAX_DIMS), ("values", ctypes.c_void_p)]


class Agreement(ctypes.Structure):
    _fields_ = [("accuracy", ctypes.c_double), ("nmi", ctypes.c_double), ("ari", ctypes.c_double)]


library = ctypes.CDLL(sys.argv[1])
random = numpy.random.default_rng(20261121)
failed = []
compared = {}


def check(what, found, expected):
    worst = float(numpy.max(numpy.abs(numpy.subtract(found, expected))))
    compared[what] = max(compared.get(what, 0.0), worst)
    if not worst <= TOLERANCE:
        failed.append(f"{what}: {found}, expected {expected}")


def call(name, *arguments):
    status = getattr(library, name)(*arguments, None)
    if status != 0:
        failed.append(f"{name}: status {status}")


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def rows(x):
    return Array(2, (ctypes.c_int64 * MAX_DIMS)(*x.shape), pointer(x))


def compare_agreement():
    n = int(random.integers(2, 400))
    cluster = random.integers(0, random.integers(1, 12), n).astype(numpy.int32)
    label = random.integers(0, random.integers(1, 12), n).astype(numpy.int64) * 7 - 3
    alike = random.random(n) < random.random()
    label[alike] = cluster[alike]
    found = Agreement()
    call("strait_cluster_agreement", ctypes.byref(found), pointer(cluster), pointer(label), ctypes.c_int64(n))
    table = metrics.cluster.contingency_matrix(label, cluster)
    matched = linear_sum_assignment(-table)
    check("accuracy by the best matching", found.accuracy, table[matched].sum() / n)
    check("NMI", found.nmi, metrics.normalized_mutual_info_score(label, cluster))
    check("ARI", found.ari, metrics.adjusted_rand_score(label, cluster))


def compare_silhouette():
    n, d, k = int(random.integers(20, 300)), int(random.integers(1, 40)), int(random.integers(2, 9))
    cluster = random.integers(0, k, n).astype(numpy.int32)
    x = (random.normal(size=(n, d)) * 10.0 ** random.integers(-3, 4) + random.normal(size=d)).astype(numpy.float32)
    x[cluster == 0] += x.std()
    for i, metric in enumerate(["euclidean", "cosine"]):
        found = ctypes.c_double()
        call("strait_silhouette", ctypes.byref(found), ctypes.byref(rows(x)), pointer(cluster), i, 2)
        check(f"silhouette, {metric}", found.value, metrics.silhouette_score(x.astype(float), cluster, metric=metric))


def compare_areas():
    n = int(random.integers(2, 500))
    positive = random.random(n) < random.random()
    positive[0], positive[-1] = True, False
    score = random.normal(size=n) + positive
    if random.random() < 0.5:
        score = numpy.round(score, 1)  # ties
    area, precision = ctypes.c_double(), ctypes.c_double()
    call("strait_detection_areas", ctypes.byref(area), ctypes.byref(precision), pointer(score), pointer(positive),
         ctypes.c_int64(n))
    check("ROC AUC", area.value, metrics.roc_auc_score(positive, score))
    check("average precision", precision.value, metrics.average_precision_score(positive, score))


def compare_geometric_median():
    n, d = int(random.integers(3, 200)), int(random.integers(2, 8))
    x = (random.standard_t(3, size=(n, d)) + random.normal(size=d)).astype(numpy.float32)
    wide, found = x.astype(float), numpy.zeros(d)

    def distances(at):
        away = at - wide
        length = numpy.maximum(numpy.sqrt((away * away).sum(1)), 1e-300)
        return length.sum(), (away / length[:, None]).sum(0)

    call("strait_centre", pointer(found), ctypes.byref(rows(x)), None, ctypes.c_int64(0), 2)
    expected = minimize(distances, wide.mean(0), jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 10000})
    # BFGS stops where the sums' last bits end its line search: its place is then good to the root of these
    check("geometric median: sum of distances", distances(found)[0] / expected.fun, 1)
    if numpy.linalg.norm(expected.jac) < 1e-8:
        check("geometric median", found, expected.x)


for _ in range(40):
    compare_agreement()
    compare_silhouette()
    compare_areas()
    compare_geometric_median()
for what, worst in sorted(compared.items()):
    print(f"{what}: differs by up to {worst:.1e}")
if "geometric median" not in compared:
    failed.append("no geometric median was compared")
for message in failed:
    print("FAIL", message)
sys.exit(bool(failed))
