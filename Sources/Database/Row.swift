/// One row of a result, read by the number of the column, from 0. Of use only inside the closure that it is given to.
package struct Row {
  let statement: Statement

  /// Whether it is NULL.
  package func isNull(_ column: Int32) -> Bool { statement.isNull(column) }
  /// An integer; 0 for NULL.
  package func integer(_ column: Int32) -> Int64 { statement.integer(column) }
  /// A number; 0 for NULL.
  package func real(_ column: Int32) -> Double { statement.real(column) }
  /// A text; empty for NULL; what is not UTF-8 is replaced.
  package func text(_ column: Int32) -> String {
    String(decoding: statement.bytes(column), as: UTF8.self)
  }
  /// Bytes; nil for NULL.
  package func blob(_ column: Int32) -> [UInt8]? {
    statement.isNull(column) ? nil : statement.bytes(column)
  }
}
