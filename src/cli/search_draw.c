/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/search_draw.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* ---- charts ----------------------------------------------------------------------------------- */

enum { WIDTH = 560, HEIGHT = 300, LEFT = 78, RIGHT = 16, TOP = 30, BOTTOM = 44 };

typedef struct frame {
    double low[2], high[2];
} frame;

static frame frame_of(int n_series, const chgi_series *series)
{
    frame f = {{INFINITY, INFINITY}, {-INFINITY, -INFINITY}};
    for (int s = 0; s < n_series; s++)
        for (int64_t k = 0; k < series[s].n; k++) {
            if (!isfinite(series[s].x[k]) || !isfinite(series[s].y[k]))
                continue;
            f.low[0] = fmin(f.low[0], series[s].x[k]);
            f.high[0] = fmax(f.high[0], series[s].x[k]);
            f.low[1] = fmin(f.low[1], series[s].y[k]);
            f.high[1] = fmax(f.high[1], series[s].y[k]);
        }
    for (int a = 0; a < 2; a++) {
        if (!(f.low[a] <= f.high[a]))
            f.low[a] = 0, f.high[a] = 1;
        double range = f.high[a] - f.low[a], size = fmax(1, fmax(fabs(f.low[a]), fabs(f.high[a])));
        double margin = range > 1e-9 * size ? 0.04 * range : 0.5; /* what differs by rounding alone is one value */
        f.low[a] -= margin;
        f.high[a] += margin;
    }
    return f;
}

static double place_x(const frame *f, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (x - f->low[0]) / (f->high[0] - f->low[0]);
}

static double place_y(const frame *f, double y)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (y - f->low[1]) / (f->high[1] - f->low[1]);
}

/* A round step that gives four to nine ticks. */
static double tick_step(double range)
{
    double step = pow(10, floor(log10(range / 4)));
    if (range / step > 20)
        return 5 * step;
    return range / step > 9 ? 2 * step : step;
}

static void draw_axes(chgi_text *html, const frame *f, const char *x_name, const char *y_name)
{
    double step = tick_step(f->high[0] - f->low[0]);
    for (double x = ceil(f->low[0] / step) * step; x <= f->high[0]; x += step)
        chgi_text_print(html,
                        "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' class='grid'/><text x='%.1f' y='%d' "
                        "text-anchor='middle'>%.6g</text>",
                        place_x(f, x), TOP, place_x(f, x), HEIGHT - BOTTOM, place_x(f, x), HEIGHT - BOTTOM + 15,
                        fabs(x) < 1e-9 * step ? 0 : x);
    step = tick_step(f->high[1] - f->low[1]);
    for (double y = ceil(f->low[1] / step) * step; y <= f->high[1]; y += step)
        chgi_text_print(html,
                        "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' class='grid'/><text x='%d' y='%.1f' "
                        "text-anchor='end'>%.6g</text>",
                        LEFT, place_y(f, y), WIDTH - RIGHT, place_y(f, y), LEFT - 5, place_y(f, y) + 4,
                        fabs(y) < 1e-9 * step ? 0 : y);
    chgi_text_print(html, "<text x='%d' y='%d' text-anchor='middle'>%s</text>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8,
                    x_name);
    chgi_text_print(html, "<text transform='translate(14,%d) rotate(-90)' text-anchor='middle'>%s</text>",
                    (TOP + HEIGHT - BOTTOM) / 2, y_name);
}

static void draw_series(chgi_text *html, const frame *f, const chgi_series *s)
{
    if (s->line)
        chgi_text_print(html, "<polyline fill='none' stroke='%s' stroke-width='2' points='", s->colour);
    for (int64_t k = 0; k < s->n; k++) {
        if (!isfinite(s->x[k]) || !isfinite(s->y[k]))
            continue;
        if (s->line)
            chgi_text_print(html, "%.1f,%.1f ", place_x(f, s->x[k]), place_y(f, s->y[k]));
        else
            chgi_text_print(html, "<circle cx='%.1f' cy='%.1f' r='2' fill='%s'/>", place_x(f, s->x[k]),
                            place_y(f, s->y[k]), s->colour);
    }
    if (s->line)
        chgi_text_print(html, "'/>");
}

void chgi_draw_chart(chgi_text *html, const char *title, const char *x_name, const char *y_name, int n_series,
                     const chgi_series *series)
{
    frame f = frame_of(n_series, series);
    chgi_text_print(html,
                    "<svg class='chart' width='%d' height='%d' viewBox='0 0 %d %d'><text x='%d' y='18' "
                    "class='title'>%s</text>",
                    WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, title);
    draw_axes(html, &f, x_name, y_name);
    for (int s = 0; s < n_series; s++) {
        draw_series(html, &f, &series[s]);
        chgi_text_print(html, "<text x='%d' y='%d' text-anchor='end' style='fill:%s'>%s</text>", WIDTH - RIGHT - 4,
                        TOP + 14 + 15 * s, series[s].colour, series[s].name);
    }
    chgi_text_print(html, "</svg>\n");
}

