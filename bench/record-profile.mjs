// Preloaded into each process of a cluster (bench/flame-main.ts): V8's profiler from SIGUSR2 to the end, one file a process.
// Plain JavaScript, since node loads it before anything that could read types; --cpu-prof is not allowed in NODE_OPTIONS.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

const { PROFILE_FOLDER = '.', PROFILE_INTERVAL_US = '250' } = process.env;
process.once('SIGUSR2', () => {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: Number(PROFILE_INTERVAL_US) });
  session.post('Profiler.start');
  process.once('exit', () => {
    session.post('Profiler.stop', (failure, { profile } = {}) => {
      if (failure === null) writeFileSync(join(PROFILE_FOLDER, `${process.pid}.cpuprofile`), JSON.stringify(profile));
    });
  });
});
