%% Erlang beside pyx: the same cases.  `-run bench server` is asked, `-run bench client GROUP SECS CASE,CASE` asks.
%% Each prints lines for the parent; both end when their standard input, a pipe of the parent, is closed.
-module(bench).
-compile([export_all, nowarn_export_all]).

server() ->
    guard(),
    io:format("READY ~s~n", [os:getpid()]).

guard() -> spawn(fun() -> io:get_line(""), erlang:halt(0, [{flush, false}]) end).

client([Group, Secs, Cases]) ->
    guard(),
    Server = list_to_atom(os:getenv("BENCH_SERVER")),
    pong = net_adm:ping(Server),
    put(pids, [os:getpid(), rpc:call(Server, os, getpid, [])]),
    io:format("USES OTP ~s~n", [erlang:system_info(otp_release)]),
    Wanted = string:tokens(Cases, ","),
    put(wanted, Wanted),
    [report(Names, Fun) || {Names, Fun} <- cases(Group, Server, list_to_float(Secs)), lists:any(fun(N) -> lists:member(atom_to_list(N), Wanted) end, Names)],
    erlang:halt(0, [{flush, true}]).

report(Names, Fun) ->
    try [io:format("RESULT {\"case\": \"~s\", ~s}~n", [Name, fields(Fields)]) || {Name, Fields} <- Fun()]
    catch _:Why -> [io:format("RESULT {\"case\": \"~s\", \"error\": \"~w\"}~n", [N, Why]) || N <- Names]
    end.

fields(Fields) -> lists:join(", ", [io_lib:format("\"~s\": ~s", [K, number(V)]) || {K, V} <- Fields]).
number(V) when is_float(V) -> io_lib:format("~f", [V]);
number(V) -> integer_to_list(V).

one(Name, Fun) -> {[Name], fun() -> [{Name, Fun()}] end}.

%% ---------------------------------------------------------------- what the server runs

add(A, B) -> A + B.
echo() -> receive {From, M} -> From ! M, echo() end.
sink(From, 0) -> From ! done;
sink(From, N) -> receive _ -> sink(From, N - 1) end.
measure_size(From) -> receive B -> From ! byte_size(B), measure_size(From) end.
idle() -> receive stop -> ok end.
answer_once(From) -> receive _ -> From ! got end.
start(Fun, Args) -> spawn(?MODULE, Fun, Args).
start_many(Fun, N, Args) -> [spawn(?MODULE, Fun, Args) || _ <- lists:seq(1, N)].
started(Server, Fun, Args) -> rpc:call(Server, ?MODULE, start, [Fun, Args]).

%% ---------------------------------------------------------------- samples

ns() -> erlang:monotonic_time(nanosecond).
seconds(Fun) -> A = ns(), Fun(), (ns() - A) / 1.0e9.

costs() -> lists:foldl(fun(Pid, {C, S}) -> {C1, S1} = costs(Pid), {C + C1, S + S1} end, {0, 0}, get(pids)).
costs(Pid) ->
    Dir = "/proc/" ++ Pid ++ "/task/",
    Tasks = case file:list_dir(Dir) of {ok, L} -> L; _ -> [] end,
    lists:foldl(fun(T, {C, S}) -> {C + first(content(Dir ++ T ++ "/schedstat")), S + switches(content(Dir ++ T ++ "/status"))} end, {0, 0}, Tasks).
content(File) ->
    case file:open(File, [read, raw]) of
        {ok, H} -> R = file:read(H, 4000), file:close(H), case R of {ok, S} -> S; _ -> "0" end;
        _ -> "0"
    end.
first(S) -> list_to_integer(hd(string:tokens(S, " \n"))).
switches(S) ->
    Lines = [string:tokens(L, ":\t ") || L <- string:tokens(S, "\n")],
    lists:sum([list_to_integer(N) || [K, N] <- Lines, K =:= "voluntary_ctxt_switches" orelse K =:= "nonvoluntary_ctxt_switches"]).
each({0, _}, _, _) -> [];
each({C1, S1}, {C0, S0}, N) -> [{cpu, (C1 - C0) / N / 1000}, {switches, (S1 - S0) / N}].

sample(Fun, Secs) -> sample(Fun, Secs, 1).
sample(Fun, Secs, Per) ->
    [Fun() || _ <- lists:seq(1, 500 div Per + 3)],
    Before = costs(),
    Times = times(Fun, ns() + trunc(Secs * 1.0e9), [], 60000),
    After = costs(),
    N = length(Times),
    quantiles(Times, Per) ++ each(After, Before, N * Per).
