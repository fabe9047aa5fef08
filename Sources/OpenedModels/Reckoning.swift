import Interpreting
import Models
import Results
import Tensors

/// What the verbs are about to take of memory, each reckoned before it is taken (`MemoryBudget`): only what
/// is surely there at once is counted.
package enum Reckoning {
    /// A recipe that stands for one row: the object, its verb and the list of what went into it.
    private static let bytesPerRecipe = 128

    /// Of a table that is made of others: per row an item, a recipe and a reference per column.
    /// - Parameters:
    ///   - fresh: how many values each row has that are made for it.
    ///   - hasOwnRecipes: whether recipes are made for it too.
    package static func rows(
        _ count: Int, columns: Int, fresh: Int = 0, hasOwnRecipes: Bool = false, of verb: String
    ) throws {
        let row = 16 + 8 * columns + fresh * MemoryBudget.bytesPerValue + (hasOwnRecipes ? bytesPerRecipe : 0)
        try MemoryBudget.check(
            MemoryBudget.product([count, row]),
            for: "a table of \(counted(count, "row")) and \(counted(columns, "column")) by `\(verb)`",
            cure: "fewer rows at a time")
    }

    /// Tables one below the other.
    package static func stack(_ tables: [Table], of verb: String) throws {
        // In any order: a set of names.
        let names = Set(tables.flatMap { $0.columns.map(\.name) })
        try rows(tables.reduce(0) { MemoryBudget.sum($0, $1.rowCount) }, columns: names.count, of: verb)
    }

    /// Tensors of one shape, such as the latents of a table.
    package static func tensors(_ count: Int, _ shape: [Int], _ noun: String) throws {
        try MemoryBudget.check(
            floats: shape, times: count, for: "\(counted(count, noun)) of \(shape.shapeText)",
            cure: "fewer rows at a time, or smaller pictures")
    }

    /// "1 row", "2 rows".
    package static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    /// How many items go through a network together: so many as the user says, or else as are usual and fit;
    /// what comes of them does not depend on it.
    /// - Parameter bytes: what a network holds at once, at least, for one item.
    /// - Throws: where not even one fits.
    package static func batch(given: Int?, usual: Int, bytes: Int, _ verb: String, _ shape: [Int]) throws
        -> Int
    {
        let size = given ?? usual
        func check(_ count: Int) throws {
            try MemoryBudget.check(
                MemoryBudget.product([count, bytes]),
                for: "`\(verb)` of \(count == 1 ? "" : "\(count) times ")\(shape.shapeText)",
                cure: count == 1 ? "smaller pictures" : "a smaller batch: `:set batch 1`, or `--batch 1`")
        }
        do {
            try check(size)
            return size
        } catch {
            try check(1)
            // Activations, packed inputs and results beside what is reckoned.
            guard given == nil else { throw error }
            return max(1, min(size, MemoryBudget.available / max(1, 3 * bytes)))
        }
    }
}

extension Invocation {
    /// What a verb's column takes that an expression computes row by row, from its first value on.
    package func reckonColumn(_ name: String, _ first: Value, rows: Int) throws {
        let bytes: Int
        switch first {
        case .tensor(let tensor): bytes = 4 * tensor.count
        case .latent(let latent): bytes = 4 * latent.tensor.count
        case .embedding(let embedding): bytes = 4 * embedding.states.count
        case .text(let text): bytes = text.utf8.count + MemoryBudget.bytesPerValue
        case .list:
            bytes = MemoryBudget.product([
                Nesting.count(first, upTo: Nesting.mostElements), MemoryBudget.bytesPerValue,
            ])
        default: bytes = MemoryBudget.bytesPerValue
        }
        // A value that all rows share takes nothing more; whether they do is not known, so only what no
        // machine can do without it is refused.
        try MemoryBudget.check(
            MemoryBudget.product([rows - 1, bytes]),
            for: "the column `\(name)` of \(rows) rows by `\(verb.name)`", cure: "fewer rows at a time")
    }
}

extension LoadedModel {
    /// Rows of latents of a shape that the UNet predicts for together.
    /// - Parameter prompts: how many each row looks at.
    package func predictionBatch(of rows: Int, _ shape: [Int], _ prompts: Int, _ invocation: Invocation)
        throws -> Int
    {
        let unet = model.unet
        // What is only planned is not computed.
        guard invocation.session.plan == nil, shape.count == 3 else { return unet.usualBatch }
        let bytes = MemoryBudget.product([
            prompts, unet.configuration.leastBytes(height: shape[1], width: shape[2]),
        ])
        let given = invocation.session.settings.batch.map { min($0, rows) }
        return max(
            1,
            try Reckoning.batch(
                given: given, usual: min(rows, unet.usualBatch), bytes: bytes, invocation.verb.name, shape))
    }
}
