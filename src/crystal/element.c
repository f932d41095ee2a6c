/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "crystal/structure.h"

static const char symbols[CHGI_MAX_ELEMENT + 1][3] = {
    "X",  "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",
    "Cl", "Ar", "K",  "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As",
    "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn",
    "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho",
    "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po",
    "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md",
    "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og",
};

const char *chgi_element_symbol(int z)
{
    return symbols[z >= 1 && z <= CHGI_MAX_ELEMENT ? z : 0];
}

int chgi_element_number(const char *symbol, size_t length)
{
    if (length < 1 || length > 2 || memchr(symbol, '\0', length))
        return 0;
    for (int z = 1; z <= CHGI_MAX_ELEMENT; z++)
        if (symbols[z][0] == symbol[0] && symbols[z][1] == (length == 2 ? symbol[1] : '\0'))
            return z;
    return 0;
}
