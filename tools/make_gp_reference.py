#!/usr/bin/env python3
"""Reference values for the Gaussian process of the delta-model: tests/ref/gp.h5.

Energies only: scikit-learn's GaussianProcessRegressor on summed descriptors: log marginal likelihood, its gradient,
posterior mean and variance.  Energies and forces: NumPy with every Hessian of the kernel written out and the whole
matrix inverted, for the sum over pairs of atoms.  Structures are made up.

    python3 tools/make_gp_reference.py        (needs numpy, scikit-learn and h5py)

SPDX-License-Identifier: BSD-3-Clause
"""
import os

import h5py
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (RBF, ConstantKernel, DotProduct, Exponentiation, Matern,
                                              RationalQuadratic, WhiteKernel)

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "ref", "gp.h5")
N_TRAIN, N_TEST, N_FEATURE, N_FORCE = 10, 4, 6, 5
NOISE_ENERGY, NOISE_FORCE = 0.05, 0.1


def make_structures(rng):
    structures = []
    for k in range(N_TRAIN + N_TEST):
        n = 4 + k % 4
        numbers = np.array([29] * (n - 1 - k % 2) + [16] * (1 + k % 2), dtype=np.int32)
        structures.append({
            "numbers": rng.permutation(numbers),
            "fea": rng.normal(size=(n, N_FEATURE)) + 0.5 * np.arange(N_FEATURE),
            "energy": rng.normal(),
            "forces": rng.normal(size=N_FORCE),
            "jacobian": rng.normal(size=(N_FORCE, n, N_FEATURE)),
        })
    return structures


# ---- energies only: scikit-learn -----------------------------------------------------------------------------------

