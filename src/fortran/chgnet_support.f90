! What the procedures of module chgnet have in common.  SPDX-License-Identifier: BSD-3-Clause

!> Texts, errors, and what is handed to C in another form.  Programs use module chgnet.
module chgnet_support
    use, intrinsic :: iso_c_binding
    use, intrinsic :: iso_fortran_env, only: error_unit
    use chgnet_c, info_c => chgnet_model_info, delta_info_c => chgnet_delta_info
    implicit none
    private

    public :: chgnet_model_facts, chgnet_delta_facts, model_facts_of, delta_facts_of
    public :: text_of, set_text, report, report_of, report_usage, take_cell, wrong_labels, labels_of

    type :: chgnet_model_facts
        character(:), allocatable :: version !< "0.3.0", "0.2.0", "r2scan", or what the file says
        character(:), allocatable :: sha256  !< over hyperparameters and tensors
        character(:), allocatable :: path    !< the file
        real(c_double) :: atom_cutoff = 0     !< A
        real(c_double) :: bond_cutoff = 0     !< A
        real(c_double) :: receptive_field = 0 !< A: farther atoms do not matter to an atom's energy
        integer :: n_element = 0              !< atomic numbers 1 to n_element are known
        integer :: n_feature = 0              !< length of an embedding
        integer(c_int64_t) :: n_parameter = 0
    end type

    type :: chgnet_delta_facts
        character(:), allocatable :: aggregation, layer, model, base
        integer(c_int64_t) :: n_label = 0, n_energy = 0, n_force = 0, n_inducing = 0
        real(c_double) :: noise_energy = 0   !< eV
        real(c_double) :: noise_force = 0    !< eV/A
        real(c_double) :: loo_energy(2) = 0  !< eV: mean absolute leave-one-out error before and after
        real(c_double) :: loo_forces(2) = 0  !< eV/A
    end type

    interface
        integer(c_size_t) function strlen(text) bind(c)
            import :: c_ptr, c_size_t
            type(c_ptr), value :: text
        end function
    end interface

