// Pages of the codes that come up while a program runs: values, the engine, notebooks; and the warnings.

extension DiagnosticCode {
    var runPage: DiagnosticPage {
        switch self {
        case .wrongOperands:
            DiagnosticPage(
                "the operator does not work on these",
                """
                Arithmetic works on numbers, number columns, tensors, latents and pictures; comparison \
                on values of one type.
                """,
                example: "x = \"a\" * 2", cure: "convert one side, or name the column that was meant.")
        case .differentLengths:
            DiagnosticPage(
                "different lengths",
                "Columns, lists or tensors that meet row by row must be equally long or of one shape.",
                example: "t = items k=1,2,3 fid=300,280",
                cure: "make them equally long, or give a single value for all rows.")
        case .noStepsLeft:
            DiagnosticPage(
                "no steps are left", "The latents have gone through all steps of their schedule.",
                example: "a | noise of=70 | denoise | denoise",
                cure: "begin again with `noise`, or stop earlier with `denoise steps=35`.")
        case .latentWithoutSchedule:
            DiagnosticPage(
                "the latent has no schedule",
                """
                `denoise` and `step` go on from the place at which `noise` put a latent; arithmetic over \
                latents or `encode` gives one without such a place.
                """,
                example: "test | encode image | denoise",
                cure: "put `noise K of=N` before it (`noise 0 of=70` adds none).")
        case .otherModel:
            DiagnosticPage(
                "made by another model", "The shapes of the value and of the model's part differ.",
                example: "latents | decode using=(other)",
                cure: "use the model that made it, or encode again.")
        case .partialValue:
            DiagnosticPage(
                "the value is not finished",
                "It was stopped before all rows were made; what is computed over all rows is missing.",
                example: "expect (mean(runs.clip) > 0.2)",
                cure: "run the same line again: it goes on where it stopped.")
        case .emptyTable:
            DiagnosticPage(
                "the table has no rows", "The verb needs at least one row.",
                example: "none_left = items text=\"a\" | where (item > 5); \"a\" | retrieve none_left",
                cure: "look at the step before: `describe` shows how many rows there are.")
        case .engineFile:
            DiagnosticPage(
                "a file cannot be used", "The file is missing, or cannot be read or written.",
                example: "model = load models/nowhere",
                cure: """
                    check the path; paths are relative to the notebook's folder, at the prompt to the \
                    working folder.
                    """)
        case .engineFormat:
            DiagnosticPage(
                "a file is damaged or of another kind",
                "The content is not what the file's name promises, or it ends too soon.",
                example: "read text-named.png", cure: "get the file again, or give it the right ending.")
        case .engineWeights:
            DiagnosticPage(
                "the weights do not fit the configuration",
                """
                Names are missing or of another shape; the message lists them, and with them what is \
                there unused.
                """,
                example: "model = load models/half-copied",
                cure: "use the config.json that belongs to the weights.")
        case .engineConfiguration:
            DiagnosticPage(
                "the configuration cannot be used",
                "A key of a config.json is missing, or its value is out of range or unknown.",
                example: "model = load models/edited", cure: "restore the key that the message names.")
        case .engineUnsupported:
            DiagnosticPage(
                "not supported", "The file asks for something that exists elsewhere but not here.",
                example: "model = load models/sdxl", cure: "the message names what is supported.")
        case .engineShape:
            DiagnosticPage(
                "a shape does not fit", "A picture or tensor has other sizes than the operation needs.",
                example: "items latent=(read small.safetensors) | decode",
                cure: "the message says which sizes were expected and found.")
        case .engineText:
            DiagnosticPage(
                "the text cannot be used",
                """
                The text has a character that cannot be kept, such as a zero character in a picture's \
                recipe.
                """,
                example: "pictures | save out.png", cure: "take the character out of the text.")
        case .engineSchedule:
            DiagnosticPage(
                "the schedule does not have that",
                "More steps were asked for than the schedule has, or a step that is not in it.",
                example: "test | noise of=2000",
                cure: "use at most as many steps as the model was trained with.")
        case .engineData:
            DiagnosticPage(
                "data is missing", "The data set is not on this machine.",
                example: "dataset monsters", cure: "install what the message names.")
        case .engineMemory:
            DiagnosticPage(
                "not enough memory",
                """
                The operation would need more memory than is free: on the machine, in its control group, \
                or under the limit of the process (`ulimit -v`). What takes much is reckoned before it \
                is taken, and the message has both numbers; a text ends at 64 MB.
                """,
                example: "a = items k=1..100000 | with x=1; a | join a on=x as=b",
                cure: "use smaller pictures or fewer items at once.")
        case .engineTraining:
            DiagnosticPage(
                "the training diverged",
                """
                A loss or a gradient is no longer a number, the loss is a thousand times what it was, or \
                more than half of what was learnt is lost again; the last checkpoint is kept.
                """,
                example: "model | fit unet on=train rate=100",
                cure: "a smaller `rate=`, a longer `warmup=`, or `norm=1`.")
        case .engineNumbers:
            DiagnosticPage(
                "numbers that are none",
                """
                A latent, an embedding, a picture or a score holds NaN or infinity, and what follows \
                from it would look like a result. The note names the item and the step; the other items \
                are finished and kept.
                """,
                example: "model = load models/damaged; \"a\" | noise of=4 | denoise",
                cure: """
                    look at the weights and at what flowed in; weights in half precision may overflow where \
                    `precision=float32` does not.
                    """)
        case .interrupted:
            DiagnosticPage(
                "stopped", "The run was stopped with Ctrl-C. What was finished is kept.",
                example: "test | noise of=70 | denoise",
                cure: "run the same line again: it goes on where it stopped.")
        case .notReadable:
            DiagnosticPage(
                "the path may not be read",
                """
                A notebook or script reads below its project's folder (the nearest one with `.git`, else \
                its own), installed game data, folders of models, and what --allow-read names; a link \
                that leads elsewhere is not followed, nor what a file of data names there. The prompt \
                with a notebook open has the notebook's rights, `:allow FOLDER` widens them; without one \
                it has yours.
                """,
                example: "read /etc/results.csv",
                cure: "put the file into the project, or run with `--allow-read FOLDER`.")
        case .notWritable:
            DiagnosticPage(
                "the path may not be written",
                """
                A notebook or script writes below its own folder, and what --allow-write names; links \
                that lead out of it are not followed. The prompt with a notebook open has the notebook's \
                rights, `:allow FOLDER` widens them; without one it has yours.
                """,
                example: "items a=1 | save /tmp/results.csv",
                cure: "choose a place beside the notebook, or run with `--allow-write FOLDER`.")
        case .expectationFailed:
            DiagnosticPage(
                "an expectation does not hold", "The condition of `expect` is not true, so the run fails.",
                example: "expect (1 > 2) \"one is more than two\"",
                cure: "find out why; `claim` records a verdict without failing.")
        case .paramOutside:
            DiagnosticPage(
                "the param cannot take the value",
                """
                `param NAME = VALUE in RANGE` says which values make sense, and the kind of its default \
                how text from outside is read: a number, yes or no, a text, or a list of these with \
                commas between.
                """,
                example: "noisebook run a.md guidance=500",
                cure: "choose a value within the range, written as the message says.")
        case .expectedFailure:
            DiagnosticPage(
                "the cell should have failed", "A cell with the flag `raises` ran without an error.",
                example: "```noise raises", cure: "remove the flag, or restore what made it fail.")
        case .promptTooLong:
            DiagnosticPage(
                "the prompt is cut off",
                "The text encoder takes a limited number of tokens; the message shows what is left out.",
                example: "\"a description of a hundred words ...\" | noise of=70 | denoise",
                cure: "shorten the text.")
        case .latentOfOtherModel:
            DiagnosticPage(
                "a latent of another model",
                "The shapes fit, but another model made the latent, so the picture may be wrong.",
                example: "latents | decode using=(other)", cure: "use the model that made it.")
        case .fewPictures:
            DiagnosticPage(
                "a distance between few pictures",
                """
                A Fréchet distance grows the fewer pictures it is measured on: FID is usually given for \
                10,000 or more, and below 2,000 its bias outweighs most differences. Figures of unequal \
                numbers of pictures cannot be compared at all.
                """,
                example: "pictures | score fd_clip against=train",
                cure: """
                    compare figures of equal `n` only, beside that of real pictures; `kid` and `mmd_clip` \
                    have no such bias.
                    """)
        case .separateStatement:
            DiagnosticPage(
                "an option on a line of its own",
                """
                A new line begins a new statement, so `NAME=VALUE` there makes a variable, although the \
                command above has an option of that name.
                """,
                example: "test | noise of=70\n  seed=3",
                cure: """
                    end the line above with `\\` to go on, or move the assignment to the margin if a \
                    variable is meant.
                    """)
        case .almostCell:
            DiagnosticPage(
                "a fence that is almost a cell",
                """
                The cells of a notebook are fences at the margin (at most three spaces before them), \
                outside of lists and quotes, whose first word is `noise`; a label and flags follow, with \
                spaces between. Anything else is prose and does not run.
                """,
                example: "```{noise} sweep",
                cure: """
                    write the first line as the message says, or another word in place of `noise` if it \
                    should not run.
                    """)
        case .orphanOutput:
            DiagnosticPage(
                "an output without a cell",
                """
                `<!-- out -->` to `<!-- /out -->` is the output of the cell directly before it. What \
                stands elsewhere belongs to none, and no run renews it: its cell was removed, or \
                something was written between the two.
                """,
                example: "<!-- out -->",
                cure: "`noisebook run FILE.md --write` removes it and writes the cells' outputs behind them.")
        case .unusedWeights:
            DiagnosticPage(
                "weights that nothing uses",
                """
                A weight file holds tensors that the network of its config.json does not have. They are \
                left alone, as in the reference; where they are many, the configuration may be another \
                network's.
                """,
                example: "model = load models/with-extras",
                cure: "see whether config.json and the weights belong together; else nothing.")
        case .sharedSeeds:
            DiagnosticPage(
                "points of a sweep share random numbers",
                """
                Item i draws from seed + i, so that it can be made again alone. Where the seeds of a \
                sweep are closer than there are items, an item at one point draws what another draws at \
                the next: the points look independent and are not.
                """,
                example: "sweep seed=1,2 { test | noise of=70 seed=(seed) | denoise }",
                cure:
                    """
                    `sweep repeat=2 { test | noise of=70 | denoise }` gives each point seeds of its own; \
                    seeds of your own must be as far apart as there are items: `seed=0,1000`.
                    """
            )
        default: preconditionFailure("no run page for \(rawValue)")
        }
    }
}
