! Energy and forces of a strained copper cell.  SPDX-License-Identifier: BSD-3-Clause
program energy_of_copper
    use, intrinsic :: iso_fortran_env, only: real64
    use chgnet, only: chgnet_model, chgnet_calculator
    implicit none
    type(chgnet_model) :: model
    type(chgnet_calculator) :: calculator
    real(real64) :: positions(3, 4), cell(3, 3), energy, forces(3, 4)

    positions = reshape([0, 0, 0, 0, 18, 18, 18, 0, 18, 19, 18, 0], [3, 4])/10.0_real64 ! A
    cell = reshape([36, 0, 0, 0, 36, 0, 0, 0, 36], [3, 3])/10.0_real64                  ! columns are vectors, A

    call model%load('0.3.0')
    call calculator%create(model)
    call calculator%set_structure([29, 29, 29, 29], positions, cell)
    call calculator%compute()
    call calculator%get(energy=energy, forces=forces)
    print '(a,f9.4,a,f8.4,a)', 'energy ', energy, ' eV, force on the moved atom ', forces(1, 4), ' eV/A'
    call calculator%destroy()
    call model%destroy()
end program energy_of_copper
