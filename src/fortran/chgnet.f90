! CHGNet in Fortran 2008, over chgnet_c.f90 and chgnet_support.f90.
!
! Units: eV, Angstrom, mu_B; stress in GPa.  Arrays have the atom as their last index: positions(3,n), cell(3,3) with the
! cell vectors as columns, cell(:,k).  In memory these are the arrays of chgnet.h.
!
! SPDX-License-Identifier: BSD-3-Clause

!> Models, calculators and delta-models that clean up after themselves.
!>
!> Every procedure that can fail has the optional arguments stat and errmsg, as allocate has: stat is 0 or one of
!> CHGNET_E..., and errmsg says in one line what is wrong and what would be right.  Without stat a failure ends the
!> program with that line, as it does with allocate.  Objects are not copied by assignment.  A calculator, and what is done with one model or delta-model
!> but computing, belongs to one thread at a time; calculators on several threads may share a model and a delta-model.
!> These must outlive the calculators that use them.
module chgnet
    use, intrinsic :: iso_c_binding
    use chgnet_c, info_c => chgnet_model_info
    use chgnet_support
    implicit none
    private

    public :: CHGNET_OK, CHGNET_EINTERNAL, CHGNET_EUSAGE, CHGNET_EINPUT, CHGNET_ECONVERGE, CHGNET_ENUMERIC, CHGNET_EIO
    public :: CHGNET_ENOMEM, CHGNET_SINGLE, CHGNET_DOUBLE
    public :: chgnet_model, chgnet_calculator, chgnet_delta, chgnet_model_facts, chgnet_delta_facts, chgnet_version_text

    !> Weights; load() and ready.
    type :: chgnet_model
        private
        type(c_ptr) :: context = c_null_ptr, handle = c_null_ptr
    contains
        procedure :: load => model_load
        procedure :: facts => model_facts
        procedure :: destroy => model_destroy
        procedure, private :: model_copy
        generic :: assignment(=) => model_copy
        final :: model_final
    end type

    !> Structure in, results out: create, set_structure (or set_neighbours), compute, get.
    type :: chgnet_calculator
        private
        type(c_ptr) :: context = c_null_ptr, handle = c_null_ptr
        integer :: n_feature = 0
        integer(c_int64_t) :: n_atom = 0 !< with results of their own
        integer(c_int64_t) :: n_all = 0  !< with ghosts
    contains
        procedure :: create => calculator_create
        procedure :: destroy => calculator_destroy
        procedure :: set_structure
        procedure :: set_positions
        procedure :: set_neighbours
        procedure :: move_neighbours
        procedure :: set_delta
        procedure :: remove_delta
        procedure :: compute
        procedure :: get
        procedure :: get_counts
        procedure, private :: calculator_copy
        generic :: assignment(=) => calculator_copy
        final :: calculator_final
    end type

    !> A correction of CHGNet, learnt from labels.
    type :: chgnet_delta
        private
        type(c_ptr) :: context = c_null_ptr, handle = c_null_ptr
    contains
        procedure :: load => delta_load
        procedure :: save => delta_save
        procedure :: fit => delta_fit
        procedure :: update => delta_update
        procedure :: facts => delta_facts
        procedure :: destroy => delta_destroy
        procedure, private :: delta_copy
        generic :: assignment(=) => delta_copy
        final :: delta_final
    end type

