/// What `fit` is told beside the data and the network.
package struct TrainingSettings: Sendable, Hashable {
    /// How long to train.
    package enum Budget: Sendable, Hashable {
        case epochs(Double)
        case steps(Int)
        /// Made into a number of steps once the first steps have been timed.
        case minutes(Double)
    }

    /// Which weights are the result.
    package enum Keep: String, Sendable, CaseIterable {
        /// Those at the lowest training loss, averaged between two points of the curve: the report's rule.
        case training
        /// Those at the lowest loss over rows held out, with fixed noise.
        case validation
        /// Those at the end.
        case last
    }

    package var budget: Budget
    package var batch: Int
    /// Rows that go through the network together: more would not fit the memory. Gradients add up over the
    /// batch.
    package var chunk: Int
    package var rate: Double
    package var shape: RateSchedule.Shape
    package var warmup: Int
    package var optimiser: AdamW.Settings
    /// Gradients of a greater norm are scaled down to it.
    package var largestNorm: Double?
    package var averages: [AverageLength]
    package var keep: Keep
    package var seed: Int

    package init(
        budget: Budget, batch: Int, chunk: Int, rate: Double, shape: RateSchedule.Shape, warmup: Int,
        optimiser: AdamW.Settings, largestNorm: Double?,
        averages: [AverageLength], keep: Keep, seed: Int
    ) {
        self.budget = budget
        self.batch = batch
        self.chunk = chunk
        self.rate = rate
        self.shape = shape
        self.warmup = warmup
        self.optimiser = optimiser
        self.largestNorm = largestNorm
        self.averages = averages
        self.keep = keep
        self.seed = seed
    }
}