times(_, _, Times, 0) -> Times;
times(Fun, End, Times, Left) ->
    A = ns(), Fun(), B = ns(),
    if B > End -> [B - A | Times]; true -> times(Fun, End, [B - A | Times], Left - 1) end.
quantiles(Unsorted, Per) ->
    T = lists:sort(Unsorted), N = length(T),
    [{value, lists:nth(N div 2 + 1, T) / 1000 / Per}, {p99, lists:nth(min(N, N * 99 div 100 + 1), T) / 1000 / Per}, {samples, N}].
batched(Fun, Secs) -> sample(fun() -> [Fun() || _ <- lists:seq(1, 100)] end, Secs, 100).

%% Flood does N operations and returns the seconds that took.
rate(Flood, Secs, Least) ->
    Flood(Least),
    N = max(Least, min(2000000, trunc(Least / Flood(Least) * Secs))),
    Before = costs(),
    S = Flood(N),
    [{value, N / S}, {samples, N}] ++ each(costs(), Before, N).

%% ---------------------------------------------------------------- the cases

cases("latency", Server, Secs) ->
    [one(rpc, fun() -> sample(fun() -> 3 = rpc:call(Server, ?MODULE, add, [1, 2]) end, Secs) end),
     one(erpc, fun() -> sample(fun() -> 3 = erpc:call(Server, ?MODULE, add, [1, 2]) end, Secs) end),
     one(message, fun() -> messages(Server, 1, Secs) end)];
cases("sizes", Server, Secs) ->
    [one(Name, fun() -> messages(Server, binary:copy(<<7>>, N), Secs) end) || {Name, N} <- numbers()];
cases("oneway", Server, Secs) ->
    K1 = binary:copy(<<7>>, 1024), K64 = binary:copy(<<7>>, 65536),
    [one(oneway_tuple, fun() -> flooded(Server, fun(X) -> {add, 1, X band 63} end, Secs) end),
     one(oneway_dict, fun() -> flooded(Server, fun dict/1, Secs) end),
     one(oneway_1k, fun() -> flooded(Server, fun(_) -> K1 end, Secs) end),
     one(oneway_64k, fun() -> flooded(Server, fun(_) -> K64 end, Secs) end),
     one(ten_senders, fun() -> by_senders(Server, 10, Secs) end)];
cases("senders", Server, Secs) ->
    [one(Name, fun() -> by_senders(Server, N, Secs) end) || {Name, N} <- numbers()];
cases("payload", Server, Secs) ->
    [one(payload_1m, fun() -> payload(Server, 1 bsl 20, 3, Secs) end),
     one(payload_64m, fun() -> payload(Server, 64 bsl 20, 1, Secs) end)];
cases("local", _, Secs) ->
    Me = self(),
    Idle = spawn(fun idle/0),
    [one(local, fun() -> P = spawn(fun echo/0), batched(fun() -> P ! {Me, 1}, receive 1 -> ok end end, Secs) end),
     one(local_oneway, fun() -> rate(fun(N) -> P = spawn(?MODULE, sink, [Me, N]), seconds(fun() -> blast(P, fun dict/1, N), receive done -> ok end end) end, Secs, 1000) end),
     one(by_reference_100k, fun() -> with_waiting(100000, fun() -> batched(fun() -> R = make_ref(), self() ! {mine, R}, receive {mine, R} -> ok end end, Secs / 2) end) end),
     one(scan_1k, fun() -> with_waiting(1000, fun() -> scanned(Secs / 2) end) end),
     one(scan_100k, fun() -> with_waiting(100000, fun() -> scanned(Secs / 2) end) end),
     one(process_info, fun() -> batched(fun() -> erlang:process_info(Idle) end, Secs / 2) end),
     one(process_info_key, fun() -> batched(fun() -> erlang:process_info(Idle, message_queue_len) end, Secs / 2) end)];
cases("mailbox", _, _) ->
    [one(Name, fun() -> with_waiting(N, fun() -> scanned(0.4) end) end) || {Name, N} <- numbers()];
cases("processes", Server, _) ->
    Me = self(),
    [{[spawn, memory], fun spawned/0},
     {[monitor_remote, down_remote], fun() -> watched(Server) end},
     one(broadcast_local, fun() -> told(start_many(answer_once, 1000, [Me])) end),
     one(broadcast_remote, fun() -> told(rpc:call(Server, ?MODULE, start_many, [answer_once, 1000, [Me]])) end)];
