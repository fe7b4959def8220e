/**
 * What holds for every file of the repository (docs of the rules: the design's style page). Each rule takes files and says
 * what breaks it, one line a finding, `path:line: what`. An exception stands here with its reason.
 */
import { codeOf, type SourceFile } from './source-file.ts';

export interface Rule {
  readonly name: string;
  readonly check: (files: readonly SourceFile[]) => readonly string[];
}

const LINES_MAX = 400;
/** Longer than the rest, with the reason; the count is a bound of its own. */
const LONGER: Readonly<Record<string, readonly [lines: number, why: string]>> = {
  'impl/vsr/replica.ts': [440, 'one class, one method an action; what could be cut out is in replica-*.ts'],
};

/** Edges of the program that talk to the user's own machine, outside of any replica. Everything else asks a port. */
const OUTSIDE_PORTS: Readonly<Record<string, string>> = {
  'impl/cli/settings.ts': 'reads the settings file of the command line',
  'impl/cli/secret-files.ts': 'reads and makes files of certificates and keys',
  'impl/cli/https-request.ts': 'asks a server over HTTPS, as any client does',
  'impl/cli/local-cluster.ts': 'makes the folder of a local cluster',
  'impl/cli/replica-process.ts': 'starts replicas as processes',
  'impl/cli/free-ports.ts': 'asks the system for free ports',
  'impl/cli/engine-process.ts': 'starts the conformance engine',
  'impl/cli/repl.ts': 'keeps the history of a session, and starts commands that go on until Ctrl-C',
  'impl/cli/main.ts': 'reads the version of the package',
  'impl/cli/http-client.ts': 'asks a server over HTTP, as any client does',
  'impl/server/json-web-tokens.ts': 'gives its library, as a Date, the time that it got from the clock',
  'impl/cli/commands/check.ts': 'reads the report of the conformance engine',
  'impl/dx/page/app/browser.ts': 'runs in a browser, and is the one way of the page to its replicas and to time',
  'impl/cli/commands/append.ts': 'reads what is to be appended; the key of a request is random',
  'impl/dx/page/app/chart-source.ts': 'runs in the browser, and measures there what a layout takes',
  'impl/dx/page/app/chart-worker.ts': 'runs in a worker of the browser, and measures there what a layout takes',
};

const WORLD_MODULE =
  /^(?:node:)?(?:fs|fs\/promises|net|tls|dgram|dns|http|https|http2|timers|timers\/promises|child_process|worker_threads|cluster|os|perf_hooks)$/;
