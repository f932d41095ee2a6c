! chgnet.h in Fortran 2008, as it is; module chgnet (chgnet.f90) is for everyday use.
!
! Arrays have the atom as their last index: positions(3,n), cell(3,3) with the cell vectors as columns.  In memory these
! are the arrays of chgnet.h.
!
! SPDX-License-Identifier: BSD-3-Clause

!> chgnet.h, name by name: handles are type(c_ptr), arrays are assumed-size, atoms count from 0.  chgnet.h has the meaning
!> of every argument.  Parts with exchange of features (chgnet_part) are for hosts in C and C++.
module chgnet_c
    use, intrinsic :: iso_c_binding
    implicit none
    public

    !> Statuses; also the exit codes of the command.
    enum, bind(c)
        enumerator :: CHGNET_OK = 0, CHGNET_EINTERNAL = 1, CHGNET_EUSAGE = 2, CHGNET_EINPUT = 3, CHGNET_ECONVERGE = 4
        enumerator :: CHGNET_ENUMERIC = 5, CHGNET_EIO = 6, CHGNET_ENOMEM = 7
    end enum
    enum, bind(c)
        enumerator :: CHGNET_SINGLE = 0, CHGNET_DOUBLE = 1
    end enum
    !> What to compute; sums of these.
    enum, bind(c)
        enumerator :: CHGNET_WANT_ENERGY = 1, CHGNET_WANT_GRADIENT = 2, CHGNET_WANT_STD = 4
        enumerator :: CHGNET_WANT_STD_GRADIENT = 8, CHGNET_WANT_NOVELTY = 16, CHGNET_WANT_SITE_VIRIALS = 32
    end enum

    type, bind(c) :: chgnet_model_info
        type(c_ptr) :: version, sha256, path
        real(c_double) :: atom_cutoff, bond_cutoff
        integer(c_int) :: n_element, n_feature
        integer(c_int64_t) :: n_parameter
    end type

    type, bind(c) :: chgnet_options
        integer(c_size_t) :: size
        integer(c_int) :: precision, threads
        real(c_double) :: skin
        integer(c_int) :: trajectory
    end type

    type, bind(c) :: chgnet_neighbours
        integer(c_size_t) :: size
        integer(c_int64_t) :: n_local, n_ghost
        type(c_ptr) :: numbers, positions, owner, cell, pbc
        integer(c_int64_t) :: n_row
        type(c_ptr) :: start, neighbour
    end type

    type, bind(c) :: chgnet_labels
        integer(c_size_t) :: size
        integer(c_int64_t) :: n_structure
        type(c_ptr) :: n_atom, numbers, positions, cells, pbc, energies, forces
    end type

    type, bind(c) :: chgnet_delta_options
        integer(c_size_t) :: size
        type(c_ptr) :: aggregation, layer, kernel
        real(c_double) :: noise_energy, noise_force
        integer(c_int) :: optimize, starts
        integer(c_int64_t) :: inducing, seed
        integer(c_int) :: threads
    end type

    type, bind(c) :: chgnet_delta_info
        type(c_ptr) :: aggregation, layer, model, model_sha256, base
        integer(c_int64_t) :: n_label, n_energy, n_force, n_inducing
        real(c_double) :: noise_energy, noise_force, log_likelihood, loo_energy(2), loo_forces(2)
    end type

    abstract interface
        !> For chgnet_context_on_warning.
        subroutine chgnet_warning_function(text, user) bind(c)
            import :: c_ptr
            type(c_ptr), value :: text, user
        end subroutine
    end interface

    interface
        type(c_ptr) function chgnet_status_text(status) bind(c)
            import :: c_ptr, c_int
            integer(c_int), value :: status
        end function

        !> symbol: text that ends with c_null_char
        integer(c_int) function chgnet_element_number(symbol) bind(c)
            import :: c_int, c_char
            character(kind=c_char), intent(in) :: symbol(*)
        end function

        type(c_ptr) function chgnet_version() bind(c)
            import :: c_ptr
        end function

        integer(c_int) function chgnet_context_create(context) bind(c)
            import :: c_ptr, c_int
            type(c_ptr), intent(out) :: context
        end function

        subroutine chgnet_context_destroy(context) bind(c)
            import :: c_ptr
            type(c_ptr), value :: context
        end subroutine

        type(c_ptr) function chgnet_context_error(context) bind(c)
            import :: c_ptr
            type(c_ptr), value :: context
        end function

        subroutine chgnet_context_on_warning(context, warn, user) bind(c)
            import :: c_ptr, c_funptr
            type(c_ptr), value :: context, user
            type(c_funptr), value :: warn
        end subroutine

        !> name: text that ends with c_null_char, or c_null_ptr
        integer(c_int) function chgnet_model_load(context, name, model) bind(c)
            import :: c_ptr, c_int
            type(c_ptr), value :: context, name
            type(c_ptr), intent(out) :: model
        end function

        subroutine chgnet_model_destroy(model) bind(c)
            import :: c_ptr
            type(c_ptr), value :: model
        end subroutine

        type(chgnet_model_info) function chgnet_model_get_info(model) bind(c)
            import :: c_ptr, chgnet_model_info
            type(c_ptr), value :: model
        end function

        real(c_double) function chgnet_model_receptive_field(model) bind(c)
            import :: c_ptr, c_double
            type(c_ptr), value :: model
        end function

        type(chgnet_options) function chgnet_options_default() bind(c)
            import :: chgnet_options
        end function

        integer(c_int) function chgnet_calculator_create(context, model, options, calculator) bind(c)
            import :: c_ptr, c_int, chgnet_options
            type(c_ptr), value :: context, model
            type(chgnet_options), intent(in) :: options
            type(c_ptr), intent(out) :: calculator
        end function

        subroutine chgnet_calculator_destroy(calculator) bind(c)
            import :: c_ptr
            type(c_ptr), value :: calculator
        end subroutine

        integer(c_int) function chgnet_calculator_set_structure(calculator, n_atom, numbers, positions, cell, pbc) bind(c)
            import :: c_ptr, c_int, c_int32_t, c_int64_t, c_double
            type(c_ptr), value :: calculator
            integer(c_int64_t), value :: n_atom
            integer(c_int32_t), intent(in) :: numbers(*)
            real(c_double), intent(in) :: positions(3, *), cell(3, 3)
            integer(c_int), intent(in) :: pbc(3)
        end function

        integer(c_int) function chgnet_calculator_set_positions(calculator, positions) bind(c)
            import :: c_ptr, c_int, c_double
            type(c_ptr), value :: calculator
            real(c_double), intent(in) :: positions(3, *)
        end function

        integer(c_int) function chgnet_calculator_compute(calculator, want) bind(c)
            import :: c_ptr, c_int
            type(c_ptr), value :: calculator
            integer(c_int), value :: want
        end function

        type(chgnet_neighbours) function chgnet_neighbours_default() bind(c)
            import :: chgnet_neighbours
        end function

        integer(c_int) function chgnet_calculator_set_neighbours(calculator, neighbours) bind(c)
            import :: c_ptr, c_int, chgnet_neighbours
            type(c_ptr), value :: calculator
            type(chgnet_neighbours), intent(in) :: neighbours
        end function

        !> cell: (3,3), or c_null_ptr
        integer(c_int) function chgnet_calculator_move_neighbours(calculator, positions, cell) bind(c)
            import :: c_ptr, c_int, c_double
            type(c_ptr), value :: calculator, cell
            real(c_double), intent(in) :: positions(3, *)
        end function

        integer(c_int) function chgnet_calculator_get_counts(calculator, n_directed_bond, n_angle) bind(c)
            import :: c_ptr, c_int, c_int64_t
            type(c_ptr), value :: calculator
            integer(c_int64_t), intent(out) :: n_directed_bond, n_angle
        end function

        integer(c_int) function chgnet_calculator_set_delta(calculator, delta) bind(c)
            import :: c_ptr, c_int
            type(c_ptr), value :: calculator, delta
        end function

        type(chgnet_labels) function chgnet_labels_default() bind(c)
            import :: chgnet_labels
        end function

        type(chgnet_delta_options) function chgnet_delta_options_default() bind(c)
            import :: chgnet_delta_options
        end function

        integer(c_int) function chgnet_delta_fit(context, model, labels, options, delta) bind(c)
            import :: c_ptr, c_int, chgnet_labels, chgnet_delta_options
            type(c_ptr), value :: context, model
            type(chgnet_labels), intent(in) :: labels
            type(chgnet_delta_options), intent(in) :: options
            type(c_ptr), intent(out) :: delta
        end function

        integer(c_int) function chgnet_delta_update(context, delta, model, labels, threads) bind(c)
            import :: c_ptr, c_int, chgnet_labels
            type(c_ptr), value :: context, delta, model
            type(chgnet_labels), intent(in) :: labels
            integer(c_int), value :: threads
        end function

        integer(c_int) function chgnet_delta_load(context, path, delta) bind(c)
            import :: c_ptr, c_int, c_char
            type(c_ptr), value :: context
            character(kind=c_char), intent(in) :: path(*)
            type(c_ptr), intent(out) :: delta
        end function

        integer(c_int) function chgnet_delta_save(context, delta, path) bind(c)
            import :: c_ptr, c_int, c_char
            type(c_ptr), value :: context, delta
            character(kind=c_char), intent(in) :: path(*)
        end function

        subroutine chgnet_delta_destroy(delta) bind(c)
            import :: c_ptr
            type(c_ptr), value :: delta
        end subroutine

        type(chgnet_delta_info) function chgnet_delta_get_info(delta) bind(c)
            import :: c_ptr, chgnet_delta_info
            type(c_ptr), value :: delta
        end function
    end interface

    abstract interface
        !> All results are read alike.
        integer(c_int) function chgnet_get_array(calculator, values) bind(c)
            import :: c_ptr, c_int, c_double
            type(c_ptr), value :: calculator
            real(c_double), intent(out) :: values(*)
        end function
    end interface
    interface
        integer(c_int) function chgnet_calculator_get_energy(calculator, energy) bind(c)
            import :: c_ptr, c_int, c_double
            type(c_ptr), value :: calculator
            real(c_double), intent(out) :: energy
        end function

        integer(c_int) function chgnet_calculator_get_delta_energy(calculator, delta_energy) bind(c)
            import :: c_ptr, c_int, c_double
            type(c_ptr), value :: calculator
            real(c_double), intent(out) :: delta_energy
        end function

        integer(c_int) function chgnet_calculator_get_energy_std(calculator, energy_std) bind(c)
            import :: c_ptr, c_int, c_double
            type(c_ptr), value :: calculator
            real(c_double), intent(out) :: energy_std
        end function
    end interface
    procedure(chgnet_get_array), bind(c) :: chgnet_calculator_get_forces, chgnet_calculator_get_stress
    procedure(chgnet_get_array), bind(c) :: chgnet_calculator_get_virial, chgnet_calculator_get_site_virials
    procedure(chgnet_get_array), bind(c) :: chgnet_calculator_get_magmoms, chgnet_calculator_get_site_energies
    procedure(chgnet_get_array), bind(c) :: chgnet_calculator_get_atom_fea, chgnet_calculator_get_atom_fea_final
    procedure(chgnet_get_array), bind(c) :: chgnet_calculator_get_crystal_fea, chgnet_calculator_get_site_corrections
    procedure(chgnet_get_array), bind(c) :: chgnet_calculator_get_novelty, chgnet_calculator_get_std_forces
    procedure(chgnet_get_array), bind(c) :: chgnet_calculator_get_std_stress
end module chgnet_c
