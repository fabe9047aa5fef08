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

            Text from outside is read by the kind of the default: a number; yes or no; a text as it is, or in double quotes where it has commas or spaces at \
            its ends; a list as its items with commas between, `ks=3,4` or `ks=20..60:10`, without brackets. A text that names a file as seen from the \
            working folder means that file. A value that the text gives anyway changes nothing; any other is not the notebook's own, so `--write` then \
            needs `-o OTHER.md`, a copy in which `param NAME = VALUE` says what was given.

            examples:
              param steps = 70 in 1..1000
              param guidance = 2.5,5,7.5
            """
        ),
        (
            "it",
            """
            `it` is what flows into a block: in `{ ... }` of `sweep` and `loop` the table, in a definition \
            what its caller pipes in.
            """
        ),
        (
            "item",
            """
            `item` is the number of a row in its source. It follows the row through every verb, and seeds \
            and caches go by it.
            """
        ),
        (
            "model",
            """
            `model` is the variable that verbs take their network from: `model = load monsters`. \
            `using=` names another for one verb.
            """
        ),
        (
            "notebook",
            """
            A notebook is a Markdown file, NAME.md or NAME.markdown. Its cells are the fences whose first word is `noise`:

              ```noise LABEL FLAG ...

            The label is for people, for `--only` and for FILE.lock; a cell goes by its number from 1 as well. Flags are `hide` (runs, shows nothing), `skip` \
            (does not run), `volatile` (is not compared by `verify`), `raises` (must fail; the error is its output) and `tol(COLUMN=0.5)`, a tolerance of \
            `verify`. Fences inside lists, quotes and comments, and those with four columns of space before them, are prose and do not run; `check` says how \
            many cells there are and warns of fences that are almost cells. A cell has to be text in UTF-8; prose is kept to the byte.

            `run --write` puts each cell's output between `<!-- out -->` and `<!-- /out -->` directly behind it, pictures and long tables into NAME.out, and \
            what the outputs were made from into NAME.lock, all beside the file itself where the notebook is reached by a link. An output that stands behind \
            no cell is named by `check`, `status` and `verify`, and removed by `run --write`. `render` marks outputs that are not of their cells as they \
            stand, and shows raw HTML as the text that it is. Lines of YAML in front between `---` and `---` are not shown; their `title:` is the title of a page. A lock with a merge conflict is made \
            anew by `run --write`; text about conflicts stands in a fence.

            `-o` writes over what it wrote before, and over nothing else unless --force is given. `--allow-read FOLDER` and `--allow-write FOLDER` let a notebook \
            read outside of its project and write outside of its own folder, in every command that opens what it names.
            """
        ),
        (
            "json",
            """
            With --json every command writes its results and errors to standard output, an object a line, each with a `kind`: result, check, status, \
            plan, cell and verify, orphan, removed, accept, render, stopped; error and warning. Values are numbers with all digits, texts, true and false, null for what \
            is missing; infinities and what is no number stand as text.

            Errors and warnings have one shape in all commands:

              kind       error or warning; `severity` is the same
              code       E021, say, as in `help E021`; usage for a wrong command line, stale for what `render` marks, left-out
                         for what it does not put into a page
              message    one sentence
              help       what to do, a list of texts
              notes      what else is known, a list of texts
              file       where a file is known, and with it line; errors of programs have column, endLine, endColumn, offset, length, label, cell and
                         related too
              variant    the values of params, where several were given and one failed: "k=3"
            """
        ),
        (
            "functions",
            "functions of expressions:\n\n"
                + Function.allCases.map { "  \($0.usage): \($0.summary)" }.joined(separator: "\n")
        ),
    ]
}
