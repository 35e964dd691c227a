/* A reader of JSON frames that are byte for byte in a shape known beforehand. Optional: shape.py says how it is used.

   A shape is a sequence of parts, each a literal or a field. Reading it looks at every byte once and makes objects of
   the wanted fields alone. What is not exactly in the shape is no error: `scan` gives None, and the caller reads the
   frame in the general way. So this file may refuse whatever is rare, and must never accept what the general way would
   read otherwise.

   Numbers: a decimal of at most 19 digits whose digits without the point are an integer of at most 2^53, divided by a
   power of ten of at most 10^22, is correctly rounded by one division, since both are doubles exactly (W. D. Clinger,
   How to Read Floating Point Numbers Accurately, 1990). Every other number is refused. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <float.h>
#include <stdint.h>
#include <string.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 1
#error "a division would be rounded twice here: liquake runs without this extension"
#endif

#define MOST_DIGITS 19
#define MOST_EXACT (UINT64_C(1) << 53)
#define LONGEST_NAME 64
#define NAMES 1024 /* a power of two */

static const double POWERS[MOST_DIGITS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                               1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

typedef enum { LITERAL, TEXT, NUMBER, INTEGER, CHOICE, MAYBE, ROWS } Kind;

typedef struct {
    const char *text; /* of `name`, which holds it */
    Py_ssize_t length;
    PyObject *name;
} Word;

struct part;

typedef struct {
    struct part *parts;
    Py_ssize_t count;
    Py_ssize_t kept; /* values that reading it gives */
} Sequence;

typedef struct part {
    Kind kind;
    int kept;            /* 0: checked, and no object made of it */
    Word literal;        /* LITERAL; its name is a bytes */
    Py_ssize_t shortest; /* TEXT, in characters */
    Py_ssize_t longest;
    double low; /* NUMBER */
    double high;
    long long least; /* INTEGER */
    long long most;
    Word *choices; /* CHOICE */
    Py_ssize_t choice_count;
    Sequence inner; /* MAYBE, ROWS */
} Part;

typedef struct {
    PyObject_HEAD
    Sequence sequence;
    PyObject *names[NAMES]; /* texts given lately: the same few symbols come again and again */
} Shape;

typedef struct {
    const char *at;
    const char *end;
    PyObject **names;
} Cursor;

/* What the functions below answer. A failure has set an exception, which only want of memory does. */
typedef enum { FAILED = -1, OTHER = 0, READ = 1 } Answer;

/* Reading */

/* Eight bytes at a time: for texts as short as these a call of memcmp costs more than the comparison. */
static inline int
same(const char *one, const char *other, Py_ssize_t length)
{
    for (; length >= 8; length -= 8, one += 8, other += 8) {
        uint64_t first, second;
        memcpy(&first, one, 8);
        memcpy(&second, other, 8);
        if (first != second) {
            return 0;
        }
    }
    while (length > 0 && *one == *other) {
        length--, one++, other++;
    }
    return length == 0;
}

static inline Answer
read_literal(Cursor *cursor, const Word *literal)
{
    if (cursor->end - cursor->at < literal->length || !same(cursor->at, literal->text, literal->length)) {
        return OTHER;
    }
    cursor->at += literal->length;
    return READ;
}

/* Up to the closing quote, which is left. Only printable ASCII without escapes is plain. */
static inline Answer
read_plain(Cursor *cursor, const char **start, Py_ssize_t *length, uint32_t *hash)
{
    const char *at = cursor->at;
    uint32_t mixed = 2166136261u;
    while (at < cursor->end && *at != '"') {
        unsigned char mark = (unsigned char)*at;
        if (mark < 0x20 || mark > 0x7e || mark == '\\') {
            return OTHER;
        }
        mixed = (mixed ^ mark) * 16777619u;
        at++;
    }
    if (at == cursor->end) {
        return OTHER;
    }
    *start = cursor->at;
    *length = at - cursor->at;
    *hash = mixed ^ (mixed >> 15);
    cursor->at = at;
    return READ;
}

static PyObject *
name_of(PyObject **names, const char *start, Py_ssize_t length, uint32_t hash)
{
    PyObject **place = &names[hash & (NAMES - 1)];
    PyObject *name = *place;
    if (name != NULL && PyUnicode_GET_LENGTH(name) == length &&
        same((const char *)PyUnicode_1BYTE_DATA(name), start, length)) {
        return Py_NewRef(name);
    }
    PyObject *fresh = PyUnicode_New(length, 0x7f);
    if (fresh == NULL || length == 0) {
        return fresh;
    }
    memcpy(PyUnicode_1BYTE_DATA(fresh), start, length);
    if (length <= LONGEST_NAME) {
        *place = Py_NewRef(fresh);
        Py_XDECREF(name);
    }
    return fresh;
}

static inline Answer
read_text(Cursor *cursor, const Part *part, PyObject **value)
{
    const char *start;
    Py_ssize_t length;
    uint32_t hash;
    if (!read_plain(cursor, &start, &length, &hash) || length < part->shortest || length > part->longest) {
        return OTHER;
    }
    if (part->kept && (*value = name_of(cursor->names, start, length, hash)) == NULL) {
        return FAILED;
    }
    return READ;
}

static inline Answer
read_choice(Cursor *cursor, const Part *part, PyObject **value)
{
    const char *start;
    Py_ssize_t length;
    uint32_t hash;
    if (!read_plain(cursor, &start, &length, &hash)) {
        return OTHER;
    }
    for (Py_ssize_t nth = 0; nth < part->choice_count; nth++) {
        const Word *word = &part->choices[nth];
        if (word->length == length && same(word->text, start, length)) {
            if (part->kept) {
                *value = Py_NewRef(word->name);
            }
            return READ;
        }
    }
    return OTHER;
}

/* Digits, of which at most `room` may come, added to `mantissa`. Returns how many came; -1 for too many. */
static inline int
read_digits(Cursor *cursor, uint64_t *mantissa, int room)
{
    const char *at = cursor->at;
    uint64_t sum = *mantissa;
    while (at < cursor->end && *at >= '0' && *at <= '9') {
        if (at - cursor->at >= room) {
            return -1;
        }
        sum = sum * 10 + (uint64_t)(*at++ - '0');
    }
    int count = (int)(at - cursor->at);
    *mantissa = sum;
    cursor->at = at;
    return count;
}

/* The integer part of a JSON number: no sign, no leading zeros. Returns its digits; -1 where it is none. */
static inline int
read_whole(Cursor *cursor, uint64_t *mantissa)
{
    const char *start = cursor->at;
    int count = read_digits(cursor, mantissa, MOST_DIGITS);
    return count < 1 || (count > 1 && *start == '0') ? -1 : count;
}

static inline Answer
read_number(Cursor *cursor, const Part *part, PyObject **value)
{
    uint64_t mantissa = 0;
    int decimals = 0, whole = read_whole(cursor, &mantissa);
    if (whole < 0) {
        return OTHER;
    }
    if (cursor->at < cursor->end && *cursor->at == '.') {
        cursor->at++;
        decimals = read_digits(cursor, &mantissa, MOST_DIGITS - whole);
        if (decimals < 1) {
            return OTHER;
        }
    }
    if (mantissa > MOST_EXACT) {
        return OTHER;
    }
    double number = (double)mantissa / POWERS[decimals];
    if (!(number >= part->low && number <= part->high)) {
        return OTHER;
    }
    if (part->kept && (*value = PyFloat_FromDouble(number)) == NULL) {
        return FAILED;
    }
    return READ;
}

static inline Answer
read_integer(Cursor *cursor, const Part *part, PyObject **value)
{
    uint64_t number = 0;
    int digits = read_whole(cursor, &number);
    if (digits < 0 || digits >= MOST_DIGITS || (long long)number < part->least || (long long)number > part->most) {
        return OTHER;
    }
    if (part->kept && (*value = PyLong_FromLongLong((long long)number)) == NULL) {
        return FAILED;
    }
    return READ;
}

static Answer
read_sequence(Cursor *cursor, const Sequence *sequence, PyObject **values);

/* One sequence or more with commas between, each a tuple in a list. */
static Answer
read_rows(Cursor *cursor, const Part *part, PyObject **value)
{
    PyObject *rows = PyList_New(0);
    if (rows == NULL) {
        return FAILED;
    }
    *value = rows;
    for (;;) {
        PyObject *row = PyTuple_New(part->inner.kept);
        if (row == NULL) {
            return FAILED;
        }
        Answer answer = read_sequence(cursor, &part->inner, ((PyTupleObject *)row)->ob_item);
        if (answer == READ && PyList_Append(rows, row) < 0) {
            answer = FAILED;
        }
        Py_DECREF(row);
        if (answer != READ || cursor->at == cursor->end || *cursor->at != ',') {
            return answer;
        }
        cursor->at++;
    }
}

/* A sequence that may be left out as a whole: its first literal decides, and its values are then None. */
static Answer
read_maybe(Cursor *cursor, const Part *part, PyObject **values)
{
    Cursor ahead = *cursor;
    if (read_literal(&ahead, &part->inner.parts[0].literal)) {
        return read_sequence(cursor, &part->inner, values);
    }
    for (Py_ssize_t nth = 0; nth < part->inner.kept; nth++) {
        values[nth] = Py_NewRef(Py_None);
    }
    return READ;
}

static Answer
read_sequence(Cursor *cursor, const Sequence *sequence, PyObject **values)
{
    const Part *last = sequence->parts + sequence->count;
    for (const Part *part = sequence->parts; part < last; part++) {
        Answer answer = OTHER;
        switch (part->kind) {
        case LITERAL: answer = read_literal(cursor, &part->literal); break;
        case TEXT: answer = read_text(cursor, part, values); break;
        case NUMBER: answer = read_number(cursor, part, values); break;
        case INTEGER: answer = read_integer(cursor, part, values); break;
        case CHOICE: answer = read_choice(cursor, part, values); break;
        case MAYBE: answer = read_maybe(cursor, part, values); break;
        case ROWS: answer = read_rows(cursor, part, values); break;
        }
        if (answer != READ) {
            return answer;
        }
        values += part->kind == MAYBE ? part->inner.kept : part->kept;
    }
    return READ;
}

PyDoc_STRVAR(scan_doc, "scan(frame)\n--\n\nThe kept values of `frame`, or None where it is not bytes in the shape.");

static PyObject *
shape_scan(Shape *self, PyObject *frame)
{
    if (!PyBytes_Check(frame)) {
        Py_RETURN_NONE;
    }
    const char *start = PyBytes_AS_STRING(frame);
    Cursor cursor = {start, start + PyBytes_GET_SIZE(frame), self->names};
    Cursor ahead = cursor;
    if (!read_literal(&ahead, &self->sequence.parts[0].literal)) {
        Py_RETURN_NONE;
    }
    PyObject *values = PyTuple_New(self->sequence.kept);
    if (values == NULL) {
        return NULL;
    }
    Answer answer = read_sequence(&cursor, &self->sequence, ((PyTupleObject *)values)->ob_item);
    if (answer == READ && cursor.at == cursor.end) {
        return values;
    }
    Py_DECREF(values);
    if (answer == FAILED) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Making and unmaking a shape */

static void
free_sequence(Sequence *sequence)
{
    for (Py_ssize_t nth = 0; nth < sequence->count; nth++) {
        Part *part = &sequence->parts[nth];
        Py_XDECREF(part->literal.name);
        for (Py_ssize_t choice = 0; choice < part->choice_count; choice++) {
            Py_XDECREF(part->choices[choice].name);
        }
        PyMem_Free(part->choices);
        free_sequence(&part->inner);
    }
    PyMem_Free(sequence->parts);
}

static int
make_sequence(Sequence *sequence, PyObject *parts);

static int
make_choices(Part *part, PyObject *words)
{
    Py_ssize_t count = PyTuple_GET_SIZE(words);
    part->choices = PyMem_Calloc(count ? count : 1, sizeof(Word));
    if (part->choices == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t nth = 0; nth < count; nth++) {
        Word *word = &part->choices[nth];
        PyObject *name = PyTuple_GET_ITEM(words, nth);
        word->text = PyUnicode_AsUTF8AndSize(name, &word->length);
        if (word->text == NULL) {
            return -1;
        }
        word->name = Py_NewRef(name);
        part->choice_count++;
    }
    return 0;
}

/* `field` is a tuple: what it is, whether it is kept, and what it may be. */
static int
make_field(Part *part, PyObject *field)
{
    static const char *const names[] = {"", "text", "number", "integer", "choice", "maybe", "rows"};
    const char *name;
    PyObject *inner;
    if (!PyArg_ParseTuple(field, "spO!;a field is (name, kept, bounds)", &name, &part->kept, &PyTuple_Type, &inner)) {
        return -1;
    }
    for (part->kind = TEXT; part->kind <= ROWS && strcmp(name, names[part->kind]) != 0; part->kind++) {
    }
    switch (part->kind) {
    case TEXT: return PyArg_ParseTuple(inner, "nn", &part->shortest, &part->longest) ? 0 : -1;
    case NUMBER: return PyArg_ParseTuple(inner, "dd", &part->low, &part->high) ? 0 : -1;
    case INTEGER: return PyArg_ParseTuple(inner, "LL", &part->least, &part->most) ? 0 : -1;
    case CHOICE: return make_choices(part, inner);
    case MAYBE:
    case ROWS: return make_sequence(&part->inner, inner);
    default: PyErr_Format(PyExc_ValueError, "no field is called %s", name); return -1;
    }
}

static int
make_literal(Part *part, PyObject *literal)
{
    part->kind = LITERAL;
    part->literal = (Word){PyBytes_AS_STRING(literal), PyBytes_GET_SIZE(literal), Py_NewRef(literal)};
    return 0;
}

static int
make_sequence(Sequence *sequence, PyObject *parts)
{
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    if (count == 0 || !PyBytes_Check(PyTuple_GET_ITEM(parts, 0))) {
        PyErr_SetString(PyExc_ValueError, "a sequence begins with a literal: what it is is seen by that");
        return -1;
    }
    sequence->parts = PyMem_Calloc(count, sizeof(Part));
    if (sequence->parts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; sequence->count < count; sequence->count++) {
        Part *part = &sequence->parts[sequence->count];
        PyObject *given = PyTuple_GET_ITEM(parts, sequence->count);
        if ((PyBytes_Check(given) ? make_literal(part, given) : make_field(part, given)) < 0) {
            sequence->count++; /* so that what it holds already is given back */
            return -1;
        }
        sequence->kept += part->kind == MAYBE ? part->inner.kept : part->kept;
    }
    return 0;
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
    if (self != NULL && make_sequence(&self->sequence, parts) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
shape_dealloc(Shape *self)
{
    PyTypeObject *type = Py_TYPE(self);
    free_sequence(&self->sequence);
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
    PyObject *type = PyType_FromModuleAndSpec(module, &shape_spec, NULL);
    int done = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return done;
}

static PyModuleDef_Slot scan_slots[] = {
    {Py_mod_exec, scan_exec},
    {0, NULL},
};

static struct PyModuleDef scan_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "liquake.venues._scan",
    .m_doc = "Frames in a shape known beforehand.",
    .m_size = 0,
    .m_slots = scan_slots,
};

PyMODINIT_FUNC
PyInit__scan(void)
{
    return PyModuleDef_Init(&scan_module);
}
