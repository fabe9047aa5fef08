/// What is no verb and yet a word of the language, with its page of help.
package enum LanguageForm {
    package static let all: [(name: String, page: String)] = [
        (
            "def",
            """
            usage: def NAME [ARGUMENT ...] { ... }

            Makes a verb of your own. Inside, `it` is what flows in, the arguments are variables, and the notebook's variables and the \
            definitions above it are there; the last statement's value is the result. A definition cannot call itself.

            examples:
              def redraw n { encode image | noise n of=70 | denoise | decode }
              test | redraw 40 | grid image,generated
            """
        ),
        (
            "param",
            """
            usage: param NAME = VALUE [in VALUES]

            Declares a variable whose value can come from outside: `noisebook run FILE NAME=VALUE`; with several values, commas between them, a notebook \
            runs once for each. `in` says which are allowed: a range or a list. A parameter cannot be assigned again.

            examples:
              param steps = 70 in 1..1000
              param guidance = 2.5,5,7.5
            """
        ),
        ("it", "`it` is what flows into a block: in `{ ... }` of `sweep` and `loop` the table, in a definition what its caller pipes in."),
        ("item", "`item` is the number of a row in its source. It follows the row through every verb, and seeds and caches go by it."),
        (
            "model",
            "`model` is the variable that verbs take their network from: `model = load monsters`. `using=` names another for one verb."
        ),
        (
            "functions",
            "functions of expressions:\n\n" + Function.allCases.map { "  \($0.usage): \($0.summary)" }.joined(separator: "\n")
        ),
    ]
}
