# Films from above: run by study.py in the folder of views.dat; draws views.svg.
set terminal svg size 900,420 font 'sans,12' background '#ffffff'
set output 'views.svg'
set size ratio -1
set xrange [0:16]
set yrange [0:14]
unset xtics
unset ytics
set style fill solid 1 border lt -1
set multiplot layout 1,2
set title 'built by hand after Cu2O(110)'
plot 'views.dat' index 0 using 1:2:3:4 with circles lc rgb variable notitle
set title 'best of the scan (O red, Cu of the film orange, Cu(111) grey)'
plot 'views.dat' index 1 using 1:2:3:4 with circles lc rgb variable notitle
unset multiplot
