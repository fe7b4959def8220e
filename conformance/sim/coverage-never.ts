/**
 * Coverage keys (coverage.ts) that no simulated run can reach, by pattern and with the reason: what is left is what a run
 * could have reached. One that is reached all the same is printed. Mirrors no spec module.
 */
interface Never {
  readonly keys: RegExp;
  readonly why: string;
}

const OWN_ORDER = 'the code asks in an order in which this guard holds already (replica.ts, settle and flush)';
const NOT_ASKED = 'the code asks only when this holds (replica-pace.ts, proposals.ts, append-log.ts)';

const NEVER: readonly Never[] = [
  { keys: /^Vsr \S+ Crash /, why: 'nobody is left to take it: the world ends the process' },
  { keys: /^Vsr normal (?:ClientRequest|SendCommit|Abdicate) IsPrimary=0$/, why: NOT_ASKED },
  { keys: /^Vsr normal (?:HeartbeatTimeout IsBackup|PersistCommit \S+)=0$/, why: NOT_ASKED },
  {
    keys: /^Vsr recovering (?!Receive|Join|Answer|Restart|PrimaryFsync|BackupFsync|ViewChangeFsync)\S+ status=0$/,
    why: 'a replica leaves `recovering` by the first internal step: no other is asked for',
  },
  {
    keys: /^Vsr normal (?:ViewChange|PersistView|Send|CastOwn|ChooseLog|RequestEntry|AdoptLog|StartView|EnterView|Restart)\S* status=0$/,
    why: NOT_ASKED,
  },
  {
    keys: /^Vsr view-change (?:ClientRequest|SendCommit|PersistCommit|HeartbeatTimeout|Abdicate) status=0$/,
    why: NOT_ASKED,
  },
  { keys: / (?:FromAnother|AddressedHere)=0$/, why: 'no frame goes astray, and none is forged' },
  { keys: /^Vsr view-change \S+ ViewIsDurable=0$/, why: OWN_ORDER },
  { keys: /^Vsr view-change RequestEntry (?:HasTarget|TargetNotReached)=0$/, why: NOT_ASKED },
  { keys: /^Vsr recovering RestartInViewChange LeftInViewChange=0$/, why: OWN_ORDER },
  {
    keys: /^AppendLog (?:(?:full|short|unknown|failed) |damaged (?!Exit))/,
    why: 'a replica whose log fails halts: the log is put no event any more, and is opened anew',
  },
  { keys: /^AppendLog down \S+ status=0$/, why: 'a log that is closed is not asked' },
  { keys: /^AppendLog open Exit taken$/, why: 'processes of a run are ended, and none closes its files' },
  { keys: /^AppendLog open \S+ status=0$/, why: NOT_ASKED },
  { keys: /^AppendLog open (?:Grow|GrowNoSpace) \S+=0$/, why: 'append() asks for growth when it has no room' },
  {
    keys: /^AppendLog open (?:WriteNoSpace|ShortWrite|WriteFails|FsyncFails) \S+=0$/,
    why: 'what the disk has done to a batch or a sync that was let through',
  },
  { keys: /^AppendLog open (?:AppendBatch UnsyncedWithinLimit|Fsync HasUnsynced)=0$/, why: NOT_ASKED },
  { keys: /^Superblock \S+ \S+ status=0$/, why: 'the steps of an install follow each other: no other is asked for' },
  {
    keys: /^Superblock closed (?:Open OneNewest|HaltContradicted Contradicted)=0$/,
    why: 'no fault makes a foreign copy',
  },
  { keys: /^Superblock \S+ Write\S+Fails \S+Stale=0$/, why: 'a write fails only where there is one' },
  { keys: /^Superblock open Update Advances=0$/, why: 'no value of a replica goes back: its own machine sees to it' },
];

export function whyNever(key: string): string | undefined {
  return NEVER.find(({ keys }) => keys.test(key))?.why;
}
