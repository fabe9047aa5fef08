import Caching
import Interpreting
import ItemWork
import Results
import Tensors

/// Pictures as a network compares them. What was computed is remembered by the picture itself.
struct PictureFeatures: ItemWork {
    /// The picture is held so that no other one takes its address.
    typealias Value = (picture: Picture, features: [Float])

    let name = "picture features"
    let isAuxiliary = true
    let store: ItemStore?
    private let network: FeatureNetwork
    private let session: Session
    private let naming: ((Int) -> String)?
    /// Each once.
    private let pictures: [Picture]
    /// Of each row, its picture's number.
    private let own: [Int]
    /// Of each picture, its first row.
    private let rows: [Int]

    init(_ wanted: [Picture], _ network: FeatureNetwork, _ session: Session, naming: ((Int) -> String)?)
        throws
    {
        (self.network, self.session, self.naming) = (network, session, naming)
        store = try network.store(session.cache, name)
        var places: [ObjectIdentifier: Int] = [:], pictures: [Picture] = [], rows: [Int] = []
        own = wanted.enumerated().map { row, picture in
            if let place = places[ObjectIdentifier(picture)] { return place }
            places[ObjectIdentifier(picture)] = pictures.count
            pictures.append(picture)
            rows.append(row)
            return pictures.count - 1
        }
        (self.pictures, self.rows) = (pictures, rows)
    }

    /// A row of features for each picture that was asked for.
    func rows(of values: [Value]) -> [[Float]] { own.map { values[$0].features } }

    static func key(of picture: Picture, _ store: ItemStore) throws -> ItemKey {
        let bitmap = try picture.bitmap().onWhite
        return try store.key {
            $0.add("picture", bitmap.samples)
            $0.add("width", bitmap.width)
            $0.add("channels", bitmap.channels)
        }
    }

    var label: String { network.label }
    var count: Int { pictures.count }
    func place(_ item: Int) -> String { naming?(rows[item]) ?? "picture \(rows[item])" }
    func cost(_ item: Int) -> ItemCost { network.cost(name) }

    func key(_ item: Int, in store: ItemStore) throws -> ItemKey { try Self.key(of: pictures[item], store) }

    func recall(_ item: Int) -> Value? { network.pictures[ObjectIdentifier(pictures[item])] }

    func remember(_ values: [(item: Int, value: Value)]) {
        network.pictures.add(
            values.map { item, value in (ObjectIdentifier(pictures[item]), (pictures[item], value.features))
            },
            wanted: Set(pictures.map { ObjectIdentifier($0) }))
    }

    func find(_ item: Int, _ key: ItemKey, in store: ItemStore) -> Value? {
        store.cache.value(key) { (pictures[item], try $0.tensor().values) }
    }

    func keep(_ value: Value, of item: Int, _ key: ItemKey, in store: ItemStore) throws {
        try store.keep(key) { $0.write(Tensor(shape: [value.features.count], values: value.features)) }
    }

    func isUnknown(_ item: Int) -> Bool { pictures[item].isUnknown }

    /// A plan has nothing to go on with; a sample leaves out what is compared with this picture.
    func standIn(_ item: Int) throws -> Value {
        guard session.plan == nil else { throw WorkPlan.Gap() }
        return (pictures[item], Array(repeating: .nan, count: network.width))
    }

    func isSound(_ value: Value) -> Bool { value.features.allSatisfy(\.isFinite) }
    func fault(_ item: Int) -> EngineError { network.fault("picture") }

    func groups(_ items: [Int]) -> [[Int]] { Batches.of(items, size: network.pictureBatch) }

    func compute(_ group: [Int], _ run: ItemRun) throws -> [Value?] {
        let features = try network.compute(group.map { try pictures[$0].bitmap().onWhite })
        return group.enumerated().map { (pictures[$1], features[$0].values) }
    }
}
