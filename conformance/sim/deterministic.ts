/**
 * Nothing of the real world gets into a simulated run: while `guarded(run)` is on the stack, any touch of the machine's time,
 * chance, timers, queues, files, network, processes or locale throws and says what was touched. How: each such function is
 * replaced once a process by one that asks a flag and else hands through, so that a run costs two writes of that flag, and
 * whoever runs simulations needs nothing captured: outside of a run everything works as before. Who takes a function for
 * itself when it loads (`const now = Date.now`) escapes if it loads before guardProcess(). Mirrors no spec module.
 */
import childProcess from 'node:child_process';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import timers from 'node:timers';
import tls from 'node:tls';
import worker from 'node:worker_threads';
import { SimError } from './sim-error.ts';

let running = false;
let touched: SimError | undefined;
let installed = false;

/** Replaces the functions, once; before the code is loaded that runs are to execute. */
export function guardProcess(): void {
  if (!installed) install();
}

/** The result of a synchronous run. A touch that the run's own code catches fails it all the same, at its end. */
export function guarded<Result>(run: () => Result): Result {
  guardProcess();
  if (running) throw new Error('guarded() inside of guarded()');
  running = true;
  touched = undefined;
  try {
    const result = run();
    if (touched !== undefined) throw touched;
    return result;
  } finally {
    running = false;
  }
}

/** For tests: every name whose touch throws. */
export function guardedNames(): readonly string[] {
  guardProcess();
  return names;
}

const names: string[] = [];

const RANDOM = /^(?:random|generate|getRandomValues|createDiffieHellman|checkPrime|createECDH)/;
const QUEUES = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'] as const;
const OWN_MACHINE = [
  'nextTick',
  'hrtime',
  'uptime',
  'cpuUsage',
  'memoryUsage',
  'resourceUsage',
  'cwd',
  'kill',
] as const;
const LOCAL_DATE =
  /^(?:get(?:TimezoneOffset|FullYear|Year|Month|Date|Day|Hours|Minutes|Seconds)|to(?:String|DateString|TimeString|Locale\w+))$/;
const LOCALE = /^(?:locale|toLocale)/;

function install(): void {
  installed = true;
  guardTime();
  guardFunctions(Math, 'Math', ['random']);
  guardFunctions(globalThis, '', [...QUEUES, 'fetch']);
  guardFunctions(timers, 'timers', QUEUES.slice(0, 3));
  guardFunctions(timers.promises, 'timers.promises', ['setTimeout', 'setImmediate', 'setInterval']);
  guardFunctions(process, 'process', OWN_MACHINE);
  guardFunctions(process.hrtime, 'process.hrtime', ['bigint']);
  guardFunctions(
    crypto,
    'crypto',
    functionsOf(crypto).filter((name) => RANDOM.test(name)),
  );
  const { webcrypto } = crypto;
  guardFunctions(Object.getPrototypeOf(webcrypto) as object, 'webcrypto', ['getRandomValues', 'randomUUID']);
  for (const [name, module] of Object.entries({ fs, dns, childProcess, os, net, tls, dgram, http, https, http2 }))
    guardFunctions(module, name, functionsOf(module));
  guardFunctions(fs.promises, 'fs.promises', functionsOf(fs.promises));
  guardFunctions(dns.promises, 'dns.promises', functionsOf(dns.promises));
  guardFunctions(net.Socket.prototype, 'net.Socket', ['connect', 'write']);
  guardFunctions(net.Server.prototype, 'net.Server', ['listen']);
  guardFunctions(dgram.Socket.prototype, 'dgram.Socket', ['bind', 'send', 'connect']);
  guardFunctions(worker, 'worker_threads', ['Worker']);
  guardFunctions(Atomics, 'Atomics', ['wait']);
  guardFunctions(globalThis, '', ['WeakRef', 'FinalizationRegistry']);
  for (const [name, type] of Object.entries({ String, Number, BigInt, Array }))
    guardFunctions(
      type.prototype,
      name,
      functionsOf(type.prototype).filter((method) => LOCALE.test(method)),
    );
  guardFunctions(
    Intl,
    'Intl',
    functionsOf(Intl).filter((name) => name !== 'getCanonicalLocales'),
  );
  syncBuiltinESMExports(); // named imports of these modules see it too
}

/** `new Date(ms)` and what it says in UTC stay: they depend on nothing but ms. */
function guardTime(): void {
  const RealDate = Date;
  guardFunctions(RealDate, 'Date', ['now']);
  guardFunctions(
    RealDate.prototype,
    'Date',
    functionsOf(RealDate.prototype).filter((name) => LOCAL_DATE.test(name)),
  );
  names.push('Date');
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => {
      if (running && args.length === 0) touch('new Date()');
      return Reflect.construct(target, args, newTarget) as Date;
    },
    apply: (target, self, args) => {
      if (running) touch('Date()');
      return Reflect.apply(target, self, args) as string;
    },
  });
  guardFunctions(Object.getPrototypeOf(performance) as object, 'performance', ['now', 'mark', 'measure', 'toJSON']);
}

function functionsOf(owner: object): readonly string[] {
  return Object.getOwnPropertyNames(owner).filter((name) => {
    const value = Object.getOwnPropertyDescriptor(owner, name)?.value as unknown;
    // Classes stay, for instanceof: their methods that reach out are named above.
    const named = /^[a-z]/.test(name) || owner === Intl;
    return typeof value === 'function' && name !== 'constructor' && named;
  });
}

function guardFunctions(owner: object, ownerName: string, functions: readonly string[]): void {
  for (const name of functions) {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (typeof property?.value !== 'function') continue; // this version of Node has none
    const label = ownerName === '' ? name : `${ownerName}.${name}`;
    names.push(label);
    Object.defineProperty(owner, name, { ...property, value: handingThrough(label, property.value) });
  }
}

type Callable = (this: unknown, ...args: readonly unknown[]) => unknown;

/** The same function, with all its properties; called or constructed while a run is on, it throws. */
function handingThrough(label: string, original: Callable): Callable {
  return new Proxy(original, {
    apply: (target, self, args) => {
      if (running) touch(label);
      return Reflect.apply(target, self, args);
    },
    construct: (target, args, newTarget) => {
      if (running) touch(label);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
}

function touch(label: string): never {
  const error = new SimError(
    'SIM_REAL_WORLD',
    `a simulated run touched ${label}: it would differ from run to run; use the ports (impl/ports), which the simulator provides`,
    { touched: label },
  );
  touched ??= error;
  throw error;
}
