# Errors before and after the correction: run by compare.py in the folder of errors.csv; draws errors.svg.
set terminal svg size 900,380 font 'sans,12' background '#ffffff'
set output 'errors.svg'
set datafile separator ','
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.85 noborder
set yrange [0:*]
set key top left
set xtics rotate by -35
set multiplot layout 1,2
set ylabel 'energy error, left out (meV per cell)'
plot 'errors.csv' using 'energy_before':xtic(stringcolumn(1) . ' ' . stringcolumn(2)) title 'before' lc rgb '#d95f02', '' using 'energy_after' title 'corrected' lc rgb '#1b9e77'
set ylabel 'force error, left out (meV/A)'
plot 'errors.csv' using 'forces_before':xtic(stringcolumn(1) . ' ' . stringcolumn(2)) title 'before' lc rgb '#d95f02', '' using 'forces_after' title 'corrected' lc rgb '#1b9e77'
unset multiplot
