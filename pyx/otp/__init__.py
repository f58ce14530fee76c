"""`pyx.otp`: OTP's behaviours on processes of pyx: servers, supervisors, tasks, agents, registries, groups.

Written on the public modules, and on `runtime` where they wait.  Never imported: the shell, sockets, and
`pyx.aio`, which finds the awaitable twins by their names; and no module of `otp` is imported before a program
or a prompt names one of its classes.

    protocol               the messages of calls, casts, replies and system requests, as OTP's
    call_errors            the exceptions of a call that has no reply
    server_calls           the client side of servers: call, cast, reply, stop
    call_request           a call whose reply is fetched later
    multi_calls            calls and casts of the servers of one name on several nodes
    call_failures          the outcome of a call as its caller gets it
    awaitable_servers      the awaitable twins of `GenServer`
    starting               starts of processes that say when they are ready (OTP's proc_lib)
    start_errors           why a process did not start
    key_registry           `Registry`: keys of processes of this node, with values
    pg                     groups of processes that all visible nodes see
    awaitable_keys         `aio.Registry`, `aio.pg`: the awaitable twins of their starts
    named_spaces           the spaces of registries and scopes: their names, keys and starts
    space_owner            the process of a space
    key_errors             refusals of registries and groups
    genserver              `GenServer`, the class
    handle                 decorators: methods become handlers, and their classes' client functions
    client_functions       those functions
    handler_signatures     requests of decorated methods: from arguments, and back
    handler_table          the handlers of one class
    handler_results        what a handler may return beside a reply
    results                the same as type checkers see it
    server_loop            the loop of a server
    served_object          what the loop knows of the user's object
    running_server         one server: its object, its process, and what its loop does next
    server_replies         replies of servers
    system_requests        what every server answers to OTP's `sys`
    server_sys             `Sys`, which asks
    awaitable_sys          `aio.Sys`
    planned_ends           which ends of processes are planned
    crash_reports          what the log says about a server that ended
    server_harness         a server's object without a process, for tests
    tested_processes       processes of a test, and those that it has left
    pytest_fixtures        pytest's fixtures for tests of servers
    via                    names that a registry keeps, wherever the name of a process is taken
    remote_work            what a request asks a process to run, and the policy on that for peers
    task                   `Task`: the data and the functions
    task_process           the process of a task, and what its owner has of it
    task_waits             what the owner waits for: await, yield, shutdown and their relatives
    task_stream            a task for each item, a few at a time
    stream_window          how many tasks of a stream run, and which result is next
    task_children          what a task supervisor starts when it is asked for a task
    supervised_tasks       tasks under a supervisor, as their owners ask for them
    task_errors            why a task has no result for the process that asks
    agent                  `Agent`: what its clients ask for
    agent_server           the server of an agent
    awaitable_agents       `aio.Agent`
    awaitable_tasks        `aio.Task`
    children               child specifications
    child_errors           the refusals of supervisors
    child_work             what a supervisor keeps to start a child again, and how a child is asked for
    child_processes        how the processes of children are started and stopped
    supervision_steps      what the decisions of a supervisor are made of
    restart_intensity      how many restarts a supervisor bears
    restarts               the decisions of a supervisor
    dynamic_restarts       the decisions of a dynamic supervisor
    supervision_reports    the log lines of supervisors
    supervision_tree       `Supervisor.tree`
    supervisor_process     the process of a supervisor
    supervisor_server      what a supervisor does in its process
    supervisor_requests    what is asked of a supervisor
    supervisor             `Supervisor`
    dynamic_supervisor     `DynamicSupervisor`
    partition_supervisor   `PartitionSupervisor`
    application            `Application`
    application_callbacks  the code of an application, called as it starts and stops
    application_errors     why an application was not started or stopped
    awaitable_supervisors  `aio.Supervisor` and its relatives
"""
