import Caching
import Results

/// What lasts between programs: variables, settings, who may read and write where, and what verbs keep
/// (opened models).
package final class Session {
    package struct Settings: Sendable {
        /// Items that are denoised together at most.
        /// Nil: as many as suit the network.
        package var batch: Int?
        /// Cores that the engine may use; 0 means all.
        package var threads = 0
        /// Added to every seed that is not written out.
        package var seed = 0

        package init() {}
    }

    package let verbs: VerbRegistry
    package var settings = Settings()
    package var access: FileAccess
    package let cancellation = Cancellation()
    package var progress: any Progress = NoProgress()
    /// The notebook's or prompt's variables.
    package let globals = Scope()
    /// Values of `param` set from outside; they win over the program's defaults.
    package var parameters: [String: String] = [:]
    /// Warnings since the program began, shown after the statement that caused them.
    package private(set) var warnings: [String] = []
    /// Whether `_` means the last value: at the prompt, not in a file.
    package var keepsLast = false
    /// Whether items may be taken from the item cache and put there; `bench` and `time` clear it while their
    /// block runs.
    package var usesCache = true
    /// Set while a program is walked through without computing all of it.
    package var standIns: StandIns?
    /// Where verbs count what they would compute, set while nothing that takes long is computed.
    package var plan: WorkPlan? { standIns.flatMap { $0.computesNothing ? $0.plan : nil } }
    /// The pictures that were decoded, in order, where somebody wants to know.
    package var trace: PictureTrace?
    /// Added to all seeds inside a sweep's second, third, ... repeat.
    package var seedOffset = 0
    /// The files that programs read.
    package let readings = RunReadings()
    /// What verbs keep between uses, by their own keys.
    package var store: [String: AnyObject] = [:]
    /// Values of single items computed before; nil where nothing is kept. Results are the same with and
    /// without it.
    package var cache: ItemCache? {
        get { usesCache ? itemCache : nil }
        set { itemCache = newValue }
    }
    private var itemCache: ItemCache?
    /// The verbs that `def` has made.
    var definitions: [String: Definition] = [:]
    /// The statements that the variables come from, the last first.
    package internal(set) var origins: [String: [String]] = [:]
    /// The variables that `param` has declared.
    var declaredParameters: Set<String> = []
    /// How many definitions are running, one inside the other.
    var depth = 0
    /// The last values, newest first; kept when `keepsLast` is set.
    package internal(set) var last: [Value] = []
    /// Of each of the last values, what it was made from that is not finished.
    var lastOrigins: [Table.Partial?] = []
    /// Set once a value was read that is not finished, or that was made from one.
    private(set) var unfinished: Table.Partial?

    package init(verbs: VerbRegistry, access: FileAccess) {
        self.verbs = verbs
        self.access = access
    }

    /// One computation of the engine, which a second Ctrl-C abandons.
    package func abandonable<R>(_ body: () throws -> R) throws -> R { try cancellation.abandonable(body) }

    package func warn(_ message: String) {
        guard !warnings.contains(message) else { return }
        warnings.append(message)
    }

    /// Forgets all variables and definitions; what verbs keep stays.
    package func reset() {
        globals.removeAll()
        definitions = [:]
        origins = [:]
        declaredParameters = []
        last = []
        lastOrigins = []
        warnings = []
    }

    /// A session with the same variables, settings and cache, in which something can be tried: this one stays
    /// as it is.
    package func copy() -> Session {
        let copy = Session(verbs: verbs, access: access)
        copy.settings = settings
        copy.parameters = parameters
        copy.keepsLast = keepsLast
        copy.cache = cache
        copy.definitions = definitions
        copy.origins = origins
        copy.declaredParameters = declaredParameters
        (copy.last, copy.lastOrigins) = (last, lastOrigins)
        for name in globals.ownNames {
            if let value = globals[name] { copy.globals.set(name, value, from: globals.unfinished(name)) }
        }
        return copy
    }

    /// Notes that a value was read, where that is not finished.
    func noteReading(_ partial: Table.Partial?) { unfinished = unfinished ?? partial }

    /// What `body` read that is not finished: that its result derives from something partial. It counts for
    /// what is around it, too.
    func watchingReads<R>(_ body: () throws -> R) rethrows -> (R, Table.Partial?) {
        let before = unfinished
        unfinished = nil
        defer { unfinished = before ?? unfinished }
        let result = try body()
        return (result, unfinished)
    }

    /// The warnings since the last call.
    package func takeWarnings() -> [String] {
        defer { warnings = [] }
        return warnings
    }
}
