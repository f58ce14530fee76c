%% Plays the worlds of `test_restarts_in_erlang.py` with OTP's own supervisor, and prints what happened.
%%
%%     erl -noshell -run erlang_supervisor main WORLDS
-module(erlang_supervisor).
-export([main/1, init/1, start/1]).

main([File]) ->
    logger:set_primary_config(level, none),
    {ok, Worlds} = file:consult(File),
    [world(World) || World <- Worlds],
    halt(0).

world({Strategy, Most, Auto, Children, Events}) ->
    io:format("world~n"),
    process_flag(trap_exit, true),
    ets:new(fails, [named_table, public]),
    ets:insert(fails, {boss, self()}),
    Flags = #{strategy => Strategy, intensity => Most, period => 1000, auto_shutdown => Auto},
    {ok, Sup} = supervisor:start_link(?MODULE, {Flags, [spec(Child) || Child <- Children]}),
    show(),
    [event(Sup, Event) || Event <- Events],
    case is_process_alive(Sup) of
        true ->
            Listed = [io_lib:format(" ~p ~s", [Id, state(Pid)])
                      || {Id, Pid, _, _} <- supervisor:which_children(Sup)],
            io:format("listed~s~n", [Listed]),
            gen_server:stop(Sup);
        false ->
            io:format("dead~n")
    end,
    flush(),
    ets:delete(fails).

init(Init) -> {ok, Init}.

spec({Id, Restart, Significant}) ->
    #{id => Id, start => {?MODULE, start, [Id]}, restart => Restart, significant => Significant}.

state(Pid) when is_pid(Pid) -> "runs";
state(Other) -> atom_to_list(Other).

%% ---------------------------------------------------------------- children

start(Id) ->
    [{boss, Boss}] = ets:lookup(fails, boss),
    case ets:lookup(fails, Id) of
        [{Id, N, What}] when N > 0 ->
            ets:insert(fails, {Id, N - 1, What}),
            Boss ! {said, "failed", Id},
            case What of
                ignore -> ignore;
                cannot -> {error, cannot}
            end;
        _ ->
            Boss ! {said, "start", Id},
            Sup = self(),
            Pid = spawn_link(fun() -> process_flag(trap_exit, true), Sup ! {ready, self()}, child(Id, Boss) end),
            receive {ready, Pid} -> {ok, Pid} end
    end.

child(Id, Boss) ->
    receive
        {crash, Reason} -> exit(Reason);
        {'EXIT', _, Reason} -> Boss ! {said, "stop", Id}, exit(Reason)
    end.

%% ---------------------------------------------------------------- events

event(Sup, Event) ->
    case is_process_alive(Sup) of
        true -> alive(Sup, Event), settle(Sup), show();
        false -> ok
    end.

alive(Sup, {crash, Id, Reason}) ->
    case lists:keyfind(Id, 1, supervisor:which_children(Sup)) of
        {Id, Pid, _, _} when is_pid(Pid) ->
            Ref = monitor(process, Pid),
            Pid ! {crash, Reason},
            receive {'DOWN', Ref, _, _, _} -> ok end;
        _ -> ok
    end;
alive(_, {fails, Id, N, What}) -> ets:insert(fails, {Id, N, What});
alive(Sup, {terminate, Id}) -> said(supervisor:terminate_child(Sup, Id));
alive(Sup, {restart, Id}) -> said(supervisor:restart_child(Sup, Id));
alive(Sup, {delete, Id}) -> said(supervisor:delete_child(Sup, Id));
alive(Sup, {add, Child}) -> said(supervisor:start_child(Sup, spec(Child))).

said(Result) -> self() ! {said, "result", word(Result)}.

word(ok) -> ok;
word({ok, undefined}) -> ignored;
word({ok, _}) -> ok;
word({error, {already_started, _}}) -> already_started;
word({error, {cannot, _}}) -> cannot;
word({error, {bad_combination, _}}) -> bad_combination;
word({error, Word}) -> Word.

%% The supervisor has looked at all that is there, and no restart is pending.
settle(Sup) ->
    try supervisor:which_children(Sup) of
        Children ->
            case [Id || {Id, restarting, _, _} <- Children] of
                [] -> ok;
                _ -> settle(Sup)
            end
    catch exit:_ -> ok
    end.

show() ->
    receive {said, What, Id} -> io:format("~s ~p~n", [What, Id]), show()
    after 0 -> ok
    end.

flush() -> receive _ -> flush() after 0 -> ok end.
