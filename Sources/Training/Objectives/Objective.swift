package import Autodiff
package import Tensors

/// What a training minimises: a mean over rows, and how to draw what is random about it.
package protocol Objective: AnyObject {
    var parameters: Parameters { get }
    /// Rows to learn from; those held out are not among them.
    var rowCount: Int { get }
    /// Whether the loss is a sum over rows, so that a batch can be worked off in pieces. A contrastive loss
    /// is not.
    var isSumOfRows: Bool { get }

    /// The mean loss of `rows`, whose gradient times `scale` is added to the parameters' gradients.
    func learn(_ rows: [BatchRow], scale: Float) throws -> Double

    /// Rows that a validation looks at.
    var validationCount: Int { get }

    /// The mean loss over rows held out, the same draw each time; nil where none are.
    func validate() throws -> Double?
}

/// One row of a batch as the objective sees it.
package struct BatchRow: Sendable {
    /// Among the rows to learn from.
    package var row: Int
    /// Its place in the batch, and how many the batch has.
    package var place: Int
    package var count: Int
    /// Whether the caption is replaced by the empty text.
    package var isEmpty: Bool
    /// Of this row in this step alone, so that neither the pieces of a batch nor an interruption change a
    /// number.
    package var generator: Generator

    package init(row: Int, place: Int, count: Int, isEmpty: Bool, generator: Generator) {
        self.row = row
        self.place = place
        self.count = count
        self.isEmpty = isEmpty
        self.generator = generator
    }
}
