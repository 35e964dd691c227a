/* Shapes as Python sees them, and the module. */

#include "_scan.h"

PyDoc_STRVAR(scan_doc, "scan(frame)\n--\n\nThe kept values of `frame`, or None where it is not bytes in the shape.");

static PyObject *
shape_scan(Shape *self, PyObject *frame)
{
    return liquake_or_none(liquake_read(&self->sequence, self->names, frame));
}

static PyObject *
shape_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *parts;
    if ((keywords != NULL && PyDict_GET_SIZE(keywords)) ||
        !PyArg_ParseTuple(arguments, "O!:Shape", &PyTuple_Type, &parts)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "Shape takes no keywords");
        }
        return NULL;
    }
    Shape *self = (Shape *)type->tp_alloc(type, 0);
    if (self != NULL && liquake_make_sequence(&self->sequence, parts) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
shape_dealloc(Shape *self)
{
    PyTypeObject *type = Py_TYPE(self);
    liquake_free_sequence(&self->sequence);
    for (Py_ssize_t nth = 0; nth < NAMES; nth++) {
        Py_XDECREF(self->names[nth]);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef shape_methods[] = {
    {"scan", (PyCFunction)shape_scan, METH_O, scan_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot shape_slots[] = {
    {Py_tp_doc, "Shape(parts)\n--\n\nParts are bytes, and fields (name, kept, bounds or parts)."},
    {Py_tp_new, shape_new},
    {Py_tp_dealloc, shape_dealloc},
    {Py_tp_methods, shape_methods},
    {0, NULL},
};

static PyType_Spec shape_spec = {
    .name = "liquake.venues._scan.Shape",
    .basicsize = sizeof(Shape),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = shape_slots,
};

static int
scan_exec(PyObject *module)
{
    State *state = PyModule_GetState(module);
    state->shape = (PyTypeObject *)PyType_FromModuleAndSpec(module, &shape_spec, NULL);
    if (PyModule_AddIntConstant(module, "VERSION", LIQUAKE_SCAN_VERSION) < 0) {
        return -1;
    }
    if (state->shape == NULL || liquake_make_attributes(&state->attributes) < 0 ||
        PyModule_AddType(module, state->shape) < 0) {
        return -1;
    }
    PyObject *reader = PyType_FromModuleAndSpec(module, &liquake_reader_spec, NULL);
    int done = reader == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)reader);
    Py_XDECREF(reader);
    return done;
}

static int
scan_clear(PyObject *module)
{
    Py_CLEAR(((State *)PyModule_GetState(module))->shape);
    return 0;
}

static void
scan_free(void *module)
{
    State *state = PyModule_GetState(module);
    scan_clear(module);
    /* Not before: readers that outlive the program's last collection still look by these. */
    liquake_free_attributes(&state->attributes);
}

static int
scan_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(((State *)PyModule_GetState(module))->shape);
    return 0;
}

static PyModuleDef_Slot scan_slots[] = {
    {Py_mod_exec, scan_exec},
    {0, NULL},
};

static struct PyModuleDef scan_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "liquake.venues._scan",
    .m_doc = "Frames in a shape known beforehand.",
    .m_size = sizeof(State),
    .m_slots = scan_slots,
    .m_traverse = scan_traverse,
    .m_clear = scan_clear,
    .m_free = scan_free,
};

PyMODINIT_FUNC
PyInit__scan(void)
{
    return PyModuleDef_Init(&scan_module);
}