const WORLD_GLOBAL =
  /\b(?:Date\.now|new Date|Date\(|setTimeout|setInterval|setImmediate|Math\.random|performance\.now|process\.hrtime|randomBytes|randomUUID|randomInt|randomFillSync|getRandomValues|fetch\()/;
const IMPORTED = /\b(?:from|import|require)\s*\(?\s*['"]([^'"]+)['"]/g;
const SOURCE = /^(?:bin|conformance|docs|impl|machines|test|bench)\/.*\.ts$/;

export const rules: readonly Rule[] = [
  {
    name: 'only impl/ports touches disk, network, time, timers and randomness',
    check: (files) =>
      files
        .filter(({ path }) => /^(?:impl|machines)\//.test(path) && path.endsWith('.ts'))
        .filter(({ path }) => !path.startsWith('impl/ports/'))
        .flatMap((file) => {
          const touches = worldTouchedBy(file);
          if (!(file.path in OUTSIDE_PORTS)) return touches;
          return touches.length > 0 ? [] : [`${file.path}:1: is an exception that is no longer needed`];
        }),
  },
  {
    name: 'machines/ imports nothing but XState and machines/',
    check: (files) =>
      files
        .filter(({ path }) => path.startsWith('machines/'))
        .flatMap((file) =>
          importsOf(file)
            .filter(({ target }) => target !== 'xstate' && !/^\.\/[^/]+$/.test(target))
            .map(({ line, target }) => `${file.path}:${line}: imports ${target}`),
        ),
  },
  {
    name: 'conformance/ imports impl/ only in drivers, components and the validation of clusters',
    check: (files) =>
      files
        .filter(({ path }) => /^conformance\/(?!drivers\/|components\/|sim\/|validate-cluster\/)/.test(path))
        .flatMap((file) =>
          importsOf(file)
            .filter(({ target }) => /(?:^|\/)impl\//.test(target))
            .map(({ line, target }) => `${file.path}:${line}: imports ${target}`),
        ),
  },
  {
    name: `no file is longer than ${LINES_MAX} lines`,
    check: (files) =>
      files
        .filter(({ path }) => SOURCE.test(path) && path !== 'impl/dx/spec-index.ts')
        .flatMap(({ path, text }) => {
          const lines = text.split('\n').length - 1;
          const most = LONGER[path]?.[0] ?? LINES_MAX;
          return lines > most ? [`${path}:${most}: has ${lines} lines, ${most} at most`] : [];
        }),
  },
  {
    name: 'every source file opens with a comment that says what it is',
    check: (files) =>
      files
        .filter(({ path }) => SOURCE.test(path) || /^specs\/.*\.cfg$/.test(path))
        .filter(({ text }) => !/^(?:#!.*\n)?(?:\/\/ biome-ignore.*\n)?(?:\/\*\*?|\/\/|\\\*)[\s*]*[^\s*/]/.test(text))
        .map(({ path }) => `${path}:1: begins without a comment`),
  },
  {
    name: 'no open ends in the code',
    check: (files) =>
      files
        .filter(({ path }) => SOURCE.test(path) || /\.(?:tla|cfg|toml|md)$/.test(path))
        .filter(({ path }) => !path.startsWith('test/repository/'))
        .flatMap((file) => found(file, file.text, /\b(?:TODO|FIXME|XXX|HACK)\b/, (match) => `says ${match}`)),
  },
  {
    name: 'no test is skipped without its reason, and none runs alone',
    check: (files) =>
      files
        .filter(({ path }) => /\.test\.ts$/.test(path))
        .flatMap((file) => [
          ...found(file, codeOf(file.text), /\b(?:test|it|describe)(?:\.\w+)*\.(?:only|todo)\b/, (match) => match),
          ...skipsWithoutReason(file),
        ]),
  },
  {
    name: 'names of files: kebab-case, and none that says nothing',
    check: (files) =>
      files
        .filter(({ path }) => SOURCE.test(path))
        .flatMap(({ path }) => {
          const name = path.slice(path.lastIndexOf('/') + 1).replace(/(?:\.test|\.bench)?\.ts$/, '');
          const empty = /^(?:utils?|helpers?|common|misc|manager|types)$|-(?:utils?|helpers?|manager)$/.test(name);
          const entry = name === 'index' && !/^(?:impl\/client|conformance)\/index\.ts$/.test(path);
          const shape = /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) ? [] : [`${path}:1: is not kebab-case`];
          return [...shape, ...(empty || entry ? [`${path}:1: a name that says nothing`] : [])];
        }),
  },
  {
    name: 'a limit says its unit, and its bound last',
    check: (files) =>
      files
        .filter(({ path }) => /^(?:impl|machines|conformance)\/.*\.ts$/.test(path))
        .flatMap((file) =>
          found(
            file,
            codeOf(file.text),
            /\bconst (?:(?:MAX|MIN)_\w+|\w*(?:_|\b)(?:TIMEOUT|LIMIT|SIZE|INTERVAL|DELAY|WAIT)) *=/,
            (match) => `${match} …: name the unit, and MAX or MIN last`,
          ),
        ),
  },
  {
    name: 'package-lock.json names no download address',
    check: (files) =>
      files
        .filter(({ path }) => path === 'package-lock.json')
        .flatMap((file) => found(file, file.text, /"resolved": *"[^"]*:\/\/[^"]*"/, (match) => match)),
  },
  {
    name: 'no path of a machine and no host of a registry',
    check: (files) =>
      files
        .filter(({ path }) => !path.startsWith('test/repository/') && path !== 'conformance/engines/docker/Dockerfile')
        .flatMap((file) =>
          found(
            file,
            file.text,
            /(?:^|[\s"'`(=:])\/(?:home|Users|root|work)\/[\w.-]+|[A-Z]:\\Users\\|registry\.[\w-]+\.\w+|repo1?\.maven|\b(?:npmjs|yarnpkg|jsr)\.(?:org|com|io)|proxy\.golang|\bpypi\.org/,
            (match) => `names ${match.trim()}`,
          ),
        ),
  },
];

interface Import {
  readonly line: number;
  readonly target: string;
}

export function importsOf({ text }: SourceFile): readonly Import[] {
  const code = codeOf(text);
  return [...text.matchAll(IMPORTED)]
    .filter(({ index }) => /^(?:from|import|require)/.test(code.slice(index)))
    .map((match) => ({ line: lineAt(text, match.index), target: match[1] ?? '' }));
}

function worldTouchedBy(file: SourceFile): readonly string[] {
  return [
    ...importsOf(file)
      .filter(({ target }) => WORLD_MODULE.test(target))
      .map(({ line, target }) => `${file.path}:${line}: imports ${target}`),
    ...found(file, codeOf(file.text), WORLD_GLOBAL, (match) => `uses ${match}`),
  ];
}

/** A condition says why by itself (`skipIf(tlc === undefined)`); a plain skip wants a comment above it, or a reason in it. */
function skipsWithoutReason(file: SourceFile): readonly string[] {
  const lines = file.text.split('\n');
  const code = codeOf(file.text).split('\n');
  return code.flatMap((line, index) => {
    const plain = /\b(?:test|it|describe)(?:\.\w+)*\.(?:skip\b|skipIf\((?:true|false)\)|runIf\((?:true|false)\))/.test(
      line,
    );
    if (!plain && !/\bskip\(\)/.test(line)) return [];
    const reason = /\/\/|\*\//.test(lines[index - 1] ?? '') || /\/\/ \S/.test(lines[index] ?? '');
    return reason ? [] : [`${file.path}:${index + 1}: skipped without a comment that says why`];
  });
}

function found(
  { path, text }: SourceFile,
  searched: string,
  pattern: RegExp,
  say: (match: string) => string,
): readonly string[] {
  const everywhere = new RegExp(pattern.source, `gm${pattern.flags.replaceAll(/[gm]/g, '')}`);
  return [...searched.matchAll(everywhere)].map((match) => `${path}:${lineAt(text, match.index)}: ${say(match[0])}`);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
