import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport

/// A hub on paper, of either generation, to the letter: what is fetched is forgotten, unless it is told to repeat itself.
final class PaperHub: Sendable {
  struct State {
    var commands: [JSONValue] = []
    var repeatsForEver = false
    var updates: [JSONObject] = []
    var files: [JSONValue] = []
    var marked: [String] = []
    var pictures = 0
    var underWay = 0
    var mostUnderWay = 0
    var page: JSONObject = [:]
    var answer: (@Sendable (HTTPRequest) -> HTTPResponse?)?
  }
  let state = Guarded(State())

  func queue(_ texts: String...) {
    state.withLock { $0.commands += texts.map { JSONValue.of($0) } }
  }

  var updates: [JSONObject] { state.withLock { $0.updates } }

  /// The newest result of each command that updates told of.
  var results: [String: JSONValue] {
    var results: [String: JSONValue] = [:]
    for update in updates {
      for result in update["command_results"]?.array ?? [] {
        if let id = result["id"]?.string { results[id] = result }
      }
    }
    return results
  }

  var script: ScriptedTransport.Script {
    { [self] (request, _) async throws(NetworkError) in
      state.withLock { state in
        state.underWay += 1
        state.mostUnderWay = max(state.mostUnderWay, state.underWay)
      }
      defer { state.withLock { $0.underWay -= 1 } }
      return respond(to: request)
    }
  }

  private func respond(to request: HTTPRequest) -> HTTPResponse {
    if let answer = state.withLock({ $0.answer }), let response = answer(request) {
      return response
    }
    let query = URLParts(request.url)?.query ?? ""
    let name = request.path.split(separator: "/").last.map(String.init) ?? ""
    switch (request.method, name) {
    case ("POST", "api.php"), ("POST", "update.php"):
      guard let body = request.json.object else {
        return .json(200, "{\"success\":false,\"message\":\"Datos inv\\u00e1lidos\"}")
      }
      state.withLock { $0.updates.append(body) }
      return .json(200, "{\"success\":true,\"message\":\"OK\",\"printer_id\":\"1\"}")
    case ("GET", "api.php") where query.contains("get_commands"), ("GET", "commands.php"):
      let commands = state.withLock { state in
        defer { if !state.repeatsForEver { state.commands = [] } }
        return state.commands
      }
      let list = String(decoding: JSONValue.array(commands).serialized(), as: UTF8.self)
      return .json(200, "{\"success\":true,\"message\":\"OK\",\"commands\":\(list)}")
    case ("GET", "api.php") where query.contains("get_printer_by_token"):
      let page = state.withLock { $0.page }
      let text = String(decoding: JSONValue.object(page).serialized(), as: UTF8.self)
      return .json(200, "{\"success\":true,\"message\":\"OK\",\"printer\":\(text)}")
    case ("POST", "upload_image.php"):
      let number = state.withLock { state in
        state.pictures += 1
        return state.pictures
      }
      return .json(
        200, "{\"success\":true,\"image_url\":\"printer_images\\/TOK.jpg?t=\(number)\"}")
    case ("GET", "api_files.php") where query.contains("list_files"),
      ("GET", "files.php") where query.contains("list_files"):
      let files = state.withLock { $0.files }
      let list = String(decoding: JSONValue.array(files).serialized(), as: UTF8.self)
      return .json(200, "{\"success\":true,\"message\":\"OK\",\"files\":\(list)}")
    case ("POST", "api_files.php"), ("POST", "files.php"):
      let body = request.json
      state.withLock { $0.marked.append(body["file"]?.string ?? "") }
      return .json(200, "{\"success\":true,\"message\":\"OK\"}")
    default: return .json(200, "{\"success\":false,\"message\":\"Acci\\u00f3n no v\\u00e1lida\"}")
    }
  }
}
