[N || Q <- rabbit_amqqueue:list(<<"kinora">>), amqqueue:get_type(Q) =:= rabbit_quorum_queue,
      {resource, _, queue, N} <- [amqqueue:get_name(Q)], Told <- [rabbit_quorum_queue:info(Q, [members, online])],
      lists:member(node(), proplists:get_value(members, Told)), not lists:member(node(), proplists:get_value(online, Told))].
