"""terminado as its own documentation serves it: one shared terminal, no page."""

import sys

import tornado.httpserver
import tornado.ioloop
import tornado.web
from terminado import SingleTermManager, TermSocket

manager = SingleTermManager(shell_command=[sys.argv[1]], term_settings={"cwd": "/"})
server = tornado.httpserver.HTTPServer(
    tornado.web.Application([(r"/websocket", TermSocket, {"term_manager": manager})])
)
server.listen(int(sys.argv[2]), "127.0.0.1")
manager.get_terminal()  # else the program begins with the first viewer
print("ready", flush=True)
tornado.ioloop.IOLoop.current().start()
