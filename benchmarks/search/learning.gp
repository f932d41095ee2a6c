# Success curves of learning.py: cd benchmarks/search && gnuplot learning.gp.  SPDX-License-Identifier: BSD-3-Clause
set terminal svg size 760,380 font "sans-serif,14" background "white"
set output "../results/search-learning.svg"
file = "../results/search-learning.dat"
set xlabel "labels"
set ylabel "share of ten runs with a label that near"
set yrange [0:1.05]
set xrange [0:150]
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
set key bottom right
# Columns: labels, then for each of six limits the corrected and the plain searches.
plot file using 1:12 with steps lw 2 lc rgb "#4477aa" title "corrected, 0.5 eV", \
     file using 1:13 with steps lw 2 lc rgb "#ee6677" title "plain, 0.5 eV", \
     file using 1:10 with steps lw 2 dt 2 lc rgb "#4477aa" title "corrected, 0.4 eV", \
     file using 1:11 with steps lw 2 dt 2 lc rgb "#ee6677" title "plain, 0.4 eV"
