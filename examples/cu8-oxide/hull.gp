# Energy against the chemical potential of O: run by study.py in the folder of films.csv; draws hull.svg.  Thick: films on the hull;
# dashed: other films built by hand; grey: all.
set terminal svg size 900,480 font 'sans,12' background '#ffffff'
set output 'hull.svg'
set datafile separator ','
set key outside right
set xlabel 'mu(O) less that of O in Cu2O beside Cu (eV)'
set ylabel 'energy of the film over the clean surface (eV per cell)'
set xrange [-0.3:0.5]
set yrange [-2:2]
set xzeroaxis lt -1
set arrow from 0, graph 0 to 0, graph 1 nohead dt 3
set label 'bulk Cu2O grows' at 0.01, graph 0.04
film(k, column) = word(system(sprintf("sed -n %dp films.csv | cut -d, -f%s", k + 1, column)), 1)
n = int(system("grep -c . films.csv")) - 1
on_hull(k) = int(system(sprintf("grep -c '^%s %s,' hull.csv", film(k, '1'), film(k, '4'))))
stable = ''
built = ''
do for [k = 1:n] {
    if (on_hull(k)) { stable = stable . sprintf(' %d', k) } else { if (film(k, '4') eq 'by-hand') { built = built . sprintf(' %d', k) } }
}
# an empty list holds film 0, which is none
if (stable eq '') { stable = ' 0' }
if (built eq '') { built = ' 0' }
line(k, x) = k > 0 ? film(k, '7') - film(k, '3') * x : NaN
name(k) = k > 0 ? film(k, '1') . ' ' . film(k, '4') : ''
plot for [k = 1:n] line(k, x) lc rgb '#dddddd' notitle, \
    for [i = 1:words(stable)] line(int(word(stable, i)), x) lw 3 title name(int(word(stable, i))), \
    for [i = 1:words(built)] line(int(word(built, i)), x) lw 2 dt 2 lc rgb word('#d62728 #9467bd #8c564b #17becf', i) \
    title name(int(word(built, i)))
