"""The words that may stay in a log message that leaves the installation; everything else is left out (kinora_clean.py).

Those of our own programs' messages and of the engines', as they are written: a name that looks like one of them begins with a capital and is not kept.
Names of people, places or works do not belong here, nor words that only titles have.
"""

WORDS = frozenset("""
a abandoned abort aborted aborting above accept accepted accepting accepts access account acknowledged acquire acquired action active add added address advert
advertisement after again ago agree alarm alarms alert Alertmanager alerts alive all allocate allocated already among AMQP an and anew another answer answered answering
any anybody apart appended applications applied applying archive archived archiver archiving are argument arguments as asked assertion at attempt attempting attempts
audit authenticate authenticated authentication authorisation authority authorization auto automatic available away back backend backlog BACKUP backup backups bad
balancer base basebackup be because become becoming been before began begins begun behind being belong below between bind block blocked blocks boot bootstrap both
boundary broadcast broke broken broker buffer buffers built bundle by bytes cache caches call can cancel cancelled cancelling candidate cannot capacity caught cause
certificate certificates chain change changed changes channel channels check checked checking checkpoint checks checksum checksums child chosen chrony clean cleaned
cleanup clear client clients clock close closed closes closing cluster code cold come comes command commands commit commits committed committing compact compacted
compaction complete completed compressed conf config configuration configured confined confirm confirmed confirms conflict connect connected connecting connection
connections consensus consistent Consumed consumer consumers CONTEXT control controller coordinator copies copy copying core corrupt corrupted could count counted CPU
crashed create created creating credential credentials current cut daemon damaged data database database's databases day days Deactivated deactivated dead deadline
deadlock deadlocked death DEBUG debug declared deep default defrag delay delayed delete deleted deleting delivered delivery demote demoted demoting denied dependency
depends DETAIL detected device dial did dies different directories directory disabled discarded disconnect disconnected disk disks do does doing done DOWN down DRAIN
drain drained drill drop dropped due dump duplicate duration during each early elected election elections else empty enable enabled encountered encrypted end ended ending
endpoint ends enough enter entered entering entries entry environment epoch erased ERROR errors establish established etcd etcd's even event events every everything
everywhere exceed exceeded except exchange exclusive executed executing exit exited exiting exits expect expected expire expired expiring extra factor fail Failed failed
failing failover failsafe failure failures fall fallback false far fast FATAL fatal FAULT fence fetch fetched fetching few fewer FFmpeg fields figures file files
filesystem filter find finds Finished firewall firewall's first flags flat flush flushed follow followed follower following follows for force forced forcing forever fork
format forwards found free fresh from frontend full further gap garbage gave generation get getting given gives giving goes gone good goodbye got graceful gracefully grey
group grow guard had half halted handed handing handled handler handshake HAProxy hard has have HDR heartbeat heartbeats held here high HINT history hit hold holder
holding host host's hosts hosts' hot hour hours however HTTP HTTPS identifier identity idle ignored image important in inactive incomplete inconsistent increase index
INFO initial initialisation initialise initialised initialization initialize initialized initializing inner inode inodes input insert inspect install installation's
installed instance instead intact integrity interface internal interrupt interrupted interval invalid inventory IO is issue issued it its job jobs join joined joining
journal JSON judged just keep keepalive Keepalived keepalived keeping keeps kept kernel key keys kill killed killing kind know known knows lack lacks lag lagging large
last late latency later latest leader leaders leadership leading leads learner lease least leave leaves leaving left less lets level lie life light limit limited limits
link list listen listener listener's listeners listening listens live load loaded loading local locate lock locked locks LOG log logged logical logout logs long longer
look looked looking lookup loop lost low LSN made mail Main MAINT maintenance major majority make makes making manager manages manifest many marked masked MASTER master
match matching max maximum may meanwhile media member members memory message messages metadata metric metrics migrate migrated migration million minimum minute minutes
missed missing mode monitor more mount mounted move moved moves much must name named names namespaces nearly need needed needs network networks never new newer next No no
nobody node nodes none normal not note nothing NOTICE notification notifications notified notify now nowhere number object objects obtain occurred of off offline offset
old older oldest on once one only open opened opening operation operations option options or order orders other other's others others' out output outside over overlap
overload overloaded own owners packages packets page pages paging pair PANIC parameter parameters parse parsed part partial partition partitioned partitions passed
passkey's password passwords Patroni paused peer peers pending people per perform performed performing period permission permissions phase pictures pid piece pieces ping
pipe place plan plugin point pool port ports possible PostgreSQL prepare preparing present previous primaries primary priority probably probe problem process processed
processes program programs progress Prometheus promote promoted promoting promotion proposal proposals protocol provided provider provider's providers public publish
published pull push put quarter query queue queues quick quiet quit quorum RabbitMQ raft random range rate reach reachable reached reaches read read-only reading ready
real reason reattach rebalance reboot receive received receiver receiving recent reconnect reconnected reconnecting record records recover recovered recovering recovery
Redis redo reference refreshed refusal refused refuses register registered reject rejected rejoin relation relay release release's releases reload Reloaded reloaded
Reloading reloading remaining remote remove removed removing renew renewed reopen repair replace replaced replay replica replicas replicate replicating replication reply
report reports repository requested requests require required requires reset resolve resolved resource respond response responses restart restarted restarting restarts
restore restored restoring result resume resumed resync retained retention retried retries retry retrying returned returning revision rewind rewound right role roles
rolled rotate round route row rows RPC rule rules run running runs safe said same SAML sandbox save saved saving saw say says scan Scheduled scheduled scheduling schema
scrape scratch script search second secondary seconds secure see segment segments select self send sender sending sends sent Sentinel sequence served server servers
service services session sessions set sets setting settings several share shared short should shown shows shutdown shutting side sign signalled signals signature signed
since single size skip skipped skipping slave slot slots slow small snapshot snapshots so sockets some somebody soon source space speaks split SQL sshd SSL stage stale
standby standbys standing stanza start Started started Starting starting startup state STATEMENT status stay steal step steps still stop Stopped stopped Stopping stopping
storage store stored stream streaming streams strict subscribe subscription success successful successfully such sudden support suspend suspended swap sweeping switch
switched switchover sync synced synchronised synchronized synchronous systemd table taken takes target targets task tasks TCP temporarily temporary term terminate
terminated terminating termination test than that the their them there they this those though thread threads threshold through time timed timeline timelines timeout
timeouts timer times TLS to together told too total trace trail transaction transactions transfer transfers transition transport tried tries trigger triggered true
truncate truncated trusts try trying two type unable unavailable unblocked under unexpected unexpectedly unhealthy unit units unknown unlock unmounted unreachable unsafe
unsynced until unusable UP up update updated updating upgrade upload upstream usage use used user using valid value values verification verified verify version versions
via victim view virtual vote votes VRRP wait waiting waits wake WAL warn WARNING warning was watch watchdog watermark way weight well went were what when where whether
which while who whole whose wide will winner with within without work worker workers would wrapper write writer writes writing written wrong yet zero zone zscale
""".split())
