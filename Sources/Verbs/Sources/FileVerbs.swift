import Files
import Interpreting
import OpenedModels
import Results
import SourceText
import Tensors

/// Tables from lists and files, and into files.
enum FileVerbs {
    static let all = [items, read, save]

    private static let lists = Slot(
        open: "columns", .lists, isRequired: true,
        "a list, a range, or a tensor, whose first axis makes the rows; a single value stands in every row")

    static let items = VerbDeclaration(
        "items", .sources, "Makes a table from lists: one row per element, numbered from 0 as `item`.",
        input: .none,
        slots: [lists], adds: ["NAME"],
        notes: [
            """
            Tensors in a column `latent` or `embedding` become latents [channels, height, width] and \
            embeddings [tokens, width].
            """
        ],
        columns: .made,
        examples: [
            "items k=20..60:10 fid=317.4,283.021,260.616,234.656,222.27 | table",
            "items text=\"a red dragon\",\"a blue dragon\" guidance=7.5 | table",
        ],
        checks: { use in try Table.refuseItem(among: use.openNames) }
    ) { invocation in
        let lists = invocation[lists]
        try Table.refuseItem(among: lists.map(\.name))
        let count = lists.map(\.values.count).max() ?? 0
        // Each row's recipe names its values.
        try Reckoning.rows(count, columns: 3 * lists.count, hasOwnRecipes: true, of: "items")
        var columns: [Column] = []
        for (name, values) in lists {
            guard values.count == count || values.count == 1 else {
                throw Complaint(
                    .differentLengths, "`\(name)` has \(values.count) values, and another list \(count)",
                    label: "lengths differ", slot: name)
            }
            columns.append(
                Column(
                    name,
                    values.count == count ? values : Array(repeating: values.first ?? .none, count: count)
                ).asLatents)
        }
        return .table(
            Table(
                columns: columns, rowCount: count,
                recipes: (0..<count).map { row in
                    Recipe(
                        RecipeStep(
                            verb: "items", arguments: columns.map { "\($0.name)=\($0.values[row].summary)" }))
                }))
    }

    private static let file = Slot(
        "file", .path, required: .positional,
        "relative to the notebook's folder, at the prompt to the working folder")

    static let read = VerbDeclaration(
        "read", .sources,
        """
        Reads a file: CSV and JSON as a table, \(PictureForm.all.map(\.name).joined(separator: " and ")) \
        as a table with an `image`, safetensors as a table with a tensor column per name.
        """,
        input: .none, slots: [file],
        notes: [
            "Tensors whose first axes differ cannot share rows and come as a record; `r.NAME` picks one.",
            DatasetVerb.transparency,
        ],
        examples: [
            "read results.csv | table", "x = read latents.safetensors; items latent=x.latent | describe",
        ],
        opens: { words, session in words.prefix(1).map { session.access.absolute($0) } },
        checks: { use in
            guard let name = use[file] else { return }
            let path = try use.session.access.reading(name, slot: "file")
            guard readable.contains(fileExtension(name)) else { throw unreadable(name, path) }
            guard use.mayWriteBefore || FileSystem.exists(path) else {
                throw Complaint(
                    .engineFile, "\(name): there is no such file", label: "not found", slot: "file")
            }
        }
    ) { invocation in
        let name = invocation[file]
        let path = try invocation.session.access.reading(name, slot: "file")
        guard FileSystem.exists(path) else { throw EngineError(.file, "there is no such file", place: name) }
        func finished(_ table: Table) -> Value {
            var table = table
            table.set(recipes: (0..<table.rowCount).map { _ in Recipe(invocation.step()) })
            return .table(table)
        }
        switch fileExtension(name) {
        case "csv": return finished(try Table(csvPath: path, place: name))
        case "json": return try value(of: JSON.read(path: path), finished)
        case let ending where pictureEndings.contains(ending):
            let recipe = Recipe(invocation.step())
            let bitmap = try PictureFile.read(path: path)
            return .table(
                Table(
                    columns: [
                        Column("file", texts: [name]),
                        Column("image", [.picture(Picture(bitmap, recipe: recipe))]),
                    ], recipes: [recipe]))
        case "safetensors": return try tensors(path, finished)
        default: throw unreadable(name, path)
        }
    }