cases("disturbed", Server, _) ->
    [{[disturbed_p50, disturbed_p99], fun() -> disturbed(Server) end}].

%% The wanted cases of a curve, with the number in their names.
numbers() -> [{list_to_atom(Name), list_to_integer(lists:last(string:tokens(Name, "_")))} || Name <- get(wanted)].
dict(X) -> {add, #{name => <<"nike">>, qty => X band 63}}.
blast(_, _, 0) -> ok;
blast(P, F, N) -> P ! F(N), blast(P, F, N - 1).

messages(Server, Content, Secs) ->
    P = started(Server, echo, []), Me = self(),
    R = sample(fun() -> P ! {Me, Content}, receive Content -> ok end end, Secs),
    exit(P, kill), R.

flooded(Server, F, Secs) ->
    rate(fun(N) -> P = started(Server, sink, [self(), N]), seconds(fun() -> blast(P, F, N), receive done -> ok end end) end, Secs, 500).

by_senders(Server, Senders, Secs) ->
    Me = self(),
    rate(fun(N) ->
        Each = max(1, N div Senders),
        P = started(Server, sink, [Me, Each * Senders]),
        Qs = [spawn(fun() -> receive go -> blast(P, fun dict/1, Each) end end) || _ <- lists:seq(1, Senders)],
        seconds(fun() -> [Q ! go || Q <- Qs], receive done -> ok end end) * N / (Each * Senders) end, Secs, 1000).

payload(Server, Size, Least, Secs) ->
    P = started(Server, measure_size, [self()]), B = binary:copy(<<7>>, Size),
    [{value, V} | Rest] = rate(fun(N) -> seconds(fun() -> [begin P ! B, receive Size -> ok end end || _ <- lists:seq(1, N)] end) end, Secs, Least),
    exit(P, kill),
    [{value, V * Size / 1.0e6} | Rest].

%% Runs Fun in a process of its own whose mailbox has N other messages.
with_waiting(N, Fun) ->
    Me = self(), Pids = get(pids),
    spawn(fun() -> put(pids, Pids), [self() ! {other, X} || X <- lists:seq(1, N)], Me ! {measured, Fun()} end),
    receive {measured, R} -> R end.
scanned(Secs) -> sample(fun() -> self() ! {mine, 1}, receive {mine, 1} -> ok end end, Secs).

spawned() ->
    Me = self(), N = 100000, M0 = erlang:memory(total), A = ns(),
    Ps = [spawn(fun() -> receive stop -> Me ! done end end) || _ <- lists:seq(1, N)],
    S = (ns() - A) / 1.0e9, M = erlang:memory(total) - M0,
    [P ! stop || P <- Ps], [receive done -> ok end || _ <- Ps],
    [{spawn, [{value, N / S}, {samples, N}]}, {memory, [{value, M / N}, {samples, N}]}].

watched(Server) ->
    K = 10000, P = started(Server, idle, []),
    T1 = seconds(fun() -> [erlang:monitor(process, P) || _ <- lists:seq(1, K)], rpc:call(Server, erlang, process_info, [P, status]) end),
    T2 = seconds(fun() -> exit(P, kill), [receive {'DOWN', _, _, _, _} -> ok end || _ <- lists:seq(1, K)] end),
    [{monitor_remote, [{value, K / T1}, {samples, K}]}, {down_remote, [{value, K / T2}, {samples, K}]}].

told(Ps) ->
    S = seconds(fun() -> [P ! hello || P <- Ps], [receive got -> ok end || _ <- Ps] end),
    [{value, length(Ps) / S}, {samples, length(Ps)}].

disturbed(Server) ->
    [rpc:call(Server, ?MODULE, add, [1, 2]) || _ <- lists:seq(1, 200)],
    Me = self(), B = binary:copy(<<7>>, 1 bsl 20),
    spawn(fun() -> P = started(Server, sink, [self(), 300]), [P ! B || _ <- lists:seq(1, 300)], receive done -> Me ! over end end),
    T = calls(Server, []),
    [{value, P50}, {p99, P99}, {samples, N}] = quantiles(T, 1),
    [{disturbed_p50, [{value, P50}, {samples, N}]}, {disturbed_p99, [{value, P99}, {samples, N}]}].
calls(Server, Times) ->
    receive over -> Times
    after 0 -> A = ns(), 3 = rpc:call(Server, ?MODULE, add, [1, 2]), calls(Server, [ns() - A | Times])
    end.
