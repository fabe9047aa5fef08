/// A figure of a set of items and how each item moves it: to first order the figure of a set that holds item
/// i `w` times instead of once is `value + Σ (w[i] - 1) influence[i] / n` (Hampel 1974; Efron's infinitesimal
/// jackknife). Bootstrap replicates made of it cost n products each whatever the figure, and they spread as
/// the figure itself does from sample to sample.
package struct Estimate: Sendable, Equatable {
    package let value: Double
    /// One per item: their mean is the figure, and so is, to first order, that of any draw of them.
    package let items: [Double]

    /// A mean.
    package init(items: [Double]) {
        value = items.reduce(0, +) / Double(items.count)
        self.items = items
    }

    /// - Parameter influence: up to a constant, which is taken away.
    init(value: Double, influence: [Double]) {
        let mean = influence.reduce(0, +) / Double(max(1, influence.count))
        self.value = value
        items = influence.map { $0 - mean + value }
    }

    package var influence: [Double] { items.map { $0 - value } }

    package func scaled(by factor: Double) -> Estimate {
        Estimate(value: value * factor, items: items.map { $0 * factor })
    }

    private init(value: Double, items: [Double]) { (self.value, self.items) = (value, items) }
}