contains

    ! ---- texts and errors ----------------------------------------------------------------------------------------------

    function text_of(from) result(text)
        type(c_ptr), intent(in) :: from
        character(:), allocatable :: text
        character(kind=c_char), pointer :: bytes(:)
        integer :: k
        if (.not. c_associated(from)) then
            text = ''
            return
        end if
        call c_f_pointer(from, bytes, [strlen(from)])
        allocate (character(size(bytes)) :: text)
        do k = 1, size(bytes)
            text(k:k) = bytes(k)
        end do
    end function

    !> Hand a status to the caller, or end the program.
    subroutine report(status, message, stat, errmsg)
        integer(c_int), intent(in) :: status
        character(*), intent(in) :: message
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        if (present(stat)) stat = status
        if (status == CHGNET_OK) return
        if (present(errmsg)) errmsg = message
        if (present(stat)) return
        write (error_unit, '(2a)') 'chgnet: ', message
        error stop 1
    end subroutine

    !> The same with the context's own words; what it says is copied before it may go.
    subroutine report_of(context, status, stat, errmsg)
        type(c_ptr), intent(in) :: context
        integer(c_int), intent(in) :: status
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        if (status == CHGNET_OK) then
            call report(status, '', stat, errmsg)
        else if (c_associated(context)) then
            call report(status, text_of(chgnet_context_error(context)), stat, errmsg)
        else
            call report(status, text_of(chgnet_status_text(status)), stat, errmsg)
        end if
    end subroutine

    subroutine report_usage(message, stat, errmsg)
        character(*), intent(in) :: message
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        call report(CHGNET_EUSAGE, message, stat, errmsg)
    end subroutine

    ! ---- structures and labels -----------------------------------------------------------------------------------------

    !> Cell and periodic axes as C has them: without a cell nothing is periodic, with one everything is unless pbc says
    !> otherwise.
    subroutine take_cell(cell, pbc, c_cell, c_pbc)
        real(c_double), intent(in), optional :: cell(3, 3)
        logical, intent(in), optional :: pbc(3)
        real(c_double), intent(out) :: c_cell(3, 3)
        integer(c_int), intent(out) :: c_pbc(3)
        c_cell = 0
        c_pbc = 0
        if (present(cell)) then
            c_cell = cell
            c_pbc = 1
        end if
        if (present(pbc)) c_pbc = merge(1, 0, pbc)
    end subroutine

    !> Sizes of labels that do not fit each other; empty when they do.
    function wrong_labels(n_atom, numbers, positions, cells, pbc, energies, forces) result(message)
        integer(c_int64_t), intent(in) :: n_atom(:)
        integer(c_int32_t), intent(in) :: numbers(:)
        real(c_double), intent(in) :: positions(:, :), cells(:, :, :), energies(:)
        logical, intent(in) :: pbc(:, :)
        real(c_double), intent(in), optional :: forces(:, :)
        character(:), allocatable :: message
        integer :: n
        logical :: fit
        n = size(n_atom)
        fit = sum(n_atom) == size(numbers) .and. all(shape(positions) == [3, size(numbers)]) .and. &
              all(shape(cells) == [3, 3, n]) .and. all(shape(pbc) == [3, n]) .and. size(energies) == n
        if (present(forces)) fit = fit .and. all(shape(forces) == [3, size(numbers)])
        message = ''
        if (.not. fit) message = 'labels whose arrays do not fit each other; for n structures of N atoms in all give '// &
                                 'n_atom(n), numbers(N), positions(3,N), cells(3,3,n), pbc(3,n), energies(n), forces(3,N)'
    end function

    type(chgnet_labels) function labels_of(n_atom, numbers, positions, cells, pbc, energies, forces) result(labels)
        integer(c_int64_t), intent(in), contiguous, target :: n_atom(:)
        integer(c_int32_t), intent(in), contiguous, target :: numbers(:)
        real(c_double), intent(in), contiguous, target :: positions(:, :), cells(:, :, :), energies(:)
        integer(c_int), intent(in), contiguous, target :: pbc(:, :)
        real(c_double), intent(in), contiguous, target, optional :: forces(:, :)
        labels = chgnet_labels_default()
        labels%n_structure = size(n_atom)
        labels%n_atom = c_loc(n_atom)
        labels%numbers = c_loc(numbers)
        labels%positions = c_loc(positions)
        labels%cells = c_loc(cells)
        labels%pbc = c_loc(pbc)
        labels%energies = c_loc(energies)
        if (present(forces)) labels%forces = c_loc(forces)
    end function

    !> A text that C can read, kept in `kept`.
    subroutine set_text(text, kept, where)
        character(*), intent(in), optional :: text
        character(:), allocatable, target, intent(out) :: kept
        type(c_ptr), intent(inout) :: where
        if (.not. present(text)) return
        kept = trim(text)//c_null_char
        where = c_loc(kept)
    end subroutine

    ! ---- facts -----------------------------------------------------------------------------------------------------------

    type(chgnet_model_facts) function model_facts_of(model) result(facts)
        type(c_ptr), intent(in) :: model
        type(info_c) :: info
        info = chgnet_model_get_info(model)
        facts%version = text_of(info%version)
        facts%sha256 = text_of(info%sha256)
        facts%path = text_of(info%path)
        facts%atom_cutoff = info%atom_cutoff
        facts%bond_cutoff = info%bond_cutoff
        facts%receptive_field = chgnet_model_receptive_field(model)
        facts%n_element = info%n_element
        facts%n_feature = info%n_feature
        facts%n_parameter = info%n_parameter
    end function

    type(chgnet_delta_facts) function delta_facts_of(delta) result(facts)
        type(c_ptr), intent(in) :: delta
        type(delta_info_c) :: info
        info = chgnet_delta_get_info(delta)
        facts%aggregation = text_of(info%aggregation)
        facts%layer = text_of(info%layer)
        facts%model = text_of(info%model)
        facts%base = text_of(info%base)
        facts%n_label = info%n_label
        facts%n_energy = info%n_energy
        facts%n_force = info%n_force
        facts%n_inducing = info%n_inducing
        facts%noise_energy = info%noise_energy
        facts%noise_force = info%noise_force
        facts%loo_energy = info%loo_energy
        facts%loo_forces = info%loo_forces
    end function
end module chgnet_support
