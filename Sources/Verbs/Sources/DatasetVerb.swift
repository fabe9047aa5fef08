import Datasets
import Files
import Interpreting
import OpenedModels
import Results
import SourceText

/// `dataset`: captioned pictures as a table.
enum DatasetVerb {
    /// What differs from the reference on purpose.
    static let transparency =
        """
        Transparency is drawn on white, and of 16-bit gray the upper 8 bits are taken. PIL's \
        convert("RGB"), with which the scripts of diffusers read pictures, drops transparency instead, \
        so that hidden colours come back, and makes 16-bit gray above 255 white.
        """

    private static let name = Slot(
        "name", .path, required: .positional,
        "`monsters`, a folder with metadata.jsonl or train.json and test.json, or a CSV file"
    ).suggesting { _ in Dataset.builtIn }
    private static let split = Slot("split", .name, "the rows of this part only: train, test").suggesting {
        _ in ["train", "test"]
    }
    private static let size = Slot("size", .whole, in: 1...4096, "pictures of so many pixels a side")
    private static let root = Slot(
        "root", .path, "for `monsters`: a folder that the game packages were extracted to")
    private static let undead = Slot(
        "all", .boolean, default: false,
        "for `monsters`: with the undead copies that share one sentence per kind")

    static let dataset = VerbDeclaration(
        "dataset", .sources, "Gives a data set's rows: `text`, `image`, and what else the source has.",
        input: .none,
        slots: [name, split, size, root, undead],
        adds: ["text", "image"],
        notes: [
            "`monsters` is real data from two Debian packages: apt-get install angband crawl-tiles-data.",
            "Pictures are read when they are first looked at.",
            """
            `size=` brings the shorter side to it (Pillow's bicubic), cuts what the longer one comes to \
            to whole pixels as torchvision and transformers do, and takes the middle, the earlier pixel \
            where it lies between two, as transformers does.
            """,
            transparency,
        ],
        columns: .sourced,
        examples: [
            "test = dataset monsters split=test | first 8",
            "dataset pictures/mine size=64 | grid image labels=text",
        ],
        opens: { words, session in files(words.first, session.access) },
        checks: { use in
            if let name = use[name], !use.mayWriteBefore { _ = try place(name, use.session.access) }
        }
    ) { invocation in
        let name = invocation[name]
        let access = invocation.session.access
        let root = try invocation[root].map { try access.reading($0, slot: "root") }
        let place = try place(name, access)
        if !Dataset.builtIn.contains(name) { invocation.session.readings.noteSource(at: place) }
        let dataset = try Dataset.load(
            place, split: invocation[split], size: invocation[size], root: root,
            all: invocation[undead], base: access.base)
        let recipes = (0..<dataset.count).map { row in
            Recipe(
                invocation.step(
                    remark: "item \(row)"
                        + (dataset.texts.map { ": \(LoadedModel.shortened($0[row]))" } ?? "")))
        }
        let columns = dataset.columns.map { column in
            switch column.values {
            case .text(let texts): Column(column.name, texts: texts)
            case .numbers(let numbers): Column(column.name, numbers.map { $0.isNaN ? .none : .number($0) })
            case .pictures(let pictures):
                Column(
                    column.name,
                    zip(pictures, recipes).map { picture, recipe in
                        .picture(Picture(recipe: recipe) { try picture.bitmap() })
                    })
            }
        }
        return .table(Table(columns: columns, rowCount: dataset.count, recipes: recipes, showsItem: true))
    }

    /// What a data set is read from, as far as it may be read.
    private static func files(_ name: String?, _ access: FileAccess) -> [String] {
        guard let name else { return [] }
        if Dataset.builtIn.contains(name) { return Dataset.files(name) }
        let path = access.absolute(name)
        return [path] + Dataset.files(path).filter { $0 != path && (try? access.reading($0)) != nil }
    }

    /// The name of a data set that is built in, or where the folder or file is.
    private static func place(_ name: String, _ access: FileAccess) throws -> String {
        if Dataset.builtIn.contains(name) { return name }
        let place = try access.reading(name, slot: "name")
        guard FileSystem.exists(place) else {
            throw Complaint(
                .engineData, "there is no data set, folder or file `\(name)`",
                label: Suggestion.question(for: name, in: Dataset.builtIn) ?? "not found",
                slot: "name", help: "built-in data sets: \(Dataset.builtIn.joined(separator: ", "))")
        }
        return place
    }
}
