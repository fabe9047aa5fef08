/// A figure of a set of items and how each item moves it: to first order the figure of a set that holds item i `w` times instead of once is
/// `value + Σ (w[i] - 1) influence[i] / n` (Hampel 1974; Efron's infinitesimal jackknife). Bootstrap replicates made of it cost n products each
/// whatever the figure, and they spread as the figure itself does from sample to sample.
package struct Estimate: Sendable, Equatable {
    package let value: Double
    /// One per item; their mean is zero.
    package let influence: [Double]

    /// - Parameter influence: up to a constant, which is taken away.
    init(value: Double, influence: [Double]) {
        let mean = influence.reduce(0, +) / Double(max(1, influence.count))
        self.value = value
        self.influence = influence.map { $0 - mean }
    }

    /// A mean: each item moves it by what it exceeds it by.
    package init(items: [Double]) {
        self.init(value: items.reduce(0, +) / Double(items.count), influence: items)
    }

    package func scaled(by factor: Double) -> Estimate { Estimate(value: value * factor, influence: influence.map { $0 * factor }) }

    /// The mean of `items` is the figure, and so is, to first order, that of any draw of them.
    package var items: [Double] { influence.map { value + $0 } }
}