/* ---- structures ------------------------------------------------------------------------------- */

/* Colours after Corey, Pauling, Koltun and Jmol's for metals; others by number. */
static const char *colour_of(int z)
{
    static const struct {
        int z;
        const char *colour;
    } known[] = {{1, "#f4f4f4"},  {3, "#cc80ff"},  {6, "#666666"},  {7, "#3050f8"},  {8, "#e8281c"},
                 {12, "#7ac400"}, {13, "#bfa6a6"}, {14, "#e0c090"}, {16, "#f2d21b"}, {18, "#80d1e3"},
                 {22, "#bfc2c7"}, {25, "#9c7ac7"}, {26, "#e06633"}, {27, "#f090a0"}, {28, "#50d050"},
                 {29, "#c88033"}, {38, "#00cc00"}, {47, "#b8bcc4"}, {78, "#d0d0e0"}, {79, "#ffd123"}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (known[k].z == z)
            return known[k].colour;
    static const char *const others[] = {"#8da0cb", "#fc8d62", "#66c2a5", "#e78ac3", "#a6d854", "#b3b3b3"};
    return others[z % 6];
}

typedef struct ball {
    double u, v, depth; /* A: right, up, towards the eye */
    int element;
    bool image;
} ball;

static int nearer(const void *a, const void *b)
{
    double x = ((const ball *)a)->depth, y = ((const ball *)b)->depth;
    return (x > y) - (x < y);
}

static ball ball_at(const double position[3], int element, bool image, bool from_side)
{
    if (from_side)
        return (ball){position[0], position[2], -position[1], element, image};
    return (ball){position[0], position[1], position[2], element, image};
}

/* The atoms, and from above their images in the cells around. */
static int64_t place_balls(const chgi_structure *s, bool from_side, ball *balls)
{
    int64_t n = 0;
    int reach[2] = {s->pbc[0], s->pbc[1] && !from_side};
    for (int a = -reach[0]; a <= reach[0]; a++)
        for (int b = -reach[1]; b <= reach[1]; b++)
            for (int64_t i = 0; i < s->n_atom; i++) {
                double x[3];
                for (int k = 0; k < 3; k++)
                    x[k] = s->positions[3 * i + k] + a * s->cell[0][k] + b * s->cell[1][k];
                balls[n++] = ball_at(x, s->numbers[i], a || b, from_side);
            }
    qsort(balls, (size_t)n, sizeof *balls, nearer);
    return n;
}

static void draw_cell(chgi_text *html, const chgi_structure *s)
{
    const double *a = s->cell[0], *b = s->cell[1];
    chgi_text_print(html,
                    "<path d='M0 0L%.3f %.3fL%.3f %.3fL%.3f %.3fZ' fill='none' stroke='#000' stroke-width='0.08'/>",
                    a[0], -a[1], a[0] + b[0], -a[1] - b[1], b[0], -b[1]);
}

/* The window around the atoms of the cell itself. */
static void open_picture(chgi_text *html, const ball *balls, int64_t n)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    const double margin = 2.2;
    for (int64_t k = 0; k < n; k++) {
        if (balls[k].image)
            continue;
        low[0] = fmin(low[0], balls[k].u - margin);
        high[0] = fmax(high[0], balls[k].u + margin);
        low[1] = fmin(low[1], -balls[k].v - margin);
        high[1] = fmax(high[1], -balls[k].v + margin);
    }
    chgi_text_print(html, "<svg class='atoms' height='180' viewBox='%.2f %.2f %.2f %.2f'>", low[0], low[1],
                    high[0] - low[0], high[1] - low[1]);
}

void chgi_draw_structure(chgi_text *html, const chgi_structure *structure, bool from_side)
{
    ball *balls = chgi_memory_new((size_t)structure->n_atom, 9 * sizeof *balls);
    if (!balls) {
        html->failed = true;
        return;
    }
    int64_t n = place_balls(structure, from_side, balls);
    open_picture(html, balls, n);
    for (int64_t k = 0; k < n; k++)
        chgi_text_print(html, "<circle cx='%.3f' cy='%.3f' r='%.2f' fill='%s' stroke='#333' stroke-width='0.06'%s/>",
                        balls[k].u, -balls[k].v, chgi_element_radius(balls[k].element), colour_of(balls[k].element),
                        balls[k].image ? " opacity='0.35'" : "");
    if (!from_side && structure->pbc[0] && structure->pbc[1])
        draw_cell(html, structure);
    chgi_text_print(html, "</svg>");
    chgi_memory_free(balls);
}
