#!/bin/bash
# test.sh IMAGE: as the user that buildpacks run as, a package with a C extension is built into a virtual environment.
set -euo pipefail

docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -un):$(id -u):$(id -g) == "cnb:$CNB_USER_ID:$CNB_GROUP_ID" ]] || { id; exit 1; }
[[ $CNB_STACK_ID == org.toolforge.buildpacks.stack.trixie1 ]]
cd "$(mktemp -d)"
mkdir six && cd six
cat > six.c <<'C'
#include <Python.h>
static PyObject *times(PyObject *self, PyObject *number) { return PyLong_FromLong(6 * PyLong_AsLong(number)); }
static PyMethodDef methods[] = {{"times", times, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "six_times", NULL, -1, methods};
PyMODINIT_FUNC PyInit_six_times(void) { return PyModule_Create(&module); }
C
python3 -m venv --system-site-packages ../venv
gcc -shared -fPIC $(python3-config --includes) -o "$(../venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/six_times.so" six.c
../venv/bin/python -c 'import six_times; assert six_times.times(7) == 42'
../venv/bin/pip --version
git --version
uwsgi --version
EOF