    private static let writable = ["csv", "json", "png", "safetensors"]
    private static let readable = ["csv", "json"] + pictureEndings + ["safetensors"]
    private static let pictureEndings = PictureForm.all.flatMap(\.endings)

    private static func unreadable(_ name: String, _ path: String) -> Complaint {
        let ending = fileExtension(name)
        return Complaint(
            .unsupportedFeature,
            ending.isEmpty
                ? "`read` goes by a file's ending, and `\(name)` has none"
                : "`read` does not know files that end in `.\(ending)`",
            label: "not a kind it reads", slot: "file",
            help: FileSystem.isFolder(path)
                ? "a folder of pictures is read by `dataset \(name)`"
                : "it reads " + readable.map { "." + $0 }.joined(separator: " "))
    }

    static func fileExtension(_ path: String) -> String {
        let name = FileSystem.name(of: path)
        guard let point = name.lastIndex(of: "."), point != name.startIndex else { return "" }
        return name[name.index(after: point)...].lowercased()
    }

    private static func tensors(_ path: String, _ finished: (Table) -> Value) throws -> Value {
        let file = try SafetensorsFile(path: path)
        // Whole, and once more in rows.
        let values = file.names.reduce(0) { $0 + (file.entry($1)?.count ?? 0) }
        try MemoryBudget.check(
            MemoryBudget.product([values, 8]), for: "the \(values) numbers of the file",
            cure: "a file with fewer tensors")
        let tensors = try file.names.map { ($0, try file.tensor($0)) }
        let counts = Set(tensors.map { $0.1.shape.first ?? 1 })
        // The only one has no order.
        guard counts.count == 1, let count = counts.first else {
            return .record(Record(fields: tensors.map { ($0.0, .tensor($0.1)) }))
        }
        return finished(
            Table(
                columns: tensors.map { name, tensor in
                    Column(
                        name,
                        tensor.rank == 0
                            ? [.number(Double(tensor.values[0]))] : Resolver.listed(.tensor(tensor))
                    ).asLatents
                }, rowCount: count))
    }

    private static func value(of json: JSON, _ finished: (Table) -> Value) -> Value {
        func plain(_ json: JSON) -> Value {
            if let number = json.double { return .number(number) }
            if let text = json.string { return .text(text) }
            if let truth = json.bool { return .boolean(truth) }
            if let array = json.array { return .list(array.map(plain)) }
            if let object = json.object {
                return .record(Record(fields: json.keys.map { ($0, object[$0].map(plain) ?? .none) }))
            }
            return .none
        }
        guard let array = json.array, !array.isEmpty, array.allSatisfy({ $0.object != nil }) else {
            return plain(json)
        }
        var names: [String] = []
        var known: Set<String> = []
        for row in array { for key in row.keys where known.insert(key).inserted { names.append(key) } }
        return finished(
            Table(
                columns: names.map { name in Column(name, array.map { $0.object?[name].map(plain) ?? .none })
                }, rowCount: array.count))
    }

    // MARK: save

    private static let target = Slot(
        "path", .path, required: .positional,
        "the ending chooses the form: .csv .json .png .safetensors, none for a folder")
    private static let precision = Slot(
        "precision", .choice(["float32", "float16"]), "of a model's weights, if not as they are")

