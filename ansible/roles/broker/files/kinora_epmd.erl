%% Where nodes are, without a port mapper: RabbitMQ's nodes listen on the port that -erl_epmd_port says.
%%
%% The interface is that of erl_epmd (Erlang's manual, "How to Implement an Alternative Node Discovery"). All Erlang
%% processes of the service use it, also those that RabbitMQ starts beside itself.
-module(kinora_epmd).

-export([start_link/0, names/0, names/1, register_node/2, register_node/3]).
-export([listen_port_please/2, port_please/2, port_please/3, address_please/3]).

%% The distribution protocol's version, the same since Erlang 23.
-define(VERSION, 6).

start_link() -> ignore.

%% RabbitMQ asks at its start which nodes the host's port mapper knows: none.
names() -> {ok, []}.
names(_Host) -> {ok, []}.

%% -1: the runtime chooses what tells this start of the node from the last one.
register_node(_Name, _Port) -> {ok, -1}.
register_node(_Name, _Port, _Family) -> {ok, -1}.

listen_port_please(Name, _Host) ->
    case to_list(Name) of
        "rabbit" -> {ok, port()};
        %% RabbitMQ starts one of these, now and each minute, for no other end than to bring up a port mapper.
        "epmd-starter" ++ _ -> erlang:halt(0);
        %% Those that only ask other nodes.
        _ -> {ok, 0}
    end.

port_please(_Name, _Host) -> {port, port(), ?VERSION}.
port_please(_Name, _Host, _Timeout) -> {port, port(), ?VERSION}.

address_please(_Name, Host, Family) -> inet:getaddr(Host, Family).

port() ->
    {ok, [[Port | _] | _]} = init:get_argument(erl_epmd_port),
    list_to_integer(Port).

to_list(Name) when is_atom(Name) -> atom_to_list(Name);
to_list(Name) -> Name.
