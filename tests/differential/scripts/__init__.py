"""One scripted session a module: `play(session)`. Each is played on a broker of its own."""
