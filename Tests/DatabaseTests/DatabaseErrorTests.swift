import Database
import Testing
