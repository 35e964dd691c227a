/* Making and unmaking a shape. */

#include "_scan.h"

#include <string.h>

void
liquake_free_sequence(Sequence *sequence)
{
    for (Py_ssize_t nth = 0; nth < sequence->count; nth++) {
        Part *part = &sequence->parts[nth];
        Py_XDECREF(part->literal.name);
        for (Py_ssize_t choice = 0; choice < part->choice_count; choice++) {
            Py_XDECREF(part->choices[choice].word.name);
            Py_XDECREF(part->choices[choice].meaning);
        }
        PyMem_Free(part->choices);
        for (Py_ssize_t way = 0; way < part->way_count; way++) {
            liquake_free_sequence(&part->ways[way]);
        }
        PyMem_Free(part->ways);
        liquake_free_sequence(&part->inner);
    }
    PyMem_Free(sequence->parts);
}

static Word
word_of(PyObject *bytes)
{
    return (Word){PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), Py_NewRef(bytes)};
}

static int
make_choices(Part *part, PyObject *pairs)
{
    Py_ssize_t count = PyTuple_GET_SIZE(pairs);
    part->choices = PyMem_Calloc(count ? count : 1, sizeof(Choice));
    if (part->choices == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; part->choice_count < count; part->choice_count++) {
        PyObject *word, *meaning;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(pairs, part->choice_count), "SO", &word, &meaning)) {
            return -1;
        }
        part->choices[part->choice_count] = (Choice){word_of(word), Py_NewRef(meaning)};
    }
    return 0;
}

static int
make_ways(Part *part, PyObject *ways)
{
    Py_ssize_t count = PyTuple_GET_SIZE(ways);
    part->ways = PyMem_Calloc(count ? count : 1, sizeof(Sequence));
    if (part->ways == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    while (part->way_count < count) {
        PyObject *parts = PyTuple_GET_ITEM(ways, part->way_count);
        Sequence *way = &part->ways[part->way_count++];
        if (!PyTuple_Check(parts) || liquake_make_sequence(way, parts) < 0) {
            return -1;
        }
        if (way->kept != part->ways[0].kept) {
            PyErr_SetString(PyExc_ValueError, "ways that differ in the number of values they give");
            return -1;
        }
    }
    return 0;
}

/* `field` is a tuple: what it is, whether it is kept, and what it may be. */
static int
make_field(Part *part, PyObject *field)
{
    static const char *const names[] = {"", "text", "number", "integer", "moment", "choice", "maybe", "either", "rows"};
    const char *name;
    PyObject *inner, *ending;
    if (!PyArg_ParseTuple(field, "spO!;a field is (name, kept, bounds)", &name, &part->kept, &PyTuple_Type, &inner)) {
        return -1;
    }
    for (part->kind = TEXT; part->kind <= ROWS && strcmp(name, names[part->kind]) != 0; part->kind++) {
    }
    switch (part->kind) {
    case TEXT:
        if (!PyArg_ParseTuple(inner, "nnSp", &part->shortest, &part->longest, &ending, &part->passing)) {
            return -1;
        }
        part->literal = word_of(ending);
        return 0;
    case NUMBER:
        return PyArg_ParseTuple(inner, "ddppp", &part->low, &part->high, &part->opposite, &part->loose, &part->nullable)
                   ? 0
                   : -1;
    case INTEGER:
        return PyArg_ParseTuple(inner, "LLp", &part->least, &part->most, &part->written) ? 0 : -1;
    case MOMENT: return PyArg_ParseTuple(inner, "LL", &part->least, &part->most) ? 0 : -1;
    case CHOICE: return make_choices(part, inner);
    case EITHER: return make_ways(part, inner);
    case MAYBE:
    case ROWS: return liquake_make_sequence(&part->inner, inner);
    default: PyErr_Format(PyExc_ValueError, "no field is called %s", name); return -1;
    }
}

int
liquake_make_sequence(Sequence *sequence, PyObject *parts)
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
        if (PyBytes_Check(given)) {
            part->literal = word_of(given); /* and its kind is 0 */
        }
        else if (make_field(part, given) < 0) {
            sequence->count++; /* so that what it holds already is given back */
            return -1;
        }
        part->gives = part->kind == MAYBE                        ? part->inner.kept
                      : part->kind == EITHER && part->way_count ? part->ways[0].kept
                                                                 : part->kept;
        sequence->kept += part->gives;
    }
    return 0;
}
