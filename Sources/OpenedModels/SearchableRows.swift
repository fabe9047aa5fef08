import Caching
import Files
import Interpreting
import ItemWork
import Results
import Retrieval
import Tensors

/// What a table is searched by. Of more rows than a network remembers, the features are computed and kept
/// block by block, and laid into one mapped file, so that they need not fit into memory.
extension FeatureNetwork {
    package func searchable(_ texts: [String], _ session: Session, naming: ((Int) -> String)? = nil) throws
        -> EmbeddingRows
    {
        guard texts.count > most, let store = try store(session.cache, "text features of a table") else {
            return try EmbeddingRows(features(of: texts, session, naming: naming))
        }
        return try laidOut(texts, store, session, naming, batch: Batches.texts) { part, key in
            for text in part { add(text, to: &key) }
        } compute: {
            try self.compute($0)
        }
    }

    package func searchable(_ pictures: [Picture], _ session: Session, naming: ((Int) -> String)? = nil)
        throws -> EmbeddingRows
    {
        guard pictures.count > most, let store = try store(session.cache, "picture features of a table")
        else {
            return try EmbeddingRows(features(of: pictures, session, naming: naming))
        }
        return try laidOut(pictures, store, session, naming, batch: pictureBatch) { part, key in
            for picture in part { key.add("picture", try PictureFeatures.key(of: picture, store).digest) }
        } compute: {
            try self.compute($0.map { try $0.bitmap().onWhite })
        }
    }

    private func laidOut<Row>(
        _ rows: [Row], _ store: ItemStore, _ session: Session, _ naming: ((Int) -> String)?, batch: Int,
        addTo: (ArraySlice<Row>, inout ItemKeyBuilder) throws -> Void,
        compute: @escaping ([Row]) throws -> Tensor
    ) throws -> EmbeddingRows {
        let blocks = try Batches.ranges(count: rows.count, size: min(most, 1_024)).map { range in
            FeatureBlock(
                rows, range, self, store, key: try store.key { try addTo(rows[range], &$0) }, batch: batch,
                naming: naming,
                features: compute)
        }
        if session.plan != nil { try FeatureBlock.plan(blocks, session) }
        func features(_ block: FeatureBlock<Row>) throws -> Tensor {
            try block.results(in: session).whole("block")[0]
        }
        let whole = try store.key { builder in for block in blocks { builder.add("block", block.key.digest) }
        }
        let head = Safetensors.head("rows", shape: [rows.count, width])
        let kept = try store.cache.file(whole, byteCount: head.count + rows.count * width * 4) { sink in
            try sink.write(head)
            for block in blocks {
                let block = try features(block)
                try block.withUnsafePointer {
                    try sink.write(UnsafeRawBufferPointer(start: $0, count: block.count * 4))
                }
            }
        }
        // What cannot be kept lies in memory.
        guard let kept else { return try EmbeddingRows(Tensor.concatenated(blocks.map(features))) }
        return try EmbeddingRows(file: SafetensorsFile(path: kept), name: "rows")
    }
}
