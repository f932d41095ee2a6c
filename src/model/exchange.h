/* What parts of a system tell each other within a pass.  Every atom has one owner, who makes its features, its edges'
 * messages and its angles; the others hold copies.  Four things cross the border:
 *
 *     forward    features v of atoms, after each atom convolution but the last
 *     forward    messages of short edges, in each bond convolution: both owners of a bond then make the same e
 *     backward   dE/dv of remote atoms, to their owners
 *     backward   dE/d(message) of bonds across the border: both owners' e read it
 *
 * All threads of a parallel region call these; without other parts they do nothing. */
#ifndef CHGI_MODEL_EXCHANGE_H
#define CHGI_MODEL_EXCHANGE_H

#include "model/network.h"

#define chgi_exchange_spread CHGI_K(exchange_spread)
#define chgi_exchange_messages CHGI_K(exchange_messages)
#define chgi_exchange_collect CHGI_K(exchange_collect)
#define chgi_exchange_gradients CHGI_K(exchange_gradients)

/** Remote atoms' v of a layer from their owners. */
void chgi_exchange_spread(const chgi_pass *pass, int layer);

/** Messages of remote atoms' short edges from the atoms' owners. \param[in] width of a message */
void chgi_exchange_messages(const chgi_pass *pass, int width);

/** dv of remote atoms joins that of their owners, and is zero then. */
void chgi_exchange_collect(const chgi_pass *pass);

/** To de_part of bonds across the border is added what the other owner has. */
void chgi_exchange_gradients(const chgi_pass *pass, int width);

#endif
