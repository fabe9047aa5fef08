/// How a value came to be: the verb with its resolved arguments, and the recipes of what went into it. Values
/// that share a past share the objects, so that a recipe per row costs one reference per row.
///
/// A loop of 60,000 turns makes a chain of so many recipes: nothing here goes along one by recursion, not
/// even its release.
package final class Recipe: Sendable {
    package let step: RecipeStep
    /// The row that flowed in first, then whatever else was read (a neighbour, the other side of a join).
    package var inputs: [Recipe] { past }
    /// Unsafe only by name: written in `init` and in releases, when one thread is left that has a reference.
    private nonisolated(unsafe) var past: [Recipe]

    package init(_ step: RecipeStep, of inputs: [Recipe] = []) {
        self.step = step
        past = inputs
    }

    package convenience init(verb: String) { self.init(RecipeStep(verb: verb)) }

    /// What nobody else refers to is taken apart first, so that its own release finds nothing to go on to.
    deinit {
        guard !past.isEmpty else { return }
        var pending = past
        past = []
        while var recipe = pending.popLast() {
            guard isKnownUniquelyReferenced(&recipe) else { continue }
            pending += recipe.past
            recipe.past = []
        }
    }

    /// More than anybody reads.
    private static let mostLines = 2_000
    private static let longest = 1_000
    private static let deepest = 24

    /// The pipeline in the language, one verb a line; other inputs stand indented below the verb that read
    /// them. What is too long loses its beginning, and inputs of inputs beyond a depth are left out: joined
    /// in a loop they would double with each turn.
    package var lines: [String] {
        var lines: [String] = []
        /// Of each pipeline that is begun: what is to be written, the last verb first.
        var begun = [Self.pipeline(to: self)]
        while let verb = begun[begun.count - 1].popLast() {
            let indent = String(repeating: " ", count: 6 * (begun.count - 1))
            if lines.count == Self.mostLines {
                lines.append(indent + "...")
                break
            }
            switch verb {
            case .left(let count): lines.append(indent + "# \(count) verbs before are left out")
            case .first(let recipe): lines.append(indent + recipe.step.description)
            case .next(let recipe): lines.append(indent + "  | " + recipe.step.description)
            case .other(let recipe):
                if begun.count < Self.deepest {
                    begun.append(Self.pipeline(to: recipe))
                } else {
                    lines.append(indent + "      ...")
                }
            }
            while begun.count > 1, begun[begun.count - 1].isEmpty { begun.removeLast() }
        }
        return lines
    }

    private enum Line {
        case left(Int)
        case first(Recipe)
        case next(Recipe)
        case other(Recipe)
    }

    /// The lines of a pipeline in reverse order.
    private static func pipeline(to last: Recipe) -> [Line] {
        var reversed: [Line] = []
        var next: Recipe? = last
        var count = 0
        while let recipe = next {
            next = recipe.past.first
            count += 1
            guard count <= longest else { continue }
            for other in recipe.past.dropFirst().reversed() { reversed.append(.other(other)) }
            reversed.append(next == nil ? .first(recipe) : .next(recipe))
        }
        if count > longest { reversed.append(.left(count - longest)) }
        return reversed
    }
}

/// One verb of a recipe.
package struct RecipeStep: Sendable, CustomStringConvertible {
    package var verb: String
    /// As written in the language: "of=70", "guidance=7.5"; defaults that matter to the result are included.
    package var arguments: [String]
    /// What the arguments do not say: the item, the mode that was used, the model's digest.
    package var remark: String?

    package init(verb: String, arguments: [String] = [], remark: String? = nil) {
        self.verb = verb
        self.arguments = arguments
        self.remark = remark
    }

    package var description: String {
        ([verb] + arguments).joined(separator: " ") + (remark.map { "    # \($0)" } ?? "")
    }
}
