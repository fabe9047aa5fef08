// Pages of the codes that the static check gives: verbs, arguments, names, columns.

extension DiagnosticCode {
    var bindingPage: DiagnosticPage {
        switch self {
        case .unknownVerb:
            DiagnosticPage(
                "unknown verb", "The first word of a command must be a verb, or the name of a `def` above.",
                example: "a | denois", cure: "`help` lists the verbs.")
        case .unknownOption:
            DiagnosticPage(
                "the verb has no such option", "Each verb declares its options; `help VERB` shows them.",
                example: "test | noise 20 off=70",
                cure: "use the option that is suggested, or look at the usage line.")
        case .missingArgument:
            DiagnosticPage(
                "a required argument is missing", "The verb cannot run without it.",
                example: "test | noise 20", cure: "add it as the usage line shows: `noise 20 of=70`.")
        case .tooManyArguments:
            DiagnosticPage(
                "too many arguments", "The verb takes fewer values without a name than the command has.",
                example: "test | first 3 4", cure: "remove it, or give it the name of its option.")
        case .repeatedName:
            DiagnosticPage(
                "given twice",
                "An option, a field of a record or an argument of a definition appears more than once.",
                example: "test | noise of=70 of=50", cure: "keep one of them.")
        case .wrongType:
            DiagnosticPage(
                "a value of the wrong type", "The argument's slot takes another type of value.",
                example: "test | noise of=\"many\"", cure: "give a value of the type that the message names.")
        case .outOfRange:
            DiagnosticPage(
                "the value is out of range",
                "The slot declares the smallest and largest value that make sense.",
                example: "test | noise 80 of=70",
                cure: "choose a value within the range that the message names.")
        case .unknownChoice:
            DiagnosticPage(
                "not one of the choices", "The slot takes one of a few names.",
                example: "test | noise of=70 scheduler=ddmi",
                cure: "use one of the names listed; a variable goes in brackets: `scheduler=(s)`.")
        case .unknownName:
            DiagnosticPage(
                "unknown name",
                "There is no variable of this name above, and no such column where columns count.",
                example: "x = guidence + 1",
                cure: "define it above, or correct the spelling; text needs double quotes.")
        case .unknownFunction:
            DiagnosticPage(
                "unknown function",
                "Functions are min max mean sum sqrt exp log abs round length if falling rising difference.",
                example: "x = cosine(3)",
                cure: "use one of them; a verb is written as a command, not with brackets.")
        case .missingInput:
            DiagnosticPage(
                "the verb needs an input",
                "It works on what comes before the |, or on the block's `it`, and there is nothing.",
                example: "denoise guidance=7", cure: "put a table before it: `a | denoise guidance=7`.")
        case .missingColumn:
            DiagnosticPage(
                "a column is missing", "The verb reads a column that its input does not have.",
                example: "test | denoise",
                cure: "put the verb before it that makes the column: `noise` makes `latent`.")
        case .columnExists:
            DiagnosticPage(
                "the column exists already",
                "Only with, noise, denoise, predict and step replace their column; others would hide data.",
                example: "test | retrieve train | retrieve train", cure: "name the new column with `as=`.")
        case .wrongInput:
            DiagnosticPage(
                "the verb does not work on this", "Most verbs work on a table; this input is something else.",
                example: "model | decode",
                cure: "give it a table, a list of strings, or what the message names.")
        case .unknownField:
            DiagnosticPage(
                "no such field",
                "After a point comes a column of a table, a field of a record, of a model or of a measure.",
                example: "model.paramters", cure: "use one of the fields that the message lists.")
        case .indexOutside:
            DiagnosticPage(
                "the index is outside", "Rows and items count from 0.",
                example: "test[999]", cure: "use an index below the length that the message names.")
        case .missingModel:
            DiagnosticPage(
                "no model is loaded", "Verbs use the model in the variable `model`.",
                example: "test | noise of=70", cure: "put `model = load monsters` above.")
        case .unsupportedFeature:
            DiagnosticPage(
                "not supported", "This exists in other programs, but not here.",
                example: "model = load sdxl",
                cure: "see the README for the kinds of model that are supported.")
        case .unquotedName:
            DiagnosticPage(
                "a name that is no variable", "In a list of values a word is a variable; text is quoted.",
                example: "sweep s=pndm,ddim { test | noise of=10 scheduler=(s) }",
                cure: "quote it: `s=\"pndm\",\"ddim\"`.")
        default: preconditionFailure("no binding page for \(rawValue)")
        }
    }
}
