! tests/predict_plain.c in Fortran.  SPDX-License-Identifier: BSD-3-Clause
program predict_plain
    use, intrinsic :: iso_fortran_env, only: int32, int64, real64, input_unit
    use chgnet
    implicit none
    type(chgnet_model) :: model
    type(chgnet_calculator) :: calculator
    integer :: n, periodic(3), i, status
    integer(int32), allocatable :: numbers(:)
    real(real64), allocatable :: positions(:, :), forces(:, :)
    real(real64) :: cell(3, 3), energy, stress(3, 3)

    call model%load()
    call calculator%create(model)
    do
        read (input_unit, *, iostat=status) n
        if (status /= 0) exit
        read (input_unit, *) periodic
        read (input_unit, *) cell
        numbers = [(0, i=1, n)]
        positions = reshape([(0.0_real64, i=1, 3*n)], [3, n])
        forces = positions
        do i = 1, n
            read (input_unit, *) numbers(i), positions(:, i)
        end do
        call calculator%set_structure(numbers, positions, cell, pbc=periodic /= 0)
        call calculator%compute()
        call calculator%get(energy=energy, forces=forces)
        call print_bits('energy', [energy])
        call print_bits('forces', reshape(forces, [3*n]))
        if (all(periodic /= 0)) then
            call calculator%get(stress=stress)
            call print_bits('stress', reshape(stress, [9]))
        end if
    end do
    call calculator%destroy()
    call model%destroy()
contains
    subroutine print_bits(name, values)
        character(*), intent(in) :: name
        real(real64), intent(in) :: values(:)
        print '(a,*(1x,z16.16))', name, transfer(values, 0_int64, size(values))
    end subroutine
end program predict_plain
