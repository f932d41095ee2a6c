# Draw the pictures of benchmarks/README.md from benchmarks/results/: ratios.svg and scale.svg.
#
#     cd benchmarks && gnuplot plot.gp
#
# SPDX-License-Identifier: BSD-3-Clause

set terminal svg size 760,420 font "sans-serif,14" background "white"
set encoding utf8

# ---- ratios: how many times faster than upstream -----------------------------------------------------------------------
set output "results/ratios.svg"
set style data histograms
set style histogram clustered gap 1.5
set style fill solid 0.9 noborder
set yrange [0:*]
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside top center horizontal
set ylabel "times as fast as upstream"
plot "results/ratios.dat" using 6:xtic(1) title "full step against the calculator step" lc rgb "#4477aa", \
     "" using 7 title "full step against bare ef" lc rgb "#ccbb44", \
     "" using 0:6:(sprintf("%.1f", $6)) with labels offset -2.2,0.6 font ",11" notitle, \
     "" using 0:7:(sprintf("%.1f", $7)) with labels offset 2.2,0.6 font ",11" notitle

# ---- scale: time and memory per atom -------------------------------------------------------------------------------------
reset
set output "results/scale.svg"
set terminal svg size 860,560 font "sans-serif,14" background "white"
set multiplot layout 2,1 margins 0.10,0.70,0.11,0.97 spacing 0.08
set style data linespoints
set logscale x
set xrange [400:130000]
set yrange [0:*]
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
set key at graph 1.03,1 left top Left reverse
set pointsize 0.9
file = "results/scale.dat"
set format x ""
set ylabel "ms per atom"
plot file index 0 using 2:5 title "LiMnO_2, keeping" lc rgb "#4477aa" pt 7, \
     file index 1 using 2:5 title "LiMnO_2, recomputing" lc rgb "#ee6677" dt 2 pt 6
set format x "10^{%L}"
set xlabel "atoms"
set ylabel "kB per atom"
plot file index 0 using 2:9 notitle lc rgb "#4477aa" pt 7, \
     file index 1 using 2:9 notitle lc rgb "#ee6677" dt 2 pt 6
unset multiplot
