"""Upstream's `chgnet.utils`, as far as predictions and their use go."""

# SPDX-License-Identifier: BSD-3-Clause
from chgnet_native._not_offered import missing
from chgnet_native.utils.common_utils import determine_device, mkdir, read_json, write_json
from chgnet_native.utils.vasp_utils import parse_vasp_dir, solve_charge_by_mag

__all__ = ["determine_device", "mkdir", "parse_vasp_dir", "read_json", "solve_charge_by_mag", "write_json"]

globals().update(missing(__name__, "training", "AverageMeter", "cuda_devices_sorted_by_free_mem", "mae"))