def unit_rows(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# Text of the project's kernel, scikit-learn's, and where its hyperparameters stand in scikit-learn's theta.
SKLEARN = [
    ("constant(1.5)*rbf(2.5)", ConstantKernel(1.5) * RBF(2.5), [0, 1], False),
    ("constant(0.7)*matern(3)", ConstantKernel(0.7) * Matern(3.0, nu=2.5), [0, 1], False),
    # scikit-learn orders names alphabetically: alpha before length
    ("constant(2)*rq(length=1.7,alpha=0.6)", ConstantKernel(2.0) * RationalQuadratic(1.7, 0.6), [0, 2, 1], False),
    ("constant(1.2)*rbf(4) + constant(0.3)*matern(1.5)",
     ConstantKernel(1.2) * RBF(4.0) + ConstantKernel(0.3) * Matern(1.5, nu=2.5), [0, 1, 2, 3], False),
    # on vectors of length 1 the plain dot product is the normalised one
    ("constant(0.8)*dot(3)",
     ConstantKernel(0.8) * Exponentiation(DotProduct(0.0, sigma_0_bounds="fixed"), 3), [0], True),
]


def sklearn_case(group, structures, case):
    text, kernel, order, unit = case
    x = np.array([s["fea"].sum(axis=0) for s in structures])
    y = np.array([s["energy"] for s in structures[:N_TRAIN]])
    mean, scale = x[:N_TRAIN].mean(axis=0), x[:N_TRAIN].std(axis=0)
    x = (x - mean) / scale
    x = unit_rows(x) if unit else x
    gp = GaussianProcessRegressor(kernel + WhiteKernel(NOISE_ENERGY**2), alpha=0.0, optimizer=None).fit(x[:N_TRAIN], y)
    value, slope = gp.log_marginal_likelihood(gp.kernel_.theta, eval_gradient=True)
    predicted, std = gp.predict(x, return_std=True)
    group.attrs["kernel"] = np.bytes_(text)
    group.attrs["likelihood"] = value
    group["gradient"] = np.append(slope[order], 2 * slope[-1])  # by ln of the noise, not of its square
    group["mean"] = predicted
    group["variance"] = std**2 - NOISE_ENERGY**2


# ---- energies and forces: NumPy ------------------------------------------------------------------------------------

def rbf(x, y, l):
    d = x - y
    k = np.exp(-d @ d / (2 * l * l))
    return k, -k * d / l**2, k * d / l**2, k * (np.eye(len(d)) / l**2 - np.outer(d, d) / l**4)


def matern(x, y, l):
    d = x - y
    r = np.sqrt(5 * d @ d) / l
    e = np.exp(-r)
    first = -5 / (3 * l**2) * (1 + r) * e * d
    second = 5 / (3 * l**2) * e * ((1 + r) * np.eye(len(d)) - 5 / l**2 * np.outer(d, d))
    return (1 + r + r * r / 3) * e, first, -first, second


def dot(x, y, p):
    a, b = np.linalg.norm(x), np.linalg.norm(y)
    u, w = x / a, y / b
    c = u @ w
    cx, cy = (w - c * u) / a, (u - c * w) / b
    cxy = (np.eye(len(x)) - np.outer(u, u) - np.outer(w, w) + c * np.outer(u, w)) / (a * b)
    second = p * c**(p - 1) * cxy
    if p > 1:
        second = second + p * (p - 1) * c**(p - 2) * np.outer(cx, cy)
    return c**p, p * c**(p - 1) * cx, p * c**(p - 1) * cy, second


NUMPY = [
    ("constant(0.9)*rbf(3)", 0.0, [(0.9, rbf, 3.0)]),
    ("constant(0.5)*rbf(4) + constant(0.4)*matern(2.5)", 0.25, [(0.5, rbf, 4.0), (0.4, matern, 2.5)]),
    ("constant(0.6)*dot(2) + constant(0.2)*rbf(1.5)", 0.0, [(0.6, dot, 2), (0.2, rbf, 1.5)]),
]


def block(a, b, terms, mix):
    """Rows energy, forces of a against those of b; and the derivative of the energies' covariance by fea of a."""
    out = np.zeros((1 + N_FORCE, 1 + N_FORCE))
    slope = np.zeros((len(a["x"]), N_FEATURE, 1 + N_FORCE))
    for i, x in enumerate(a["x"]):
        for j, y in enumerate(b["x"]):
            weight = 1.0 if a["numbers"][i] == b["numbers"][j] else mix
            parts = [[c * part for part in kappa(x, y, p)] for c, kappa, p in terms]
            k, kx, ky, kxy = (weight * sum(p[n] for p in parts) for n in range(4))
            ja, jb = -a["jx"][:, i], -b["jx"][:, j]  # forces are minus derivatives
            out[0, 0] += k
            out[1:, 0] += ja @ kx
            out[0, 1:] += jb @ ky
            out[1:, 1:] += ja @ kxy @ jb.T
            slope[i, :, 0] += kx
            slope[i, :, 1:] += kxy @ jb.T
    return out, slope


def numpy_case(group, structures, case):
    text, mix, terms = case
    train = structures[:N_TRAIN]
    fea = np.concatenate([s["fea"] for s in train])
    mean, scale = fea.mean(axis=0), fea.std(axis=0)
    for s in structures:
        s["x"], s["jx"] = (s["fea"] - mean) / scale, s["jacobian"] / scale
    k = np.block([[block(a, b, terms, mix)[0] for b in train] for a in train])
    noise = np.tile([NOISE_ENERGY] + [NOISE_FORCE] * N_FORCE, N_TRAIN)
    y = np.concatenate([np.append(s["energy"], s["forces"]) for s in train])
    k += np.diag(noise**2)
    inverse = np.linalg.inv(k)
    weights = inverse @ y
    predicted, variance, slopes = [], [], []
    for s in structures:
        blocks = [block(s, b, terms, mix) for b in train]
        row = np.concatenate([out[0] for out, _ in blocks])
        slope = np.concatenate([g for _, g in blocks], axis=2) / scale[None, :, None]
        predicted.append(row @ weights)
        variance.append(block(s, s, terms, mix)[0][0, 0] - row @ inverse @ row)
        slopes.append((slope @ weights).ravel())
    group.attrs["kernel"] = np.bytes_(text)
    group.attrs["mix"] = mix
    group.attrs["likelihood"] = -0.5 * (y @ weights + np.linalg.slogdet(k)[1] + len(y) * np.log(2 * np.pi))
    group["weights"] = weights
    group["mean"] = np.array(predicted)
    group["variance"] = np.array(variance)
    group["slope"] = np.concatenate(slopes)


def main():
    structures = make_structures(np.random.default_rng(1))
    with h5py.File(OUT, "w", libver=("v108", "v110"), track_order=False) as f:
        f.attrs["n_train"] = N_TRAIN
        f.attrs["n_force"] = N_FORCE
        f.attrs["noise_energy"] = NOISE_ENERGY
        f.attrs["noise_force"] = NOISE_FORCE
        f["n_atom"] = np.array([len(s["numbers"]) for s in structures], dtype=np.int64)
        f["energy"] = np.array([s["energy"] for s in structures])
        for name in "numbers", "fea", "forces", "jacobian":
            f[name] = np.concatenate([s[name].ravel() for s in structures])
        for n, case in enumerate(SKLEARN):
            sklearn_case(f.create_group(f"sklearn{n}"), structures, case)
        for n, case in enumerate(NUMPY):
            numpy_case(f.create_group(f"numpy{n}"), structures, case)


if __name__ == "__main__":
    main()