    static let save = VerbDeclaration(
        "save", .sources, "Writes a value to a file or, for a table with pictures or tensors, to a folder.",
        input: .value, asArgument: true,
        slots: [target, precision],
        notes: [
            """
            A folder gets `table.csv`, each picture column as COLUMN-0000.png and so on, each tensor \
            column as COLUMN.safetensors in the layout [row, channels, height, width].
            """,
            """
            A .csv file holds texts as they are, so that `read` gives the same values: a spreadsheet \
            takes a text that begins with = + - or @ for a formula.
            """,
            "A picture carries its recipe in the file.",
            """
            A model becomes the folder that diffusers and transformers load; only another model's folder \
            is written over.
            """,
        ],
        examples: ["items a=1,2 | save out.csv", "t = items a=1,2; save t out/results"], writesFiles: true,
        checks: { use in
            guard let name = use[target] else { return }
            _ = try use.session.access.writing(name, slot: "path")
            try checkForm(of: name, for: use.input)
        }
    ) { invocation in
        let name = invocation[target]
        try checkForm(of: name, for: invocation.input?.kind)
        let path = try invocation.session.access.writing(name, slot: "path")
        guard let value = invocation.input else { return .none }
        if invocation.session.standIns != nil { return .none }
        if invocation.gives(precision), value.kind != .model {
            throw Complaint(
                .wrongInput, "`precision` is for models, and this is \(value.kind.phrase)",
                label: "leave it out", slot: "precision")
        }
        if let partial = value.partial {
            invocation.session.warn("what is saved is not finished: \(partial.message)")
        }
        let ending = fileExtension(name)
        if let folder = writable.contains(ending) ? FileSystem.folder(of: path) : nil {
            try FileSystem.createFolder(folder)
        }
        switch (ending, value) {
        case ("csv", .table(let table)): try AtomicFile.write(table.csv(), to: path)
        case ("json", _): try AtomicFile.write(Saving.json(value).prettyText, to: path)
        case ("png", _): try Saving.write(picture(value, ending), to: path)
        case ("safetensors", _): try Saving.tensors(value, to: path)
        case ("", .table(let table)): try Saving.folder(table, to: path)
        case ("", .model(let handle)):
            try SavedModel.write(handle, half: invocation[precision] == "float16", to: path)
        default: throw unfit(value.kind, ending)
        }
        return .none
    }

    /// Whether the name is one, its ending known, and the kind of value one that such a file holds.
    private static func checkForm(of name: String, for kind: ValueKind?) throws {
        guard !["", ".", ".."].contains(FileSystem.name(of: name)) else {
            throw Complaint(
                .wrongType, "`\(name)` names no file or folder to make", label: "a name is needed",
                slot: "path")
        }
        let ending = fileExtension(name)
        guard ending.isEmpty || writable.contains(ending) else {
            throw Complaint(
                .unsupportedFeature, "`save` does not know files that end in `.\(ending)`",
                label: "not a kind it writes", slot: "path",
                help: "it writes .csv .json .png .safetensors, and tables to folders")
        }
        guard let kind, kind != .none else { return }
        let fits =
            switch ending {
            case "": kind == .table || kind == .model
            case "csv": kind == .table
            case "json": kind != .model && kind != .view
            case "png": [.table, .record, .list, .image].contains(kind)
            default: [.table, .record, .latent, .embedding, .tensor].contains(kind)
            }
        if !fits { throw unfit(kind, ending) }
    }

    private static func picture(_ value: Value, _ ending: String) throws -> Picture {
        if case .picture(let picture) = value { return picture }
        let pictures = Saving.pictures(value)
        guard pictures.count == 1 else {
            throw Complaint(
                .wrongInput, "one picture goes into a .png file, and this has \(pictures.count)",
                label: value.kind.phrase,
                help: pictures.count > 1 ? "a path without an ending makes a folder of them" : nil)
        }
        return pictures[0]
    }

    private static func unfit(_ kind: ValueKind, _ ending: String) -> Complaint {
        Complaint(
            .wrongInput, "\(kind.phrase) cannot be saved as \(ending.isEmpty ? "a folder" : "." + ending)",
            label: kind.phrase, slot: "path")
    }
}

extension Column {
    /// Tensors in columns of these names as what the other verbs expect there.
    var asLatents: Column {
        guard name == "latent" || name == "embedding" else { return self }
        return Column(
            name,
            values.map { value in
                guard case .tensor(let tensor) = value else { return value }
                if name == "latent", tensor.rank == 3 {
                    return .latent(Latent(tensor: tensor, origin: .file))
                }
                if name == "embedding", tensor.rank == 2 { return .embedding(Embedding(states: tensor)) }
                return value
            })
    }
}
