"""Runs user code: threads, tasks, their end, their output.  It does not know the node.

    context           the current process, and what this thread is in the middle of
    thread_state      what a thread is in the middle of: a kernel call, a wait, a process
    runner            what runs one process: its gate, its slot to wait on
    slots             what a thread sleeps on until it is woken
    reading_waits     waits of a thread that reads meanwhile what its node receives
    threads           `def` processes: a plain function on a thread
    thread_pool       warm threads
    tasks             `async def` processes on the process loop, and the tasks they leave behind
    loop_thread       a thread with an event loop, and the slot of a coroutine
    private_loops     the event loop that a `def` process runs itself
    gate              a dead process does not act: every primitive raises
    thread_kill       ProcessKilled in a thread that calls no primitive, in user code only
    exception_table   which `try` and `with` blocks are around an instruction
    interruptible_gate    the gate of an evaluation, which Ctrl-C closes for a moment
    evaluation_interrupt  Ctrl-C for an evaluation on a thread of its own
    kill_retry        the dead processes whose code still runs, and when each kill is repeated
    interrupts        Ctrl-C and the program's own signal handlers, outside of pyx only
    user_code         whether a frame runs the user's code, or a library's
    stdout_router     sys.stdout to the group leader of the process that prints
    leader_stdout     sys.stdout of a program while remote shells are attached
    console_writer    queued lines on their way to a console
    stream_proxy      a whole text stream before a standard one
    line_buffer       what one process printed and has not handed over
    node_log          the logger `pyx.node`: a loop's lines are written by another thread
    stacks            the frames of all threads
    debugger          Python's debugger without the frames of pyx
    syntax_trees      the syntax tree of a text, on any thread
    tracebacks        tracebacks with the user's frames only
    foreign_syntax    what may have been meant by a line of IPython or Elixir
    suggestions       what may have been meant by a name that does not exist

Never imported here: `runtime` and the packages above it.
"""
