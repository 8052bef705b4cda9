//! The figures, each beside its floor and its target.

use std::fmt;

/// Sorted measurements.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(samples: I) -> Samples {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Samples(sorted)
    }
}

impl Samples {
    /// The smallest sample that this fraction of all does not exceed.
    pub fn quantile(&self, fraction: f64) -> f64 {
        let place = (self.0.len() as f64 * fraction).ceil() as usize;
        self.0.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    pub fn p50(&self) -> f64 {
        self.quantile(0.5)
    }

    pub fn p99(&self) -> f64 {
        self.quantile(0.99)
    }

    pub fn max(&self) -> f64 {
        self.quantile(1.0)
    }
}

/// min / p50 / p99 / max.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} / {:.2} / {:.2} / {:.2}", self.quantile(0.0), self.p50(), self.p99(), self.max())
    }
}

/// What is to be kept to: a name, the value, and the most that it may be.
pub struct Target {
    pub what: &'static str,
    pub value: f64,
    pub most: f64,
}

struct Row {
    figure: String,
    value: String,
    floor: String,
    ratio: String,
    count: String,
    targets: Vec<Target>,
}

#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    /// Milliseconds; shown now, and again in the table.
    pub fn samples(&mut self, figure: &str, samples: &Samples, floor: Option<&Samples>, targets: Vec<Target>) {
        let ratio =
            |floor: &Samples| format!("{:.1} / {:.1}", samples.p50() / floor.p50(), samples.p99() / floor.p99());
        self.add(Row {
            figure: format!("{figure}, ms"),
            value: samples.to_string(),
            floor: floor.map_or_else(String::new, Samples::to_string),
            ratio: floor.map_or_else(String::new, ratio),
            count: samples.0.len().to_string(),
            targets,
        });
    }

    pub fn single(&mut self, figure: &str, value: f64, targets: Vec<Target>) {
        let (floor, ratio, count) = (String::new(), String::new(), "1".to_owned());
        self.add(Row { figure: figure.to_owned(), value: format!("{value:.2}"), floor, ratio, count, targets });
    }

    pub fn note(&mut self, note: String) {
        println!("  {note}");
        self.notes.push(note);
    }

    fn add(&mut self, row: Row) {
        println!("  {}: {}   [floor {}]", row.figure, row.value, row.floor);
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = ["figure", "min / p50 / p99 / max", "its floor", "ratio p50 / p99", "n", "target"];
        let mut cells: Vec<[String; 6]> = vec![titles.map(str::to_owned)];
        for row in &self.rows {
            let targets: Vec<String> = row.targets.iter().map(Target::to_string).collect();
            let Row { figure, value, floor, ratio, count, .. } = row;
            cells.push([figure, value, floor, ratio, count, &targets.join("; ")].map(String::clone));
        }
        let widths: Vec<usize> =
            (0..titles.len()).map(|column| cells.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
        for row in &cells {
            let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "{}", padded.join(" | ").trim_end())?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.value <= self.most { "met" } else { "MISSED" };
        write!(f, "{} {:.2} <= {:.2} {verdict}", self.what, self.value, self.most)
    }
}
