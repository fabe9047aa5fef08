/// How a value came to be: the verb with its resolved arguments, and the recipes of what went into it. Values that share a past
/// share the objects, so that a recipe per row costs one reference per row.
package final class Recipe: Sendable {
    package let step: RecipeStep
    /// The row that flowed in first, then whatever else was read (a neighbour, the other side of a join).
    package let inputs: [Recipe]

    package init(_ step: RecipeStep, of inputs: [Recipe] = []) {
        self.step = step
        self.inputs = inputs
    }

    package convenience init(verb: String) { self.init(RecipeStep(verb: verb)) }

    /// The pipeline in the language, one verb a line; other inputs stand indented below the verb that read them.
    package var lines: [String] {
        var main: [Recipe] = []
        var next: Recipe? = self
        while let recipe = next {
            main.append(recipe)
            next = recipe.inputs.first
        }
        var lines: [String] = []
        for (position, recipe) in main.reversed().enumerated() {
            lines.append((position == 0 ? "" : "  | ") + recipe.step.description)
            for other in recipe.inputs.dropFirst() {
                lines += other.lines.map { "      " + $0 }
            }
        }
        return lines
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
