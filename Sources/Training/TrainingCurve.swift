/// How a training went: a point per epoch, or more of them where there are few epochs.
package struct TrainingCurve: Sendable, Hashable {
    package struct Point: Sendable, Hashable, Codable {
        /// Optimiser steps taken.
        package var step: Int
        /// Times that every row was seen.
        package var epoch: Double
        /// Mean training loss since the point before.
        package var loss: Double
        /// Loss over the rows held out, with fixed noise; nil where none was taken here.
        package var validation: Double?
        /// The learning rate of the last step.
        package var rate: Double

        package init(step: Int, epoch: Double, loss: Double, validation: Double?, rate: Double) {
            self.step = step
            self.epoch = epoch
            self.loss = loss
            self.validation = validation
            self.rate = rate
        }
    }

    package var points: [Point] = []

    package init(points: [Point] = []) { self.points = points }
}
