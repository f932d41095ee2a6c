# How many labels are enough: run by enough.py in the folder of enough.csv; draws enough.svg.
set terminal svg size 900,380 font 'sans,12' background '#ffffff'
set output 'enough.svg'
set datafile separator ','
set key top right
set multiplot layout 1,2
set xlabel 'labels, chosen by the model'
set yrange [0:*]
rows(metal) = sprintf("< awk -F, '$2==\"%s\"' enough.csv", metal)
set ylabel 'energy: times smaller error'
plot for [m in 'all Cu Ag Au'] rows(m) using 1:5 with linespoints pt 7 title m, 3 with lines dt 2 lc 'gray' title '3'
set ylabel 'forces: times smaller error'
plot for [m in 'all Cu Ag Au'] rows(m) using 1:8 with linespoints pt 5 title m, 3 with lines dt 2 lc 'gray' title '3'
unset multiplot
