! What test_fortran.sh asks of the module beyond the example: prints a line for each check.
! SPDX-License-Identifier: BSD-3-Clause
program all_of_module
    use, intrinsic :: iso_c_binding
    use chgnet
    use chgnet_c, only: chgnet_options, chgnet_options_default, chgnet_neighbours, chgnet_neighbours_default, chgnet_labels, &
                        chgnet_labels_default, chgnet_delta_options, chgnet_delta_options_default
    implicit none
    type(chgnet_model) :: model

    call check_sizes()
    call model%load('0.3.0')
    call check_model()
    call check_errors()
    call check_neighbours()
    call check_results()
    call check_delta()
    call check_finalisers()
    call model%destroy()
    print '(a)', 'ends'

contains

    subroutine check(ok, name)
        logical, intent(in) :: ok
        character(*), intent(in) :: name
        print '(2a)', merge('       ', 'not ok ', ok), name
    end subroutine

    !> The library knows the sizes of its structs: those of Fortran must be the same.
    subroutine check_sizes()
        type(chgnet_options) :: options
        type(chgnet_neighbours) :: neighbours
        type(chgnet_labels) :: labels
        type(chgnet_delta_options) :: delta
        options = chgnet_options_default()
        neighbours = chgnet_neighbours_default()
        labels = chgnet_labels_default()
        delta = chgnet_delta_options_default()
        call check(options%size == c_sizeof(options), 'chgnet_options has its size')
        call check(neighbours%size == c_sizeof(neighbours), 'chgnet_neighbours has its size')
        call check(labels%size == c_sizeof(labels), 'chgnet_labels has its size')
        call check(delta%size == c_sizeof(delta), 'chgnet_delta_options has its size')
    end subroutine

    subroutine check_model()
        type(chgnet_model_facts) :: facts
        facts = model%facts()
        call check(facts%version == '0.3.0' .and. len(facts%sha256) == 64 .and. len(facts%path) > 0, 'texts of a model')
        call check(facts%atom_cutoff == 6 .and. facts%bond_cutoff == 3 .and. facts%receptive_field == 24 .and. &
                   facts%n_element == 94 .and. facts%n_feature == 64 .and. facts%n_parameter == 412525, 'facts of a model')
        call check(len(chgnet_version_text()) > 0, 'a version')
    end subroutine

    subroutine check_errors()
        type(chgnet_model) :: none
        type(chgnet_calculator) :: calculator
        real(c_double) :: positions(3, 1), cell(3, 3)
        integer :: stat
        character(300) :: message
        positions = 0
        call calculator%compute(stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE .and. index(message, 'create it first') > 0, 'refused: '//trim(message))
        call calculator%create(none, stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE .and. index(message, 'load it first') > 0, 'refused: '//trim(message))
        call none%load('nosuch', stat=stat, errmsg=message)
        call check(stat == CHGNET_EINPUT .and. index(message, 'nosuch') > 0, 'refused: '//message(1:40)//'...')
        call calculator%create(model, threads=-1, stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE .and. index(message, 'threads') > 0, 'refused: '//trim(message))
        call calculator%create(model, precision=CHGNET_DOUBLE, stat=stat)
        call check(stat == CHGNET_OK, 'stat is 0 where all is well')
        call calculator%set_structure([29], positions(1:2, :), stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE .and. index(message, 'positions(3,1)') > 0, 'refused: '//trim(message))
        call calculator%set_structure([129], positions, stat=stat, errmsg=message)
        call check(stat == CHGNET_EINPUT .and. index(message, '129') > 0, 'refused: '//trim(message))
        cell = 0
        call calculator%set_structure([29], positions, cell, stat=stat, errmsg=message)
        call check(stat == CHGNET_EINPUT .and. index(message, 'cell') > 0, 'refused: '//trim(message))
        call calculator%set_delta(empty_delta(), stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE .and. index(message, 'empty') > 0, 'refused: '//trim(message))
    end subroutine

    function empty_delta() result(delta)
        type(chgnet_delta), pointer :: delta
        type(chgnet_delta), target, save :: none
        delta => none
    end function

    !> A chain of copper, periodic along x: its neighbours are its own images.
    subroutine check_neighbours()
        type(chgnet_calculator) :: own, host
        real(c_double) :: cell(3, 3), one(3, 1), sites(3, 3), energy(2), forces(3, 1), all_forces(3, 3), virial(3, 3, 2)
        integer :: stat
        character(300) :: message
        cell = 0
        cell(1, 1) = 3.5
        one = 0.25
        sites = 0.25
        sites(1, 2) = sites(1, 1) + 3.5
        sites(1, 3) = sites(1, 1) - 3.5
        call own%create(model)
        call host%create(model)
        call own%set_structure([29], one, cell, [.true., .false., .false.])
        call own%compute()
        call own%get(energy=energy(1), forces=forces, virial=virial(:, :, 1))
        call host%set_neighbours(1, [29, 29, 29], sites, [1, 1], [1, 3], [2, 3], cell, [.true., .false., .false.])
        call host%compute()
        call host%get(energy=energy(2), forces=all_forces, virial=virial(:, :, 2))
        call check(energy(1) == energy(2) .and. all(virial(:, :, 1) == virial(:, :, 2)) .and. &
                   all(forces(:, 1) == all_forces(:, 1)) .and. all(all_forces(:, 2:3) == 0), &
                   'a list with ghosts gives the same bits as a structure')
        cell(1, 1) = 3.6
        call own%set_structure([29], one, cell, [.true., .false., .false.])
        call own%compute(forces=.false.)
        call own%get(energy=energy(1))
        call host%move_neighbours(sites, cell)
        call host%compute()
        call host%get(energy=energy(2))
        call check(energy(1) == energy(2), 'also when the cell has moved')
        call host%set_neighbours(1, [29, 29, 29], sites, [1, 4], [1, 3], [2, 3], cell, stat=stat, errmsg=message)
        call check(stat == CHGNET_EINPUT, 'refused: '//trim(message))
        call host%set_neighbours(1, [29, 29, 29], sites, [1, 1], [1, 4], [2, 3], cell, stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE, 'refused: '//trim(message))
        call host%set_neighbours(2, [29, 29, 29], sites, [1, 1], [1, 3], [2, 3], cell, stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE, 'refused: '//trim(message))
    end subroutine

    subroutine make_water(shift, positions)
        real(c_double), intent(in) :: shift
        real(c_double), intent(out) :: positions(3, 3)
        positions = reshape([0.0_c_double, 0.0_c_double, 0.0_c_double, 0.96_c_double + shift, 0.0_c_double, 0.0_c_double, &
                             -0.24_c_double, 0.93_c_double, shift], [3, 3])
    end subroutine

    subroutine check_results()
        type(chgnet_calculator) :: calculator
        real(c_double) :: positions(3, 3), energy, forces(3, 3), site(3), magmoms(3), fea(64, 3), final(64, 3), crystal(64)
        real(c_double) :: virials(3, 3, 3), virial(3, 3), small(2)
        integer(c_int64_t) :: bonds, angles
        integer :: stat
        character(300) :: message
        call make_water(0.0_c_double, positions)
        call calculator%create(model, precision=CHGNET_DOUBLE, threads=1, skin=0.5_c_double, trajectory=.true.)
        call calculator%set_structure([8, 1, 1], positions)
        call calculator%compute(site_virials=.true.)
        call calculator%get(energy=energy, forces=forces, virial=virial, site_energies=site, magmoms=magmoms, atom_fea=fea, &
                            atom_fea_final=final, crystal_fea=crystal, site_virials=virials)
        call check(abs(sum(site) - energy) < 1e-12*abs(energy), 'site energies add up to the energy')
        call check(all(abs(sum(forces, 2)) < 1e-10), 'forces add up to nothing')
        call check(all(abs(sum(virials, 3) - virial) < 1e-10), 'the virial is the sum of its shares')
        call check(all(abs(sum(final, 2) - crystal) < 1e-10) .and. any(fea /= 0) .and. all(magmoms >= 0), &
                   'embeddings and magnetic moments')
        call calculator%get_counts(bonds, angles)
        call check(bonds == 6 .and. angles == 6, 'three bonds both ways, six ordered angles')
        call calculator%get(magmoms=small, stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE .and. index(message, 'has 2 numbers') > 0, 'refused: '//trim(message))
        call calculator%get(stress=virial, stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE, 'refused: '//trim(message))
        call calculator%set_positions(positions + 0.1)
        call calculator%get(energy=energy, stat=stat, errmsg=message)
        call check(stat == CHGNET_EUSAGE, 'refused: '//trim(message))
    end subroutine

    subroutine check_delta()
        integer, parameter :: n = 4
        type(chgnet_calculator) :: calculator
        type(chgnet_delta) :: delta, again
        type(chgnet_delta_facts) :: facts
        real(c_double) :: positions(3, 3*n), cells(3, 3, n), energies(n), energy, std, change, before
        integer :: k, stat
        character(300) :: message
        cells = 0
        do k = 1, n
            call make_water(0.02_c_double*k, positions(:, 3*k - 2:3*k))
            energies(k) = -14 - 0.1_c_double*k
        end do
        call delta%fit(model, [(3_c_int64_t, k=1, n)], [([8, 1, 1], k=1, n)], positions, cells, reshape([(.false., k=1, 3*n)], &
                       [3, n]), energies, aggregation='atomic', optimize=.false., threads=1)
        facts = delta%facts()
        call check(facts%aggregation == 'atomic' .and. facts%n_label == n .and. facts%n_energy == n .and. facts%n_force == 0 &
                   .and. facts%model == '0.3.0', 'a delta-model from four labels')
        call delta%save('delta.h5')
        call again%load('delta.h5')
        call calculator%create(model)
        call calculator%set_structure([8, 1, 1], positions(:, 1:3))
        call calculator%compute()
        call calculator%get(energy=before)
        call calculator%set_delta(again)
        call calculator%compute(std=.true., novelty=.true.)
        call calculator%get(energy=energy, delta_energy=change, energy_std=std)
        call check(abs(energy - before - change) < 1e-9 .and. change /= 0 .and. std > 0, 'it corrects')
        call delta%update(model, [3_c_int64_t], [8, 1, 1], positions(:, 1:3) + 0.01_c_double*reshape([(k, k=1, 9)], [3, 3]), &
                          cells(:, :, 1:1), reshape([.false., .false., .false.], [3, 1]), [-14.2_c_double])
        facts = delta%facts()
        call check(facts%n_label == n + 1, 'another label')
        call calculator%remove_delta()
        call calculator%compute()
        call calculator%get(energy=energy)
        call check(energy == before, 'without it, CHGNet alone again')
        call delta%fit(model, [3_c_int64_t], [8, 1], positions, cells, reshape([.false.], [1, 1]), energies, stat=stat, &
                       errmsg=message)
        call check(stat == CHGNET_EUSAGE .and. index(message, 'do not fit') > 0, 'refused: '//message(1:60)//'...')
        call delta%save('delta.h5', stat=stat)
        call check(stat == CHGNET_EUSAGE, 'nothing to save after that')
    end subroutine

    !> Locals of a procedure are cleaned up when it ends: memory does not grow.
    subroutine check_finalisers()
        integer :: k, pages(2)
        do k = 1, 10
            call come_and_go()
            if (k == 4) pages(1) = resident()
        end do
        pages(2) = resident()
        ! A model holds 20 MB, which are some 5000 pages.
        call check(pages(2) - pages(1) < 2000, 'finalisers give memory back')
    end subroutine

    subroutine come_and_go()
        type(chgnet_model) :: passing
        type(chgnet_calculator) :: calculator
        call passing%load()
        call calculator%create(passing)
        call calculator%set_structure([8], reshape([0.0_c_double, 0.0_c_double, 0.0_c_double], [3, 1]))
        call calculator%compute()
    end subroutine

    integer function resident()
        integer :: unit, status, size
        resident = 0
        open (newunit=unit, file='/proc/self/statm', status='old', action='read', iostat=status)
        if (status /= 0) return
        read (unit, *) size, resident
        close (unit)
    end function
end program all_of_module