contains

    !> Version of the library, such as "0.1.0".
    function chgnet_version_text() result(text)
        character(:), allocatable :: text
        text = text_of(chgnet_version())
    end function

    ! ---- model ---------------------------------------------------------------------------------------------------------

    !> name: "0.3.0", "0.2.0", "r2scan" or a path; absent: 0.3.0.  A model that was loaded before goes.
    subroutine model_load(self, name, stat, errmsg)
        class(chgnet_model), intent(inout) :: self
        character(*), intent(in), optional :: name
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        character(:, kind=c_char), allocatable, target :: c_name
        type(c_ptr) :: where
        integer(c_int) :: status
        call self%destroy()
        where = c_null_ptr
        if (present(name)) then
            c_name = trim(name)//c_null_char
            where = c_loc(c_name)
        end if
        status = chgnet_context_create(self%context)
        if (status == CHGNET_OK) status = chgnet_model_load(self%context, where, self%handle)
        if (status /= CHGNET_OK) self%handle = c_null_ptr
        call report_of(self%context, status, stat, errmsg)
    end subroutine

    type(chgnet_model_facts) function model_facts(self) result(facts)
        class(chgnet_model), intent(in) :: self
        if (c_associated(self%handle)) facts = model_facts_of(self%handle)
    end function

    subroutine model_destroy(self)
        class(chgnet_model), intent(inout) :: self
        call chgnet_model_destroy(self%handle)
        call chgnet_context_destroy(self%context)
        self%handle = c_null_ptr
        self%context = c_null_ptr
    end subroutine

    subroutine model_final(self)
        type(chgnet_model), intent(inout) :: self
        call self%destroy()
    end subroutine

    subroutine model_copy(self, from)
        class(chgnet_model), intent(inout) :: self
        class(chgnet_model), intent(in) :: from
        if (.not. c_associated(self%handle, from%handle)) error stop 'chgnet: a model cannot be copied; load it again'
    end subroutine

    ! ---- calculator ----------------------------------------------------------------------------------------------------

    !> precision: CHGNET_SINGLE (default) or CHGNET_DOUBLE; threads: 0 (default) for OMP_NUM_THREADS, else all cores;
    !> skin: A, 0 by default, 1 suits molecular dynamics; trajectory: many steps with the same elements follow.
    subroutine calculator_create(self, model, precision, threads, skin, trajectory, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        class(chgnet_model), intent(in) :: model
        integer, intent(in), optional :: precision, threads
        real(c_double), intent(in), optional :: skin
        logical, intent(in), optional :: trajectory
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        type(chgnet_options) :: options
        type(info_c) :: info
        integer(c_int) :: status
        call self%destroy()
        if (.not. c_associated(model%handle)) then
            call report_usage('a model that is not loaded; load it first', stat, errmsg)
            return
        end if
        options = chgnet_options_default()
        if (present(precision)) options%precision = precision
        if (present(threads)) options%threads = threads
        if (present(skin)) options%skin = skin
        if (present(trajectory)) options%trajectory = merge(1, 0, trajectory)
        info = chgnet_model_get_info(model%handle)
        self%n_feature = info%n_feature
        status = chgnet_context_create(self%context)
        if (status == CHGNET_OK) status = chgnet_calculator_create(self%context, model%handle, options, self%handle)
        if (status /= CHGNET_OK) self%handle = c_null_ptr
        call report_of(self%context, status, stat, errmsg)
    end subroutine

    subroutine calculator_destroy(self)
        class(chgnet_calculator), intent(inout) :: self
        call chgnet_calculator_destroy(self%handle)
        call chgnet_context_destroy(self%context)
        self%handle = c_null_ptr
        self%context = c_null_ptr
        self%n_atom = 0
        self%n_all = 0
    end subroutine

    subroutine calculator_final(self)
        type(chgnet_calculator), intent(inout) :: self
        call self%destroy()
    end subroutine

    subroutine calculator_copy(self, from)
        class(chgnet_calculator), intent(inout) :: self
        class(chgnet_calculator), intent(in) :: from
        if (.not. c_associated(self%handle, from%handle)) error stop 'chgnet: a calculator cannot be copied; create one'
    end subroutine

    logical function is_ready(self, stat, errmsg)
        class(chgnet_calculator), intent(in) :: self
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        is_ready = c_associated(self%handle)
        if (.not. is_ready) call report_usage('a calculator that was not created; create it first', stat, errmsg)
    end function

    !> Is the second array as many threes as the first has atoms?
    logical function fits(positions, n, stat, errmsg)
        real(c_double), intent(in) :: positions(:, :)
        integer(c_int64_t), intent(in) :: n
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        character(100) :: message
        fits = size(positions, 1) == 3 .and. size(positions, 2, c_int64_t) == n
        if (fits) return
        write (message, '(a,i0,a,i0,a,i0,a)') 'positions(', size(positions, 1), ',', size(positions, 2), &
            '); positions(3,', n, ') are needed'
        call report_usage(trim(message), stat, errmsg)
    end function

    !> numbers(n): atomic numbers; positions(3,n): A; cell(3,3): columns are cell vectors, A.  Without a cell nothing is
    !> periodic, with one all axes are unless pbc says otherwise.
    subroutine set_structure(self, numbers, positions, cell, pbc, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        integer(c_int32_t), intent(in), contiguous :: numbers(:)
        real(c_double), intent(in), contiguous :: positions(:, :)
        real(c_double), intent(in), optional :: cell(3, 3)
        logical, intent(in), optional :: pbc(3)
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        real(c_double) :: c_cell(3, 3)
        integer(c_int) :: c_pbc(3), status
        if (.not. is_ready(self, stat, errmsg)) return
        if (.not. fits(positions, size(numbers, kind=c_int64_t), stat, errmsg)) return
        call take_cell(cell, pbc, c_cell, c_pbc)
        status = chgnet_calculator_set_structure(self%handle, size(numbers, kind=c_int64_t), numbers, positions, c_cell, c_pbc)
        self%n_atom = merge(size(numbers, kind=c_int64_t), 0_c_int64_t, status == CHGNET_OK)
        self%n_all = self%n_atom
        call report_of(self%context, status, stat, errmsg)
    end subroutine

    !> Move the atoms: coordinates that run on, not put back into the cell.
    subroutine set_positions(self, positions, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        real(c_double), intent(in), contiguous :: positions(:, :)
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        if (.not. is_ready(self, stat, errmsg)) return
        if (.not. fits(positions, self%n_atom, stat, errmsg)) return
        call report_of(self%context, chgnet_calculator_set_positions(self%handle, positions), stat, errmsg)
    end subroutine

    !> The host's own list with ghosts: chgnet_calculator_set_neighbours of chgnet.h, but atoms count from 1.
    !> n_local: the first atoms; numbers(n), positions(3,n): local atoms, then ghosts; owner(n-n_local): of each ghost;
    !> start(rows+1): row i is neighbour(start(i)) to neighbour(start(i+1)-1), start(1) = 1.
    subroutine set_neighbours(self, n_local, numbers, positions, owner, start, neighbour, cell, pbc, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        integer, intent(in) :: n_local
        integer(c_int32_t), intent(in), contiguous, target :: numbers(:)
        real(c_double), intent(in), contiguous, target :: positions(:, :)
        integer, intent(in) :: owner(:), start(:), neighbour(:)
        real(c_double), intent(in), optional :: cell(3, 3)
        logical, intent(in), optional :: pbc(3)
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        integer(c_int32_t), allocatable, target :: c_owner(:), c_neighbour(:)
        integer(c_int64_t), allocatable, target :: c_start(:)
        real(c_double), target :: c_cell(3, 3)
        integer(c_int), target :: c_pbc(3)
        type(chgnet_neighbours) :: list
        integer(c_int) :: status
        if (.not. is_ready(self, stat, errmsg)) return
        if (.not. fits(positions, size(numbers, kind=c_int64_t), stat, errmsg)) return
        if (n_local + size(owner) /= size(numbers) .or. size(start) < 1) then
            call report_usage('sizes of a list that do not fit; give n_local + size(owner) = size(numbers), and start '// &
                              'with an entry beyond the last row', stat, errmsg)
            return
        end if
        if (start(1) /= 1 .or. start(size(start)) /= size(neighbour) + 1) then
            call report_usage('rows that do not fit their neighbours; give start(1) = 1 and at its end size(neighbour) + 1', &
                              stat, errmsg)
            return
        end if
        c_owner = int(owner - 1, c_int32_t)
        c_neighbour = int(neighbour - 1, c_int32_t)
        c_start = int(start - 1, c_int64_t)
        call take_cell(cell, pbc, c_cell, c_pbc)
        list = chgnet_neighbours_default()
        list%n_local = n_local
        list%n_ghost = size(owner)
        list%numbers = c_loc(numbers)
        list%positions = c_loc(positions)
        list%owner = c_loc(c_owner)
        list%cell = c_loc(c_cell)
        list%pbc = c_loc(c_pbc)
        list%n_row = size(start) - 1
        list%start = c_loc(c_start)
        list%neighbour = c_loc(c_neighbour)
        status = chgnet_calculator_set_neighbours(self%handle, list)
        self%n_atom = merge(int(n_local, c_int64_t), 0_c_int64_t, status == CHGNET_OK)
        self%n_all = merge(size(numbers, kind=c_int64_t), 0_c_int64_t, status == CHGNET_OK)
        call report_of(self%context, status, stat, errmsg)
    end subroutine

    !> Move local atoms and ghosts, and the cell if one is given, under the list that is set.
    subroutine move_neighbours(self, positions, cell, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        real(c_double), intent(in), contiguous :: positions(:, :)
        real(c_double), intent(in), optional :: cell(3, 3)
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        real(c_double), target :: c_cell(3, 3)
        type(c_ptr) :: where
        if (.not. is_ready(self, stat, errmsg)) return
        if (.not. fits(positions, self%n_all, stat, errmsg)) return
        where = c_null_ptr
        if (present(cell)) then
            c_cell = cell
            where = c_loc(c_cell)
        end if
        call report_of(self%context, chgnet_calculator_move_neighbours(self%handle, positions, where), stat, errmsg)
    end subroutine

    !> Correct what is computed from now on.
    subroutine set_delta(self, delta, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        class(chgnet_delta), intent(in) :: delta
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        if (.not. is_ready(self, stat, errmsg)) return
        if (.not. c_associated(delta%handle)) then
            call report_usage('a delta-model that is empty; load or fit it first', stat, errmsg)
            return
        end if
        call report_of(self%context, chgnet_calculator_set_delta(self%handle, delta%handle), stat, errmsg)
    end subroutine

    !> CHGNet alone again.
    subroutine remove_delta(self, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        if (.not. is_ready(self, stat, errmsg)) return
        call report_of(self%context, chgnet_calculator_set_delta(self%handle, c_null_ptr), stat, errmsg)
    end subroutine

    !> Run the network.  forces: forces and stress too (default); std, std_forces, novelty: what a delta-model adds;
    !> site_virials: the virial by atoms.
    subroutine compute(self, forces, std, std_forces, novelty, site_virials, stat, errmsg)
        class(chgnet_calculator), intent(inout) :: self
        logical, intent(in), optional :: forces, std, std_forces, novelty, site_virials
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        integer(c_int) :: want
        if (.not. is_ready(self, stat, errmsg)) return
        want = CHGNET_WANT_ENERGY + CHGNET_WANT_GRADIENT
        if (present(forces)) want = CHGNET_WANT_ENERGY + merge(CHGNET_WANT_GRADIENT, 0, forces)
        want = want + asked(std, CHGNET_WANT_STD) + asked(std_forces, CHGNET_WANT_STD_GRADIENT) + &
               asked(novelty, CHGNET_WANT_NOVELTY) + asked(site_virials, CHGNET_WANT_SITE_VIRIALS)
        call report_of(self%context, chgnet_calculator_compute(self%handle, want), stat, errmsg)
    end subroutine

    integer(c_int) function asked(wanted, flag)
        logical, intent(in), optional :: wanted
        integer(c_int), intent(in) :: flag
        asked = 0
        if (present(wanted)) asked = merge(flag, 0, wanted)
    end function

    !> Read what was computed; any of these.  n: number of atoms of the structure, or the local ones of a list;
    !> m: the same with ghosts.
    !>   energy            eV, total               delta_energy   eV, corrected minus CHGNet
    !>   forces(3,m)       eV/A                    energy_std     eV
    !>   stress(3,3)       GPa, all axes periodic  std_forces(3,m) eV/A
    !>   virial(3,3)       eV, dE/dstrain          std_stress(3,3) GPa
    !>   site_energies(n)  eV                      site_corrections(n) eV
    !>   magmoms(n)        mu_B                    novelty(n)     eV^2
    !>   atom_fea(64,n), atom_fea_final(64,n), crystal_fea(64);  site_virials(3,3,m) eV
    subroutine get(self, energy, forces, stress, virial, site_energies, magmoms, atom_fea, atom_fea_final, crystal_fea, &
                   site_virials, delta_energy, energy_std, site_corrections, novelty, std_forces, std_stress, stat, errmsg)
        class(chgnet_calculator), intent(in) :: self
        real(c_double), intent(out), optional :: energy, delta_energy, energy_std
        real(c_double), intent(out), optional, contiguous :: forces(:, :), site_energies(:), magmoms(:)
        real(c_double), intent(out), optional, contiguous :: atom_fea(:, :), atom_fea_final(:, :), crystal_fea(:)
        real(c_double), intent(out), optional, contiguous :: site_virials(:, :, :), site_corrections(:), novelty(:)
        real(c_double), intent(out), optional, contiguous :: std_forces(:, :)
        real(c_double), intent(out), optional :: stress(3, 3), virial(3, 3), std_stress(3, 3)
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        character(:), allocatable :: message
        integer(c_int64_t) :: n, m, width
        integer(c_int) :: status
        if (.not. is_ready(self, stat, errmsg)) return
        n = self%n_atom
        m = self%n_all
        width = self%n_feature
        status = CHGNET_OK
        if (present(energy)) status = chgnet_calculator_get_energy(self%handle, energy)
        if (present(delta_energy) .and. status == CHGNET_OK) &
            status = chgnet_calculator_get_delta_energy(self%handle, delta_energy)
        if (present(energy_std) .and. status == CHGNET_OK) &
            status = chgnet_calculator_get_energy_std(self%handle, energy_std)
        if (present(forces)) &
            call take(chgnet_calculator_get_forces, 'forces', 3*m, size(forces, kind=c_int64_t), forces)
        if (present(stress)) call take(chgnet_calculator_get_stress, 'stress', 9_c_int64_t, 9_c_int64_t, stress)
        if (present(virial)) call take(chgnet_calculator_get_virial, 'virial', 9_c_int64_t, 9_c_int64_t, virial)
        if (present(site_energies)) &
            call take(chgnet_calculator_get_site_energies, 'site_energies', n, size(site_energies, kind=c_int64_t), &
                      site_energies)
        if (present(magmoms)) &
            call take(chgnet_calculator_get_magmoms, 'magmoms', n, size(magmoms, kind=c_int64_t), magmoms)
        if (present(atom_fea)) &
            call take(chgnet_calculator_get_atom_fea, 'atom_fea', width*n, size(atom_fea, kind=c_int64_t), atom_fea)
        if (present(atom_fea_final)) &
            call take(chgnet_calculator_get_atom_fea_final, 'atom_fea_final', width*n, &
                      size(atom_fea_final, kind=c_int64_t), atom_fea_final)
        if (present(crystal_fea)) &
            call take(chgnet_calculator_get_crystal_fea, 'crystal_fea', width, size(crystal_fea, kind=c_int64_t), crystal_fea)
        if (present(site_virials)) &
            call take(chgnet_calculator_get_site_virials, 'site_virials', 9*m, size(site_virials, kind=c_int64_t), &
                      site_virials)
        if (present(site_corrections)) &
            call take(chgnet_calculator_get_site_corrections, 'site_corrections', n, &
                      size(site_corrections, kind=c_int64_t), site_corrections)
        if (present(novelty)) &
            call take(chgnet_calculator_get_novelty, 'novelty', n, size(novelty, kind=c_int64_t), novelty)
        if (present(std_forces)) &
            call take(chgnet_calculator_get_std_forces, 'std_forces', 3*m, size(std_forces, kind=c_int64_t), std_forces)
        if (present(std_stress)) &
            call take(chgnet_calculator_get_std_stress, 'std_stress', 9_c_int64_t, 9_c_int64_t, std_stress)
        if (allocated(message)) then
            call report(status, message, stat, errmsg)
        else
            call report_of(self%context, status, stat, errmsg)
        end if
    contains
        !> One array, once its size is right; after the first failure none.
        subroutine take(read_it, name, needed, given, values)
            procedure(chgnet_get_array) :: read_it
            character(*), intent(in) :: name
            integer(c_int64_t), intent(in) :: needed, given
            real(c_double), intent(inout) :: values(given)
            character(100) :: line
            if (status /= CHGNET_OK) return
            if (needed == given) then
                status = read_it(self%handle, values)
                return
            end if
            status = CHGNET_EUSAGE
            write (line, '(3a,i0,a,i0)') 'the array ', name, ' has ', given, ' numbers; give one of ', needed
            message = trim(line)
        end subroutine
    end subroutine

    !> Numbers of directed bonds within the atom cutoff and of ordered angles.
    subroutine get_counts(self, n_directed_bond, n_angle, stat, errmsg)
        class(chgnet_calculator), intent(in) :: self
        integer(c_int64_t), intent(out) :: n_directed_bond, n_angle
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        n_directed_bond = 0
        n_angle = 0
        if (.not. is_ready(self, stat, errmsg)) return
        call report_of(self%context, chgnet_calculator_get_counts(self%handle, n_directed_bond, n_angle), stat, errmsg)
    end subroutine

    ! ---- delta-model ---------------------------------------------------------------------------------------------------

    !> A file that save or `chgnet delta fit` wrote.
    subroutine delta_load(self, path, stat, errmsg)
        class(chgnet_delta), intent(inout) :: self
        character(*), intent(in) :: path
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        integer(c_int) :: status
        call self%destroy()
        status = chgnet_context_create(self%context)
        if (status == CHGNET_OK) status = chgnet_delta_load(self%context, trim(path)//c_null_char, self%handle)
        if (status /= CHGNET_OK) self%handle = c_null_ptr
        call report_of(self%context, status, stat, errmsg)
    end subroutine

    subroutine delta_save(self, path, stat, errmsg)
        class(chgnet_delta), intent(in) :: self
        character(*), intent(in) :: path
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        if (.not. c_associated(self%handle)) then
            call report_usage('a delta-model that is empty; load or fit it first', stat, errmsg)
            return
        end if
        call report_of(self%context, chgnet_delta_save(self%context, self%handle, trim(path)//c_null_char), stat, errmsg)
    end subroutine

    !> Learn from labels.  n structures, one after another, N atoms in all: n_atom(n), numbers(N), positions(3,N) A,
    !> cells(3,3,n) A, pbc(3,n), energies(n) eV, forces(3,N) eV/A with NaN where a component is not known.  The other
    !> arguments are those of chgnet_delta_options in chgnet.h.
    subroutine delta_fit(self, model, n_atom, numbers, positions, cells, pbc, energies, forces, aggregation, layer, kernel, &
                         noise_energy, noise_force, optimize, starts, inducing, seed, threads, stat, errmsg)
        class(chgnet_delta), intent(inout) :: self
        class(chgnet_model), intent(in) :: model
        integer(c_int64_t), intent(in), contiguous, target :: n_atom(:)
        integer(c_int32_t), intent(in), contiguous, target :: numbers(:)
        real(c_double), intent(in), contiguous, target :: positions(:, :), cells(:, :, :), energies(:)
        logical, intent(in) :: pbc(:, :)
        real(c_double), intent(in), contiguous, target, optional :: forces(:, :)
        character(*), intent(in), optional :: aggregation, layer, kernel
        real(c_double), intent(in), optional :: noise_energy, noise_force
        logical, intent(in), optional :: optimize
        integer, intent(in), optional :: starts, threads
        integer(c_int64_t), intent(in), optional :: inducing, seed
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        type(chgnet_delta_options) :: options
        type(chgnet_labels) :: labels
        integer(c_int), allocatable, target :: c_pbc(:, :)
        character(:), allocatable, target :: c_aggregation, c_layer, c_kernel
        integer(c_int) :: status
        character(:), allocatable :: wrong
        call self%destroy()
        wrong = wrong_labels(n_atom, numbers, positions, cells, pbc, energies, forces)
        if (.not. c_associated(model%handle)) wrong = 'a model that is not loaded; load it first'
        if (len(wrong) > 0) then
            call report_usage(wrong, stat, errmsg)
            return
        end if
        options = chgnet_delta_options_default()
        call set_text(aggregation, c_aggregation, options%aggregation)
        call set_text(layer, c_layer, options%layer)
        call set_text(kernel, c_kernel, options%kernel)
        if (present(noise_energy)) options%noise_energy = noise_energy
        if (present(noise_force)) options%noise_force = noise_force
        if (present(optimize)) options%optimize = merge(1, 0, optimize)
        if (present(starts)) options%starts = starts
        if (present(inducing)) options%inducing = inducing
        if (present(seed)) options%seed = seed
        if (present(threads)) options%threads = threads
        c_pbc = merge(1_c_int, 0_c_int, pbc)
        labels = labels_of(n_atom, numbers, positions, cells, c_pbc, energies, forces)
        status = chgnet_context_create(self%context)
        if (status == CHGNET_OK) status = chgnet_delta_fit(self%context, model%handle, labels, options, self%handle)
        if (status /= CHGNET_OK) self%handle = c_null_ptr
        call report_of(self%context, status, stat, errmsg)
    end subroutine

    !> Add labels; hyperparameters stay.  No calculator may compute with this delta-model meanwhile.
    subroutine delta_update(self, model, n_atom, numbers, positions, cells, pbc, energies, forces, threads, stat, errmsg)
        class(chgnet_delta), intent(inout) :: self
        class(chgnet_model), intent(in) :: model
        integer(c_int64_t), intent(in), contiguous, target :: n_atom(:)
        integer(c_int32_t), intent(in), contiguous, target :: numbers(:)
        real(c_double), intent(in), contiguous, target :: positions(:, :), cells(:, :, :), energies(:)
        logical, intent(in) :: pbc(:, :)
        real(c_double), intent(in), contiguous, target, optional :: forces(:, :)
        integer, intent(in), optional :: threads
        integer, intent(out), optional :: stat
        character(*), intent(inout), optional :: errmsg
        integer(c_int), allocatable, target :: c_pbc(:, :)
        integer(c_int) :: n_thread
        character(:), allocatable :: wrong
        wrong = wrong_labels(n_atom, numbers, positions, cells, pbc, energies, forces)
        if (.not. (c_associated(model%handle) .and. c_associated(self%handle))) &
            wrong = 'an empty model or delta-model; load or fit it first'
        if (len(wrong) > 0) then
            call report_usage(wrong, stat, errmsg)
            return
        end if
        n_thread = 0
        if (present(threads)) n_thread = threads
        c_pbc = merge(1_c_int, 0_c_int, pbc)
        call report_of(self%context, chgnet_delta_update(self%context, self%handle, model%handle, &
                       labels_of(n_atom, numbers, positions, cells, c_pbc, energies, forces), n_thread), stat, errmsg)
    end subroutine

    type(chgnet_delta_facts) function delta_facts(self) result(facts)
        class(chgnet_delta), intent(in) :: self
        if (c_associated(self%handle)) facts = delta_facts_of(self%handle)
    end function

    subroutine delta_destroy(self)
        class(chgnet_delta), intent(inout) :: self
        call chgnet_delta_destroy(self%handle)
        call chgnet_context_destroy(self%context)
        self%handle = c_null_ptr
        self%context = c_null_ptr
    end subroutine

    subroutine delta_final(self)
        type(chgnet_delta), intent(inout) :: self
        call self%destroy()
    end subroutine

    subroutine delta_copy(self, from)
        class(chgnet_delta), intent(inout) :: self
        class(chgnet_delta), intent(in) :: from
        if (.not. c_associated(self%handle, from%handle)) error stop 'chgnet: a delta-model cannot be copied; load it again'
    end subroutine
end module chgnet
