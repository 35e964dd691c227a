/* What a symbol stands for, and what it is worth: `Instrument` of liquake.model as far as a multiplication goes. */

#include "_scan.h"

#include <stdint.h>

int
liquake_make_attributes(Attributes *attributes)
{
    attributes->coins = PyUnicode_InternFromString("coins");
    attributes->dollars = PyUnicode_InternFromString("dollars");
    attributes->kind = PyUnicode_InternFromString("kind");
    attributes->asset = PyUnicode_InternFromString("asset");
    int made = attributes->coins != NULL && attributes->dollars != NULL && attributes->kind != NULL;
    return made && attributes->asset != NULL ? 0 : -1;
}

void
liquake_free_attributes(Attributes *attributes)
{
    Py_CLEAR(attributes->coins);
    Py_CLEAR(attributes->dollars);
    Py_CLEAR(attributes->kind);
    Py_CLEAR(attributes->asset);
}

/* 0 where it is not there, with an exception. */
static double
number_of(PyObject *instrument, PyObject *attribute)
{
    PyObject *number = PyObject_GetAttr(instrument, attribute);
    double found = number == NULL ? 0.0 : PyFloat_AsDouble(number);
    Py_XDECREF(number);
    return found;
}

/* Makes of `contract` what `instrument` is. Returns 0; -1 with an exception. */
static int
take(Contract *contract, const Listing *listing, PyObject *instrument)
{
    const Attributes *names = listing->attributes;
    contract->coins = number_of(instrument, names->coins);
    contract->dollars = number_of(instrument, names->dollars);
    if (listing->in_dollars && (contract->coins > 0.0 || contract->dollars > 0.0)) {
        contract->coins = 0.0;
        contract->dollars = 1.0;
    }
    Py_XSETREF(contract->asset, PyObject_GetAttr(instrument, names->asset));
    Py_XSETREF(contract->kind, PyObject_GetAttr(instrument, names->kind));
    if (PyErr_Occurred()) {
        Py_CLEAR(contract->instrument);
        return -1;
    }
    Py_XSETREF(contract->instrument, Py_NewRef(instrument));
    return 0;
}

const Contract *
liquake_find_contract(Listing *listing, PyObject *symbol)
{
    PyObject *instrument = Py_XNewRef(PyDict_GetItemWithError(listing->listed, symbol));
    if (instrument == NULL && !PyErr_Occurred()) {
        instrument = PyObject_CallOneArg(listing->by_name, symbol);
    }
    if (instrument == NULL || instrument == Py_None) {
        Py_XDECREF(instrument);
        return NULL;
    }
    Contract *contract = &listing->known[((uintptr_t)instrument >> 5) & (KNOWN - 1)];
    int known = contract->instrument == instrument || take(contract, listing, instrument) == 0;
    Py_DECREF(instrument);
    return known && (contract->coins > 0.0 || contract->dollars > 0.0) ? contract : NULL;
}

void
liquake_free_listing(Listing *listing)
{
    Py_DECREF(listing->listed);
    Py_DECREF(listing->by_name);
    for (size_t nth = 0; nth < KNOWN; nth++) {
        Py_XDECREF(listing->known[nth].instrument);
        Py_XDECREF(listing->known[nth].asset);
        Py_XDECREF(listing->known[nth].kind);
    }
}

PyObject *
liquake_amount_of(const Contract *contract, PyObject *size, PyObject *price)
{
    if (contract->coins == 1.0) {
        return Py_NewRef(size);
    }
    double quantity = PyFloat_AsDouble(size);
    return PyFloat_FromDouble(contract->coins > 0.0 ? quantity * contract->coins
                                                    : quantity * contract->dollars / PyFloat_AsDouble(price));
}

PyObject *
liquake_usd_of(const Contract *contract, PyObject *size, PyObject *price)
{
    double quantity = PyFloat_AsDouble(size);
    return PyFloat_FromDouble(contract->coins > 0.0 ? quantity * contract->coins * PyFloat_AsDouble(price)
                                                    : quantity * contract->dollars);
}
