//! Size against time, one point a token.

use plotters::prelude::*;

use super::Row;

const OURS: RGBColor = RGBColor(0, 90, 180);
const THEIRS: RGBColor = RGBColor(120, 120, 120);

pub fn draw(path: &str, rows: &[Row]) {
    if let Some(folder) = std::path::Path::new(path).parent() {
        std::fs::create_dir_all(folder).expect("a folder for the chart");
    }
    let root = SVGBackend::new(path, (860, 460)).into_drawing_area();
    root.fill(&WHITE).expect("an empty chart");
    let widest = rows.iter().map(|row| row.bytes).max().unwrap_or(0) as f64;
    let tallest = rows.iter().map(|row| row.ratio).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .caption("The same key as other tokens", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(100.0..widest * 1.3, 0.0..tallest * 1.12)
        .expect("two axes");
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("bytes on the wire")
        .y_desc("bytes to usable fields, in bare Ed25519 verifies of ring")
        .x_label_formatter(&|bytes| format!("{bytes:.0}"))
        .draw()
        .expect("a grid");
    let colour = |row: &Row| if row.ours { OURS } else { THEIRS };
    let points = rows.iter().map(|row| Circle::new((row.bytes as f64, row.ratio), 5, colour(row).filled()));
    chart.draw_series(points).expect("points");
    let labels = spread(rows, tallest * 0.045);
    let texts = labels.into_iter().map(|(row, height)| {
        let style = ("sans-serif", 12).into_font().color(&colour(row));
        Text::new(format!("{} ({})", row.name, row.bytes), (row.bytes as f64 + 4.0, height), style)
    });
    chart.draw_series(texts).expect("labels");
    root.present().expect("the chart is written");
}

/// Heights for the labels, moved apart where they would overlap.
fn spread(rows: &[Row], gap: f64) -> Vec<(&Row, f64)> {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let mut placed: Vec<(&Row, f64)> = Vec::new();
    for row in sorted {
        let near = placed.iter().filter(|(other, _)| row.bytes.abs_diff(other.bytes) < 120);
        let lowest = near.map(|(_, height)| height + gap).fold(row.ratio + gap / 2.0, f64::max);
        placed.push((row, lowest));
    }
    placed
}
