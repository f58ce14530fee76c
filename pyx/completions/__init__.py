"""What Tab completes behind `pyx` in bash, zsh and fish.

    command_words      the commands and options of pyx, as its parsers have them
    next_word          what may stand at the end of a line
    completion_cli     `pyx completion`: the scripts of the shells, and their question at each Tab

A script asks `pyx completion` at each Tab, so it knows the options of the pyx that is installed, and never an
older one's.  Never imported but by the command line.
"""
