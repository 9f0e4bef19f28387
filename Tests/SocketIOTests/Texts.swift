import SocketIO

/// The bytes of a text.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The handshake as the server of the cloud sends it.
let handshake =
  #"0{"sid":"q4JO","upgrades":[],"pingTimeout":20000,"pingInterval":25000,"maxPayload":1000000}"#

extension SocketIOSession.Action {
  /// The event, where it is one.
  var event: SocketIOEvent? { if case .event(let event) = self { event } else { nil } }
  /// The end, where it is one.
  var closure: SocketIOClosure? { if case .end(let closure) = self { closure } else { nil } }
}
