# Dimer against separate S: run by why.py in the folder of energies.csv; draws why.svg.
set terminal svg size 980,400 font 'sans,12' background '#ffffff'
set output 'why.svg'
set datafile separator ','
set multiplot layout 1,2
set style data histograms
set style histogram clustered gap 1.5
set style fill solid 0.85 noborder
set boxwidth 0.9
set key below
set title 'S2 dimer less two separate S, p(2x2)'
set ylabel 'energy (eV per cell); below zero the dimer wins'
set xzeroaxis lt -1
set offsets graph 0, 0, 0.1, 0.1
plot 'energies.csv' using 'CHGNet_eV':xtic(1) title 'CHGNet' lc rgb '#d95f02', '' using 'corrected_eV' title 'corrected' lc rgb '#1b9e77', \
    '' using 'PBE_eV' title 'PBE' lc rgb '#444444'
set title 'From each S to the nearest environment of a crystal'
set ylabel 'distance of embeddings (standard deviations)'
unset offsets
set yrange [0:*]
set key below
plot 'energies.csv' using 'distance_separate':xtic(1) title 'separate S' lc rgb '#7570b3', '' using 'distance_dimer' title 'S in a dimer' lc rgb '#e7298a'
unset multiplot
