/* Standard atomic weights.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef CHGI_CRYSTAL_MASS_H
#define CHGI_CRYSTAL_MASS_H

/** Standard atomic weight of an element, atomic mass units; 0 when z is outside 1..118.
 *  Source: Meija et al., Pure Appl. Chem. 88, 265 (2016), conventional values where a range is given; elements without
 * a standard weight have the mass of a long-lived isotope.  The values are those that ASE uses. */
double chgi_element_mass(int z);

#endif
