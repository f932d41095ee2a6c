# Learning curves: run by study.py in the folder of learning.csv; draws learning.svg.
set terminal svg size 900,380 font 'sans,12' background '#ffffff'
set output 'learning.svg'
set datafile separator ','
set key autotitle columnhead
set key top right
set logscale xy
set multiplot layout 1,2
set xlabel 'labels'
rows(metal, column) = sprintf("< awk -F, 'NR==1 || ($1==\"%s\" && $2==\"forces\")' learning.csv | cut -d, -f3,%d", metal, column)
set ylabel 'energy error (meV/cell)'
plot for [m in 'all Cu Ag Au'] rows(m, 5) using 1:2 with linespoints pt 7 title m
set ylabel 'force error (meV/A)'
plot for [m in 'all Cu Ag Au'] rows(m, 7) using 1:2 with linespoints pt 5 title m
unset multiplot
