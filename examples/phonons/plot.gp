# gnuplot plot.gp: MgO.svg, bands from our forces (lines) and from upstream's (points).
# SPDX-License-Identifier: BSD-3-Clause
set terminal svg size 640,420 font 'Helvetica,13' background '#ffffff'
set output 'MgO.svg'
set ylabel 'frequency (THz)'
set yrange [0:]
set grid ytics lc '#e0e0e0'
set key below
stats 'MgO.dat' using 1 nooutput name 'x'
array edge[5]
do for [i = 0:3] {
    stats 'MgO.dat' every :::i::i using 1 nooutput name 'block'
    edge[i + 1] = block_min
}
edge[5] = x_max
set xrange [0:x_max]
set xtics ('G' edge[1], 'X' edge[2], 'U,K' edge[3], 'G' edge[4], 'L' edge[5])
set grid xtics lc '#808080'
plot for [k = 2:7] 'MgO.dat' using 1:k with lines lw 2 lc rgb '#1f6fb4' title (k == 2 ? 'chgnet phonon-forces' : ''), \
     for [k = 8:13] 'MgO.dat' every 3 using 1:k with points pt 6 ps 0.5 lc rgb '#d04020' title (k == 8 ? 'upstream, float64' : '')
