package import Caching
package import Interpreting
package import Tensors

/// Work that a command does item by item. A use says what identifies an item, what it takes, how a group is
/// computed, and how a value is kept and found. `results(in:)` does what all of them share: it looks up,
/// groups, computes, times, tells how far it is, stops, keeps, counts for the plan, stands in, and gathers
/// the items whose numbers are none. What comes of an item does not depend on its group.
package protocol ItemWork {
    associatedtype Value

    /// What the run's counts and the plan call it: "decode".
    var name: String { get }
    /// What the reader's progress calls it.
    var label: String { get }
    /// Items are numbered from 0.
    var count: Int { get }
    /// Where values are kept; nil where nothing is.
    var store: ItemStore? { get }
    /// Whether another work asks for it, as `denoise` does for its texts: then only what takes time is
    /// counted.
    var isAuxiliary: Bool { get }
    /// Whether it begins although what came before it was stopped, so that the rows of that are finished.
    var finishesStopped: Bool { get }
    /// Whether `compute` itself ends at a second Ctrl-C, because it has something to keep.
    var abandonsItself: Bool { get }

    // MARK: An item

    /// What its value depends on.
    func key(_ item: Int, in store: ItemStore) throws -> ItemKey
    /// The same text for items that have one value in common; nil where that is not known.
    func content(_ item: Int, _ key: ItemKey?) -> String?
    /// How a message names it.
    func place(_ item: Int) -> String
    /// Throws where nothing can be computed of it. The others are finished first.
    func check(_ item: Int) throws
    /// The time that it takes.
    func cost(_ item: Int) -> ItemCost

    // MARK: What is there already

    /// From memory.
    func recall(_ item: Int) -> Value?
    /// Puts what was found or computed into memory.
    func remember(_ values: [(item: Int, value: Value)])
    /// From the cache.
    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) throws -> Value?
    func keep(_ value: Value, of item: Int, _ key: ItemKey, in store: ItemStore) throws

    // MARK: Walks through a program that compute little (`StandIns`)

    /// Whether it depends on what was stood in for.
    func isUnknown(_ item: Int) -> Bool
    /// Whether a walk that computes some items wants this one.
    func isWanted(_ item: Int, _ standIns: StandIns) -> Bool
    /// - Throws: `WorkPlan.Gap` where nothing can stand in.
    func standIn(_ item: Int) throws -> Value

    // MARK: Computing

    /// Whether its numbers are numbers.
    func isSound(_ value: Value) -> Bool
    /// What is wrong with an item whose value is not sound.
    func fault(_ item: Int) -> EngineError
    /// Before any of these is computed: throws where memory would not do.
    func reckon(_ items: [Int]) throws
    /// What goes through the network together.
    func groups(_ items: [Int]) throws -> [[Int]]
    /// A value for each item of a group, nil where its numbers are none.
    func compute(_ group: [Int], _ run: ItemRun) throws -> [Value?]
}

/// What an item takes.
package struct ItemCost {
    /// What its time is proportional to, and how many units of it.
    package var kind: WorkKind
    package var units: Int
    /// Steps of the reader's progress.
    package var steps: Int

    package init(_ kind: WorkKind, units: Int = 1, steps: Int = 1) {
        (self.kind, self.units, self.steps) = (kind, units, steps)
    }
}

extension ItemWork {
    package var label: String { name }
    package var isAuxiliary: Bool { false }
    package var finishesStopped: Bool { true }
    package var abandonsItself: Bool { false }
    package func content(_ item: Int, _ key: ItemKey?) -> String? { key?.digest }
    package func check(_ item: Int) throws {}
    package func recall(_ item: Int) -> Value? { nil }
    package func remember(_ values: [(item: Int, value: Value)]) {}
    package func isUnknown(_ item: Int) -> Bool { false }
    package func isWanted(_ item: Int, _ standIns: StandIns) -> Bool { true }
    package func reckon(_ items: [Int]) throws {}

    package func results(in session: Session) throws -> ItemResults<Value> {
        var pass = ItemPass(self, session)
        return try pass.results()
    }
}
