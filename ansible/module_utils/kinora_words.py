"""The words that may stay in a log message that leaves the installation; everything else is left out (kinora_clean.py).

Those of our own programs' messages and of the engines', as they are written: a name that looks like one of them begins with a capital and is not kept.
Names of people, places or works do not belong here, nor words that only titles have.
"""

WORDS = frozenset("""
a abandoned abort aborted aborting above accepted accepting accepts access account acknowledged acquire acquired action active add added address advert advertisement
after again agree alarm alarms alert Alertmanager alerts alive all allocate allocated already AMQP an and anew another answer answered answering any appended applied
applying archive archived archiver archiving are argument arguments as asked assertion at attempt attempting attempts audit authenticate authenticated authentication
authorisation authority authorization auto automatic available away back backend backlog BACKUP bad base basebackup be because become becoming before began begins begun
behind being below between bind block blocked blocks bootstrap both boundary broadcast broke broken broker buffer buffers built by bytes cache call cancel cancelled
cancelling candidate cannot capacity caught cause certificate certificates chain change changed changes channel channels check checked checking checkpoint checks checksum
checksums child chosen clean cleaned cleanup clear client clients clock close closed closes closing cluster code cold come command commands commit committed committing
compact compacted compaction complete completed compressed conf config configuration configured confined confirm confirmed conflict connect connected connecting
connection connections consensus consistent Consumed consumer consumers CONTEXT control coordinator copy copying core corrupt corrupted could count counted CPU crashed
create created creating credential credentials current cut daemon damaged data database databases Deactivated deactivated dead deadline deadlock deadlocked death DEBUG
debug declared deep default defrag delay delayed delete deleted deleting delivered delivery demote demoted demoting denied dependency depends DETAIL detected device dial
did different directories directory disabled discarded disconnect disconnected disk disks does doing done DOWN down DRAIN drain drained drop dropped due dump duplicate
duration during early elected election elections else empty enable enabled encountered encrypted end ended ending endpoint ends enough enter entered entering entries
entry environment epoch erased ERROR errors establish established etcd even event events every exceed exceeded except exchange exclusive executed executing exit exited
exiting exits expect expected expire expired expiring extra factor fail Failed failed failing failover failsafe failure failures fallback false fast FATAL fatal FAULT
fence fetch fetched fetching few FFmpeg fields figures file files filesystem filter find Finished first flags flat flush flushed follow followed follower following
follows for forced forcing forever fork format found free fresh from frontend full further gap garbage gave generation get getting given giving goes gone good goodbye got
graceful gracefully group grow guard had half halted handed handing handled handler handshake HAProxy hard has have HDR heartbeat heartbeats held here high HINT history
hit hold holder holding host hosts hot hour hours HTTP HTTPS identifier identity idle ignored image important in inactive incomplete inconsistent increase index INFO
initial initialisation initialise initialised initialization initialize initialized initializing inner inode input insert inspect install installed instance instead
intact integrity interface internal interrupt interrupted interval invalid IO is issue issued it its job jobs join joined joining journal JSON judged just keep keepalive
Keepalived keepalived keeping keeps kept kernel key keys kill killed killing kind know known knows lack lag lagging large last late latency later latest leader leaders
leadership leading leads learner lease least leave leaves leaving left less level life limit limited limits link list listen listener listener's listeners listening live
load loaded loading local locate lock locked locks LOG log logged logical logout logs long longer look looked looking lookup loop lost low LSN made mail Main MAINT
maintenance major majority make makes making manager manifest many marked MASTER master match matching max maximum may meanwhile member members memory message messages
metadata metric metrics migrate migrated migration minimum minute minutes missed missing mode monitor more mount mounted move moved much must name named names need needed
needs network never new newer next no nobody nodes none normal not note nothing NOTICE notification notifications notified notify now number object objects obtain
occurred of off offline offset old older oldest on once only open opened opening operation operations option options or order orders other others out output outside over
overlap overload overloaded own owners page pages paging pair PANIC parameter parameters parse parsed part partial partition partitioned partitions passed passkey's
password Patroni paused peer peers pending people per perform performed performing period permission permissions phase pictures pid piece ping pipe plan plugin point pool
port ports possible PostgreSQL prepare preparing present previous primaries primary priority probably probe problem process processes program progress Prometheus promote
promoted promoting promotion proposal proposals protocol provided provider provider's providers publish published pull push put query queue queues quick quiet quit quorum
RabbitMQ raft random range rate reach reachable reached reaches read reading ready real reason reattach rebalance receive received receiver receiving recent reconnect
reconnected reconnecting record records recover recovered recovering recovery Redis redo reference refreshed refusal refused refuses register registered reject rejected
rejoin relation relay release release's reload Reloaded reloaded Reloading reloading remaining remote remove removed removing renew renewed reopen repair replace replaced
replay replica replicas replicate replicating replication reply report reports repository requested requests require required requires reset resolve resolved resource
respond response responses restart restarted restarting restarts restore restored restoring result resume resumed resync retained retention retried retries retry retrying
returned returning revision rewind rewound right role roles rolled rotate round route row rows RPC rule rules run running runs safe said same SAML save saved saving scan
Scheduled scheduled scheduling schema scrape scratch script search second secondary seconds secure see segment segments select self send sender sending sends sent
Sentinel sequence served server servers service services session sessions set sets setting settings several share shared short should shutdown shutting side sign
signalled signals signature since single size skip skipped skipping slave slot slots slow small snapshot snapshots sockets some somebody soon source space split SQL SSL
stage stale standby standbys standing stanza start Started Starting starting startup state STATEMENT status stay steal step steps still stop Stopped stopped Stopping
stopping storage store stored stream streaming streams strict subscribe subscription success successful successfully such sudden support suspend suspended sweeping switch
switched switchover sync synced synchronised synchronized synchronous systemd table taken takes target targets task tasks TCP temporarily temporary term terminate
terminated terminating termination test that the this thread threads threshold through time timed timeline timelines timeout timeouts timer TLS to told too total trace
trail transaction transactions transfer transfers transition transport tried tries trigger triggered true truncate truncated try trying two type unable unavailable
unblocked under unexpected unexpectedly unhealthy unit units unknown unlock unmounted unreachable unsafe unsynced until unusable UP up update updated updating upgrade
upload upstream usage use used user using valid value values verification verified verify version versions via victim view virtual vote votes VRRP wait waiting waits wake
WAL warn WARNING warning was watch watchdog watermark way weight well went were what when where whether which while who whole whose will winner with within without work
worker workers would wrapper write writer writes writing written wrong yet zero zone
""".split())
