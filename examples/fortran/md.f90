! Molecular dynamics at constant energy (velocity Verlet) with forces from CHGNet: 64 atoms of MgO, from 600 K.
!
! Units: eV, Angstrom, fs, atomic mass units.                       SPDX-License-Identifier: BSD-3-Clause
program md
    use, intrinsic :: iso_fortran_env, only: int32, real64
    use chgnet, only: chgnet_model, chgnet_calculator
    implicit none

    integer, parameter :: cells = 2, n = 8*cells**3, steps = 200, every = 20
    real(real64), parameter :: a = 4.21_real64                  ! lattice constant, A
    real(real64), parameter :: dt = 1                           ! fs
    real(real64), parameter :: boltzmann = 8.617333262e-5_real64     ! eV/K
    real(real64), parameter :: to_acceleration = 9.648533212e-3_real64 ! (eV/A)/u in A/fs^2

    type(chgnet_model) :: model
    type(chgnet_calculator) :: calculator
    integer(int32) :: numbers(n)
    real(real64) :: positions(3, n), velocities(3, n), forces(3, n), masses(n), cell(3, 3), potential, start
    integer :: step

    call make_crystal()
    call give_velocities(600.0_real64)

    call model%load()
    call calculator%create(model, skin=1.0_real64, trajectory=.true.)
    call calculator%set_structure(numbers, positions, cell)
    call calculate()
    start = potential + kinetic()

    print '(a)', '   fs   potential/eV    kinetic/eV      total/eV   temperature/K'
    call show(0)
    do step = 1, steps
        call kick(dt/2)
        positions = positions + dt*velocities        ! they run on: the neighbour list then holds longer
        call calculator%set_positions(positions)
        call calculate()
        call kick(dt/2)
        if (mod(step, every) == 0) call show(step)
    end do
    print '(a,f8.4,a)', 'drift of the energy: ', 1000*(potential + kinetic() - start)/n, ' meV per atom'

    ! A main program's variables are not finalised when it ends; those of a procedure are.
    call calculator%destroy()
    call model%destroy()

contains

    subroutine calculate()
        call calculator%compute()
        call calculator%get(energy=potential, forces=forces)
    end subroutine

    subroutine kick(time)
        real(real64), intent(in) :: time
        velocities = velocities + time*to_acceleration*forces/spread(masses, 1, 3)
    end subroutine

    real(real64) function kinetic()
        kinetic = sum(spread(masses, 1, 3)*velocities**2)/(2*to_acceleration)
    end function

    subroutine show(now)
        integer, intent(in) :: now
        print '(i5,3f15.5,f12.1)', nint(now*dt), potential, kinetic(), potential + kinetic(), &
            2*kinetic()/(3*(n - 1)*boltzmann)
    end subroutine

    !> Rock salt: Mg on the corners and faces of a cube, O half an edge away.
    subroutine make_crystal()
        real(real64), parameter :: sites(3, 4) = reshape(real([0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0], real64)/2, [3, 4])
        integer :: i, j, k, site, atom
        atom = 0
        do i = 0, cells - 1
            do j = 0, cells - 1
                do k = 0, cells - 1
                    do site = 1, 4
                        positions(:, atom + 1) = a*(sites(:, site) + [i, j, k])
                        positions(:, atom + 2) = positions(:, atom + 1) + [a/2, 0.0_real64, 0.0_real64]
                        numbers(atom + 1:atom + 2) = [12, 8]
                        atom = atom + 2
                    end do
                end do
            end do
        end do
        masses = merge(24.305_real64, 15.999_real64, numbers == 12)
        cell = 0
        do k = 1, 3
            cell(k, k) = cells*a
        end do
    end subroutine

    !> Maxwell's distribution by Box and Muller, without a drift of the whole, scaled to the temperature.
    subroutine give_velocities(temperature)
        real(real64), intent(in) :: temperature
        real(real64) :: u(3, n), w(3, n), drift(3)
        call random_init(repeatable=.true., image_distinct=.false.)
        call random_number(u)
        call random_number(w)
        velocities = sqrt(-2*log(1 - u))*cos(8*atan(1.0_real64)*w)/sqrt(spread(masses, 1, 3))
        drift = sum(velocities*spread(masses, 1, 3), 2)/sum(masses)
        velocities = velocities - spread(drift, 2, n)
        velocities = velocities*sqrt(1.5_real64*(n - 1)*boltzmann*temperature/kinetic())
    end subroutine
end program md
